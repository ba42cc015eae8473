"""Opening the serving store, to write it or only to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DatabaseError

from streams.errors import StoreFailedError
from streams.serving import postgres, sqlite
from streams.serving.journals import METADATA
from streams.serving.migrate import History, check, upgrade
from streams.serving.place import Place, in_words, ready
from streams.serving.postgres import Database

STORE_FILE = "serving.sqlite"

SCHEMA = "serving"

REBUILD = (
    "Move serving.sqlite away and run `rollcall run --until-idle`: it is written anew from the log."
)

REBUILD_SCHEMA = (
    "Drop the schema serving and start the writer: it is written anew from the log. Deliveries have"
    " a schema of their own and stay."
)

HISTORY = History(SCHEMA, "0001", METADATA, StoreFailedError, REBUILD_SCHEMA)

SERVER = "Look whether PostgreSQL runs there and lets this user in."


def open_store(place: Place, *, read_only: bool = False) -> Engine:
    """Return the store in a file or a database, made if it is not there.

    ``StoreFailedError`` where it cannot be opened or has other tables. With
    ``read_only`` nothing is made: a missing file is an empty store in memory.
    """
    if isinstance(place, Database):
        return _open_schema(place, read_only=read_only)
    try:
        missing = read_only and sqlite.is_missing(place)
    except OSError as error:
        what = f"the serving store {place} cannot be reached: {error.strerror}"
        raise StoreFailedError(what, hint=sqlite.REACH) from error
    if missing:
        engine = sqlite.engine_in_memory()
    elif read_only:
        engine = sqlite.engine_to_read(place)
    else:
        engine = sqlite.engine_to_write(place, "NORMAL")
    try:
        if not read_only or missing:
            return ready(engine, METADATA.create_all, _check_columns)
        return ready(engine, _check_columns)
    except DatabaseError as error:
        what = f"the serving store {place} cannot be opened: {error.orig}"
        raise StoreFailedError(what, hint=REBUILD) from error


def _open_schema(database: Database, *, read_only: bool) -> Engine:
    try:
        if read_only:
            return ready(postgres.engine_to_read(database, SCHEMA), partial(check, history=HISTORY))
        engine = postgres.engine_to_write(database, SCHEMA, durable=False)
        return ready(engine, partial(upgrade, history=HISTORY))
    except DatabaseError as error:
        what = f"the serving store {database} cannot be opened: {in_words(error.orig)}"
        raise StoreFailedError(what, hint=SERVER) from error


@contextmanager
def reading(place: Place) -> Iterator[Engine]:
    """Yield the store in a place to read from; see ``open_store``."""
    engine = open_store(place, read_only=True)
    try:
        yield engine
    finally:
        engine.dispose()


def rebuild_of(engine: Engine) -> str:
    """Return what to do to have a store written anew."""
    return REBUILD if engine.dialect.name == "sqlite" else REBUILD_SCHEMA


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
