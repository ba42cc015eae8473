"""Opening the serving store, to write it or only to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DatabaseError

from streams.errors import StoreFailedError
from streams.serving.journals import METADATA
from streams.serving.sqlite import (
    REACH,
    engine_in_memory,
    engine_to_read,
    engine_to_write,
    is_missing,
)

STORE_FILE = "serving.sqlite"

REBUILD = (
    "Move serving.sqlite away and run `rollcall run --until-idle`: it is written anew from the log."
)


def open_store(path: Path, *, read_only: bool = False) -> Engine:
    """Return the store in ``path``, made if it is not there.

    ``StoreFailedError`` where it cannot be opened or has other tables. With
    ``read_only`` nothing is made: a missing file is an empty store in memory.
    """
    try:
        missing = read_only and is_missing(path)
    except OSError as error:
        what = f"the serving store {path} cannot be reached: {error.strerror}"
        raise StoreFailedError(what, hint=REACH) from error
    if missing:
        engine = engine_in_memory()
    else:
        engine = engine_to_read(path) if read_only else engine_to_write(path, "NORMAL")
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
