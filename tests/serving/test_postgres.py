"""PostgreSQL as a place of tables: who is let in, what is told, what it never says."""

import socket
import traceback
from contextlib import closing, contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from streams.errors import (
    BadInputError,
    DispatcherRunningError,
    StoreFailedError,
)
from streams.sections import StoreSettings
from streams.serving import tables as t
from streams.serving.deliveries import counts, open_deliveries, reading_deliveries
from streams.serving.delivery_log import SqlDeliveryLog
from streams.serving.place import place_of
from streams.serving.postgres import COPY_ROWS, Database, write
from streams.serving.store import open_store, reading

PASSWORD = "geheim-geheim"  # noqa: S105 - made up; opens a database of this test alone


@contextmanager
def closing_engine(engine):
    """Yield an engine, and dispose of it."""
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def guarded(postgres):
    """Return the address of a user who must give a password."""
    name = f"guarded_{uuid4().hex}"
    make = sql.SQL("CREATE USER {} SUPERUSER PASSWORD {}").format(sql.Identifier(name), PASSWORD)
    with psycopg.connect(postgres) as connection:
        connection.execute(make)
    parts = urlsplit(postgres)
    return f"postgresql://{name}@{parts.hostname}:{parts.port}{parts.path}"


def test_a_place_is_the_file_or_the_database_of_the_settings(tmp_path):
    file = tmp_path / "serving.sqlite"
    assert place_of(file, StoreSettings()) == file
    url = "postgresql://rollcall@db.example:5432/rollcall"
    given = StoreSettings(url=url, password_file="/run/secrets/db")  # noqa: S106 - a file's name
    assert place_of(file, given) == Database(url, "/run/secrets/db")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        (f"postgresql://u:{PASSWORD}@h/d", "the address of the database holds a password"),
        (f"postgresql://u@h/d?password={PASSWORD}", "the address of the database holds a password"),
        (f"mysql://u:{PASSWORD}@h/d", "the address of the database cannot be read"),
        (f"{PASSWORD} and more", "the address of the database cannot be read"),
    ],
)
def test_an_address_that_will_not_do_is_refused_and_not_repeated(url, what):
    with pytest.raises(BadInputError) as raised:
        Database(url)
    assert str(raised.value) == what
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


@pytest.mark.postgres
def test_the_password_comes_from_its_file_and_is_said_nowhere(guarded, tmp_path, caplog):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    database = Database(guarded, str(file))
    with closing_engine(open_store(database)) as engine, engine.connect() as connection:
        assert connection.scalar(select(t.ledger.c.person_id)) is None
        assert PASSWORD not in f"{engine!r} {engine.url} {database!r} {database}"
        shown = text("SELECT string_agg(query, ' ') FROM pg_stat_activity")
        assert PASSWORD not in connection.scalar(shown)
    file.write_text("wrong-one")
    with pytest.raises(StoreFailedError, match="password authentication failed") as raised:
        open_store(database)
    said = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "wrong-one" not in said
    file.unlink()
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        open_store(database)


def test_a_server_that_is_not_there_is_told_in_one_line():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://rollcall@127.0.0.1:{free.getsockname()[1]}/rollcall"
        with pytest.raises(StoreFailedError) as raised, reading(Database(url)):
            pass
    assert str(raised.value).startswith(f"the serving store {url} cannot be opened: connection")
    assert "\n" not in str(raised.value)
    assert raised.value.hint == "Look whether PostgreSQL runs there and lets this user in."


@pytest.mark.postgres
def test_a_reader_may_not_write_takes_its_time_and_reads_one_state(postgres):
    database = Database(postgres)
    writer = open_store(database)
    with reading(database) as engine:
        with engine.connect() as connection:
            settings = [
                connection.scalar(text(f"SHOW {name}"))
                for name in (
                    "transaction_isolation", "transaction_read_only", "statement_timeout",
                    "timezone", "search_path",
                )
            ]  # fmt: skip
        assert settings == ["repeatable read", "on", "30s", "UTC", "serving"]
        with engine.connect() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 5"))
            with pytest.raises(OperationalError, match="timeout"):
                connection.execute(text("SELECT pg_sleep(5)"))
    writer.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("count", [1, COPY_ROWS - 1, COPY_ROWS, 3 * COPY_ROWS])
def test_any_number_of_rows_is_written_over_what_was_there(postgres, count):
    engine = open_store(Database(postgres))

    def rows(next_offset):
        return [
            {"topic": "t\t\\N%", "partition": n, "next_offset": next_offset} for n in range(count)
        ]

    kept = select(t.writer_offsets).order_by(t.writer_offsets.c.partition)
    with engine.begin() as connection:
        write(connection, t.writer_offsets, rows(2**40), once=False)
        write(connection, t.writer_offsets, rows(2**41), once=False)
        write(connection, t.writer_offsets, rows(7), once=True)
        assert [dict(row) for row in connection.execute(kept).mappings()] == rows(2**41)
    engine.dispose()


@pytest.mark.postgres
def test_what_copy_refuses_is_told_as_everything_else(postgres):
    engine = open_store(Database(postgres))
    rows = [{"topic": None, "partition": n, "next_offset": 0} for n in range(COPY_ROWS)]
    with pytest.raises(DBAPIError, match="null value"), engine.begin() as connection:
        write(connection, t.writer_offsets, rows, once=False)
    with engine.connect() as connection:
        assert connection.execute(select(t.writer_offsets)).all() == []
    engine.dispose()


@pytest.mark.postgres
def test_deliveries_are_in_one_dispatchers_hands_and_outlive_the_store(postgres):
    database = Database(postgres)
    open_store(database).dispose()
    with closing(SqlDeliveryLog.open(database)) as first:
        first.take("room-output", 0, 5, [])
        with pytest.raises(DispatcherRunningError) as raised:
            SqlDeliveryLog.open(database)
        what = f"the deliveries in {postgres} are in the hands of another dispatcher"
        assert str(raised.value) == what
        with reading_deliveries(database) as engine:
            assert engine is not None
            assert counts(engine) == {}
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP SCHEMA serving CASCADE")
    open_store(database).dispose()
    with closing(SqlDeliveryLog.open(database)) as second:
        assert second.place("room-output") == 5


@pytest.mark.postgres
def test_a_dispatcher_that_lost_its_connection_takes_the_lock_anew_or_stops(postgres):
    database = Database(postgres)
    with closing(SqlDeliveryLog.open(database)) as log:
        log.take("room-output", 0, 5, [])
        with psycopg.connect(postgres) as connection:
            end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            connection.execute(end)
        log.take("room-output", 5, 6, [])
        with psycopg.connect(postgres) as connection:
            connection.execute(end)
        with (
            closing_engine(open_deliveries(database)),
            pytest.raises(DispatcherRunningError),
        ):
            log.take("room-output", 6, 7, [])
