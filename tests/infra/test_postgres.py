"""PostgreSQL itself: as our processes meet it, stopped and killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.postgres import Postgres
from infra.processes import ServiceError

WRONG = "not this one"


@pytest.fixture
def own(
    postgres_server: Postgres,  # noqa: ARG001 - it skips where there can be no server
) -> Iterator[Postgres]:
    """Return a server that the test may stop."""
    # Its folder is where the server's user may go, which pytest's own folders are not.
    one = Postgres(Path(tempfile.mkdtemp(prefix="rollcall-test-")), fsync=False)
    yield one
    one.discard()


def test_every_test_has_a_database_of_its_own(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(tables).fetchone() == (0,)
        connection.execute("CREATE TABLE people (person_id text)")


def test_what_was_committed_outlives_a_stop_and_a_kill(own: Postgres) -> None:
    own.start()
    with psycopg.connect(own.url) as connection:
        connection.execute("CREATE TABLE said (what text)")
        connection.execute("INSERT INTO said VALUES ('before the stop')")
    assert own.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own.url)
    own.start()
    with psycopg.connect(own.url) as connection:
        connection.execute("INSERT INTO said VALUES ('before the kill')")
    own.kill()
    own.start()
    with psycopg.connect(own.url) as connection:
        said = connection.execute("SELECT what FROM said ORDER BY what").fetchall()
    assert said == [("before the kill",), ("before the stop",)]


def test_words_sort_as_in_english(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        words = connection.execute(
            "SELECT string_agg(word, ' ' ORDER BY word) FROM unnest(ARRAY['b', 'B', 'a', 'C']) word"
        ).fetchone()
    assert words == ("a b B C",)


def test_the_password_is_asked_for_and_stands_in_no_url(postgres_server: Postgres) -> None:
    kept = postgres_server.password_file.read_text(encoding="utf-8").strip()
    password = kept.rpartition(":")[2]
    assert len(password) == 24
    assert password not in postgres_server.url
    assert postgres_server.password_file.stat().st_mode & 0o777 == 0o600
    without = postgres_server.url.partition("?")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(without)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(without, password=WRONG)


def test_a_port_that_is_taken_is_refused_in_words(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    with pytest.raises(ServiceError, match=f"port {postgres_server.port} is taken"):
        Postgres(tmp_path, port=postgres_server.port)
