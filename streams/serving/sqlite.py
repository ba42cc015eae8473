"""SQLite as the serving side uses it: one file, one writer, readers beside it.

All that another database would do in its own way stands here.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite

from streams.serving.column_types import Utc
from streams.sqlite_files import BUSY_MS

REACH = "Look at the data directory: its path, its rights, its disk."

Durability = Literal["NORMAL", "FULL"]
"""After a power cut: NORMAL may miss the last commits, FULL misses none."""


def engine_to_write(path: Path, durability: Durability) -> Engine:
    """Return the file ``path`` for writing, made for its owner alone if not there.

    Readers do not wait for the writer, nor the writer for them.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return _engine(path, "journal_mode=WAL", f"synchronous={durability}")


def engine_to_read(path: Path) -> Engine:
    """Return the existing file ``path``; every write is refused."""
    return _engine(path, "query_only=ON")


def is_missing(path: Path) -> bool:
    """Return whether there is no such file; ``OSError`` where the disk does not say.

    ``Path.exists`` takes a loop of links, or a folder that is a file, for nothing there.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return True
    return False


def engine_in_memory() -> Engine:
    """Return a database that is empty, and gone with its connection."""
    return create_engine(URL.create("sqlite"))


def _engine(path: Path, *pragmas: str) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)))

    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in (f"busy_timeout={BUSY_MS}", *pragmas):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin a transaction, which Python's driver does not do for a SELECT.

    Without it every statement would read a state of its own.
    """
    connection.exec_driver_sql("BEGIN")


def write(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, once: bool
) -> None:
    """Insert rows of one table, or replace those of their keys; with ``once`` leave them.

    With the register of a country coming in, what SQLAlchemy does for each
    value would take longer than the writing itself.
    """
    sql, columns, times = _insert(table, once)
    connection.exec_driver_sql(sql, [_parameters(row, columns, times) for row in rows])


@cache
def _insert(
    table: Table, once: bool
) -> tuple[str, Callable[[dict[str, Any]], tuple[Any, ...]], tuple[int, ...]]:
    """Return the statement for the driver: SQL, its columns of a row, which are times."""
    statement = sqlite.insert(table)
    key = [column.name for column in table.primary_key]
    if once:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    else:
        rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in key}
        statement = statement.on_conflict_do_update(index_elements=key, set_=rest)
    compiled = statement.compile(dialect=sqlite.dialect())
    names = compiled.positiontup or []
    times = tuple(n for n, name in enumerate(names) if isinstance(table.c[name].type, Utc))
    return str(compiled), itemgetter(*names), times


def _parameters(
    row: dict[str, Any], columns: Callable[[dict[str, Any]], tuple[Any, ...]], times: Sequence[int]
) -> tuple[Any, ...]:
    values = list(columns(row))
    for place in times:
        values[place] = _time(values[place])
    return tuple(values)


def _time(at: datetime | None) -> str | None:
    """Return a time as ``Utc`` has it in the file."""
    if at is None:
        return None
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
