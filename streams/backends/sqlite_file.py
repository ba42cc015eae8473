"""The file of the embedded log: its lock, tables, settings and safety copies.

One SQLite file and one lock file in the data directory, readable by their
owner alone (positions are personal data). WAL mode, so that readers in other
processes never wait for the writer; never on a network file system.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from streams.errors import (
    BadInputError,
    FormatMismatchError,
    LogFailedError,
    LogInUseError,
    NotFoundError,
)
from streams.sqlite_files import connect, copy_checked, fsync, put_in_place

LOG_FILE = "log.sqlite"
LOCK_FILE = "log.lock"
FORMAT = 1
"""Version of the tables below; raised with every change to them."""

MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins (sqlite.org/fileformat, 1.3)."""

# Pages of 8 KiB: a row of a WITHOUT ROWID table up to a quarter of a page stays in the tree,
# which is what nearly all records are.
TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, off INTEGER NOT NULL,
    appended_ms INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
    version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (topic, partition, off)) WITHOUT ROWID;
CREATE TABLE intake (
    event_id TEXT NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (event_id, digest)) WITHOUT ROWID;
CREATE TABLE progress (
    stage TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    engine TEXT NOT NULL, engine_since INTEGER NOT NULL, stopped TEXT,
    PRIMARY KEY (stage, partition)) WITHOUT ROWID;
CREATE TABLE skips (
    stage TEXT NOT NULL, partition INTEGER NOT NULL, off INTEGER NOT NULL,
    kind TEXT NOT NULL, control INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (stage, partition, off)) WITHOUT ROWID;
CREATE TABLE attempts (
    stage TEXT NOT NULL, partition INTEGER NOT NULL, first INTEGER NOT NULL,
    upto INTEGER NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (stage, partition)) WITHOUT ROWID;
CREATE TABLE snapshots (
    stage TEXT NOT NULL, partition INTEGER NOT NULL, off INTEGER NOT NULL,
    engine TEXT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (stage, partition, off));
"""


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ``LogFailedError`` with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        what = f"the log {path} failed: {error}"
        hint = (
            "look at free space and rights of the data directory; if the file is damaged,"
            " move it away and use `rollcall restore` with the last backup"
        )
        raise LogFailedError(what, hint=hint) from error


class Lock:
    """The right to write a log, held by at most one process at a time.

    The operating system takes it back when the process ends, however it ends.
    """

    def __init__(self, directory: Path) -> None:
        """Take the lock of ``directory`` or raise ``LogInUseError`` at once."""
        file = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        self._file: int | None = file
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
            self.release()
            what = f"the log in {directory} is in use by process {owner}"
            hint = (
                "stop that process (Ctrl-C, or `kill` with its number), send events to its HTTP"
                " API instead, or use `rollcall status` and `export`, which only read"
            )
            raise LogInUseError(what, hint=hint) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; twice is harmless."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def create(path: Path, meta: dict[str, str]) -> None:
    """Create the log's file: complete under its name, or not at all."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with in_words(path), closing(connect(unfinished)) as database:
        database.execute("PRAGMA page_size = 8192")
        database.executescript(f"BEGIN; {TABLES} COMMIT;")
        rows = {"format": str(FORMAT), "syncs": "0"} | meta
        database.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())
    put_in_place(unfinished, path)


def read_meta(path: Path, database: sqlite3.Connection) -> dict[str, str]:
    """Return the settings of a log, or refuse a file of another format."""
    found = {"format": "none"}
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if "meta" in tables:
        found |= dict(database.execute("SELECT name, value FROM meta"))
    if found["format"] != str(FORMAT):
        what = f"{path} has log format {found['format']}; this program reads format {FORMAT}"
        hint = "use the program version that wrote it, or another data directory"
        raise FormatMismatchError(what, hint=hint)
    return found


def backup(
    directory: Path, target: Path, *, together: AbstractContextManager[None] | None = None
) -> None:
    """Copy the log of ``directory`` to the new file ``target``.

    As of one moment, also while another process writes it. The copy is
    checked before it gets its name, and is on disk when this returns.
    ``together`` is entered before and left after; it undoes what it did if
    the copy fails.
    """
    source = directory / LOG_FILE
    if not source.exists():
        what = f"there is no log in {directory}"
        raise NotFoundError(what, hint="name the data directory with --data")
    if target.exists():
        what = f"{target} exists; a safety copy is never written over"
        raise BadInputError(what, hint="name another file")
    try:
        with together or nullcontext():
            _copy(source, target)
    except OSError as error:
        what = f"{target} cannot be written: {error.strerror}"
        hint = "name a file in a directory that exists and is yours to write, with room on it"
        raise BadInputError(what, hint=hint) from error


def restore(
    source: Path, directory: Path, *, together: AbstractContextManager[None] | None = None
) -> None:
    """Make the safety copy ``source`` the log of ``directory``.

    ``together`` is entered before, once nothing is in the way, and left after.
    """
    if not source.exists():
        what = f"there is no file {source}"
        raise NotFoundError(what, hint="name a file that `rollcall backup` wrote")
    with source.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            what = f"{source} is no safety copy: it is not an SQLite file"
            raise BadInputError(what, hint="name a file that `rollcall backup` wrote")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(directory)
    try:
        target = directory / LOG_FILE
        if target.exists():
            what = f"{directory} holds a log already; it is never written over"
            raise BadInputError(what, hint=f"move {target} away, or name another directory")
        try:
            with together or nullcontext():
                _copy(source, target)
        except LogFailedError as error:
            what = f"{source} could not be restored: {error}"
            hint = "look at free space; if the copy is damaged, use an older one"
            raise LogFailedError(what, hint=hint) from error
    finally:
        lock.release()


def _copy(source: Path, target: Path) -> None:
    with in_words(source):
        copy_checked(source, target, partial(read_meta, source))


def flush(path: Path) -> None:
    """Return once all that is in a log's files is on disk, whoever wrote it.

    First the WAL: what leaves it is in the other file by then, on disk.
    """
    for file in (path.with_name(f"{path.name}-wal"), path):
        try:
            fsync(file)
        except FileNotFoundError:
            continue  # no WAL: its owner has closed the log, and nothing is left to flush
        except OSError as error:
            what = f"the log {path} could not be put on disk: {error.strerror}"
            raise LogFailedError(what, hint="look at the disk of the data directory") from error
