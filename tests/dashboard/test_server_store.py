"""A dashboard over PostgreSQL: what was written is seen, what fails is told."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import update

from dashboard.explore.kept import Kept
from dashboard.hub import Hub
from dashboard.store import ServerStore
from streams.serving import tables as t
from streams.serving.postgres import Database
from streams.serving.sql_answers import Answered
from streams.serving.store import open_store
from streams.serving.wall import snapshot
from streams.serving.wall_answers import WallNow
from tests.support import screens
from tests.support.running import wait_for


@pytest.fixture
def database(postgres: str, tmp_path: Path) -> Database:
    """Return a database that holds the small crisis."""
    database = Database(postgres)
    screens.fill(tmp_path, database=database)
    return database


@pytest.fixture
def store(database: Database) -> Iterator[ServerStore]:
    one = ServerStore(database)
    yield one
    one.close()


@pytest.mark.postgres
def test_the_stamp_moves_with_what_is_written_also_over_a_lost_connection(
    database: Database, store: ServerStore, postgres: str
) -> None:
    assert wait_for(store.stamp) == 15
    writer = open_store(database)

    def write() -> None:
        with writer.begin() as connection:
            offsets = t.writer_offsets
            connection.execute(update(offsets).values(next_offset=offsets.c.next_offset + 1))

    write()
    assert wait_for(lambda: store.stamp() != 15 and store.stamp()) == 25
    with psycopg.connect(postgres) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    write()
    assert wait_for(lambda: store.stamp() != 25 and store.stamp()) == 35
    seen = Hub(store.engine, snapshot, stamp=store.stamp).see()
    assert isinstance(seen, WallNow)
    assert seen.affected == 2
    writer.dispose()


def test_a_server_that_is_not_there_is_told_in_words_and_its_stamp_does_not_wait() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        store = ServerStore(Database(f"postgresql://u@127.0.0.1:{free.getsockname()[1]}/d"))
        said = Hub(store.engine, snapshot, stamp=store.stamp).see()
        assert isinstance(said, str)
        assert said.endswith("Look whether PostgreSQL runs there and lets this user in.")
        assert store.stamp() is None
        store.close()


@pytest.mark.postgres
def test_analysts_ask_in_sql_and_look_at_deliveries_there_are_none_of(
    database: Database, store: ServerStore
) -> None:
    kept = Kept()
    said = kept.ask(store.engine(), database, "SELECT bucket, count(*) AS n FROM ledger GROUP BY 1")
    kept.sandbox.close()
    assert isinstance(said.answer, Answered)
    rows = sorted(said.answer.table.to_pylist(), key=lambda row: str(row["bucket"]))
    assert rows == [{"bucket": "safe", "n": 1}, {"bucket": "unaccounted", "n": 1}]
    assert kept.frame(store.engine(), "deliveries", database).rows is None


@pytest.mark.postgres
def test_the_dashboard_is_started_with_an_address_instead_of_a_data_directory(
    database: Database, tmp_path: Path
) -> None:
    with screens.running(tmp_path, tmp_path, database=database) as app:

        def affected() -> object:
            answer = httpx.get(f"{app.url}/api/live/wall/snapshot", trust_env=False)
            return answer.json().get("affected")

        assert wait_for(affected) == 2
