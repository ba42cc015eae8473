"""SQLite files: opened, put in place, and copied while they are in use."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from streams.errors import BadInputError

BUSY_MS = 10_000
"""How long to wait for another connection to end its transaction."""

WAL_KEPT_BYTES = 64 * 1024 * 1024
"""The WAL file is cut back to this after a large transaction."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection in autocommit mode, usable from any thread."""
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    if not read_only:
        database.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    return database


def copy_checked(source: Path, target: Path, check: Callable[[sqlite3.Connection], object]) -> None:
    """Copy ``source`` to the new file ``target``, also while another process writes it.

    As of one moment, for its owner alone, complete under its name or not at
    all, and on disk when this returns. ``check`` looks at the source and
    raises if it is another kind of file; ``sqlite3.Error`` where either is
    damaged, ``OSError`` where the target cannot be written.
    """
    wal = target.with_name(f"{target.name}-wal")
    if wal.exists() and wal.stat().st_size:
        # SQLite would take it for the new file's own, and damage that.
        what = f"{wal} is left of a file that is gone"
        raise BadInputError(what, hint=f"move it away, to where the earlier {target.name} went")
    unfinished = target.with_name(f"{target.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        _copy(source, unfinished, check)
        put_in_place(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _copy(source: Path, unfinished: Path, check: Callable[[sqlite3.Connection], object]) -> None:
    with (
        closing(connect(source, read_only=True)) as original,
        closing(connect(unfinished)) as copy,
    ):
        check(original)
        original.backup(copy)
        # A copy is one file: reading it must not leave WAL files beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            msg = f"its copy is damaged: {verdict}"
            raise sqlite3.DatabaseError(msg)


def put_in_place(unfinished: Path, path: Path) -> None:
    """Give a finished file its name; it is on disk under it when this returns."""
    fsync(unfinished)
    unfinished.rename(path)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Return once a file, or the names in a directory, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
