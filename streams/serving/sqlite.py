"""SQLite as the serving side uses it: one file, one writer, readers beside it.

All that another database would do in its own way stands here.
"""

from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event

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
