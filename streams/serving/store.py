"""Opening the serving store, to write it or only to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError

from streams.errors import StoreFailedError
from streams.serving.journals import METADATA

STORE_FILE = "serving.sqlite"

REBUILD = (
    "Move serving.sqlite away and run `rollcall run --until-idle`: it is written anew from the log."
)


def open_store(path: Path, *, read_only: bool = False) -> Engine:
    """Return the store in ``path``, made if it is not there.

    ``StoreFailedError`` where it cannot be opened or has other tables. With
    ``read_only`` nothing is made: a missing file is an empty store in memory.
    """
    missing = read_only and not path.exists()
    if not read_only:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    engine = create_engine(URL.create("sqlite", database=None if missing else str(path)))
    if not missing:
        event.listen(engine, "connect", _query_only if read_only else _configure)
        event.listen(engine, "begin", _begin)
    try:
        if not read_only or missing:
            METADATA.create_all(engine)
        _check_columns(engine)
    except DatabaseError as error:
        what = f"the serving store {path} cannot be opened: {error.orig}"
        raise StoreFailedError(what, hint=REBUILD) from error
    return engine


@contextmanager
def reading(path: Path) -> Iterator[Engine]:
    """Yield the store in ``path`` to read from; see ``open_store``."""
    engine = open_store(path, read_only=True)
    try:
        yield engine
    finally:
        engine.dispose()


def _configure(connection: Any, _: object) -> None:
    """Set write-ahead logging: readers do not wait for the writer."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=10000")


def _query_only(connection: Any, _: object) -> None:
    """Refuse every write on this connection."""
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA query_only=ON")


def _begin(connection: Connection) -> None:
    """Begin a transaction, which Python's driver does not do for a SELECT.

    Without it every statement would read a state of its own.
    """
    connection.exec_driver_sql("BEGIN")


def _check_columns(engine: Engine) -> None:
    """Raise if the file was made with other tables than ours."""
    found = inspect(engine)
    for table in METADATA.sorted_tables:
        if not found.has_table(table.name):
            what = f"the serving store is empty or unfinished: table {table.name} is missing"
            raise StoreFailedError(what, hint=REBUILD)
        there = {column["name"] for column in found.get_columns(table.name)}
        if there != {column.name for column in table.columns}:
            what = f"the serving store was made by another version: table {table.name} differs"
            raise StoreFailedError(what, hint=REBUILD)
