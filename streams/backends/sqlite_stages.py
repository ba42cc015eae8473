"""What the embedded log keeps for the stages: progress, skips, attempts, snapshots."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from streams.backends.sqlite_file import Lock, in_words
from streams.errors import CommitConflictError
from streams.ports import Attempt, Commit, Progress, Skip, SkipKind, Snapshot
from streams.sqlite_files import connect

KEPT_SNAPSHOTS = 2
"""A damaged newest snapshot falls back to the one before."""


class StageTables:
    """The part of ``SqliteLog`` that keeps the state of its readers."""

    def __init__(self, path: Path, lock: Lock | None, abort: Callable[[str], None]) -> None:
        """Connect to an existing log; without a lock, for reading only."""
        self._path = path
        self._file_lock = lock
        self._abort = abort
        self._lock = threading.RLock()
        self._closed = False
        with in_words(path):
            self._db = connect(path, read_only=lock is None)
            if lock is not None:
                self._db.execute("PRAGMA journal_mode = WAL")

    def progress(self, stage: str, partition: int) -> Progress:
        """Return how far a stage has come."""
        rows = self._query(
            "SELECT next_offset, engine, engine_since, stopped,"
            " (SELECT count(*) FROM skips s"
            "  WHERE s.stage = p.stage AND s.partition = p.partition),"
            " (SELECT count(*) FROM skips s"
            "  WHERE s.stage = p.stage AND s.partition = p.partition AND s.control)"
            " FROM progress p WHERE stage = ? AND partition = ?",
            stage,
            partition,
        )
        return Progress._make(rows[0]) if rows else Progress()

    def committed(self, stage: str, partition: int) -> int:
        """Return the first offset the stage has not yet dealt with."""
        return self._last_commit(stage, partition)[0]

    def skips(self, stage: str, partition: int) -> list[Skip]:
        """Return what the stage put aside, by offset."""
        rows = self._query(
            "SELECT off, kind, control, at_ms FROM skips"
            " WHERE stage = ? AND partition = ? ORDER BY off",
            stage,
            partition,
        )
        return [
            Skip(offset, SkipKind(kind), bool(control), datetime.fromtimestamp(at_ms / 1000, UTC))
            for offset, kind, control, at_ms in rows
        ]

    def attempt(self, stage: str, partition: int, first: int, upto: int) -> int:
        """Note that records are about to be processed."""
        with self._writing(durable=False) as database:
            last = self.last_attempt(stage, partition)
            same = last is not None and (last.first, last.upto) == (first, upto)
            earlier = last.times if last is not None and same else 0
            database.execute(
                "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?)",
                (stage, partition, first, upto, earlier + 1),
            )
        return earlier

    def last_attempt(self, stage: str, partition: int) -> Attempt | None:
        """Return the attempt that was begun and not ended."""
        rows = self._query(
            "SELECT first, upto, times FROM attempts WHERE stage = ? AND partition = ?",
            stage,
            partition,
        )
        return Attempt._make(rows[0]) if rows else None

    def forget_attempt(self, stage: str, partition: int) -> None:
        """Remove the attempt."""
        with self._writing(durable=False) as database:
            database.execute(
                "DELETE FROM attempts WHERE stage = ? AND partition = ?", (stage, partition)
            )

    def save_snapshot(self, stage: str, partition: int, snapshot: Snapshot) -> None:
        """Keep a snapshot, and of the older ones the newest."""
        place = (stage, partition)
        with self._writing(durable=False) as database:
            _refuse_conflict(place, self.committed(*place), snapshot.offset)
            database.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *place,
                    snapshot.offset,
                    snapshot.engine,
                    _checksum(snapshot.body),
                    snapshot.body,
                ),
            )
            database.execute(
                "DELETE FROM snapshots WHERE stage = ? AND partition = ? AND off NOT IN"
                " (SELECT off FROM snapshots WHERE stage = ? AND partition = ?"
                "  ORDER BY off DESC LIMIT ?)",
                (*place, *place, KEPT_SNAPSHOTS),
            )

    def snapshots(self, stage: str, partition: int) -> Iterator[Snapshot]:
        """Yield the kept snapshots, newest first, damaged ones marked."""
        place = (stage, partition)
        where = "FROM snapshots WHERE stage = ? AND partition = ?"
        for (offset,) in self._query(f"SELECT off {where} ORDER BY off DESC", *place):
            for engine, digest, body in self._query(
                f"SELECT engine, digest, body {where} AND off = ?", *place, offset
            ):
                yield Snapshot(offset, engine, body, intact=_checksum(body) == digest)

    def close(self) -> None:
        """Let go of the log and of its lock."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._db.close()
            if self._file_lock is not None:
                self._file_lock.release()

    # ------------------------------------------------------------------ inside

    @contextmanager
    def _writing(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """Yield the connection in a transaction: all of it happens, or none."""
        with self._lock, in_words(self._path):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._abort("writing")
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, in_words(self._path):
            return self._db.execute(sql, values).fetchall()

    def _last_commit(self, stage: str, partition: int) -> tuple[int, str | None, int]:
        rows = self._query(
            "SELECT next_offset, engine, engine_since FROM progress"
            " WHERE stage = ? AND partition = ?",
            stage,
            partition,
        )
        return rows[0] if rows else (0, None, 0)

    def _write_progress(self, database: sqlite3.Connection, commit: Commit) -> None:
        """Write all of a commit but its outputs, inside its transaction."""
        place = (commit.stage, commit.partition)
        committed, engine, since = self._last_commit(*place)
        _refuse_conflict(place, committed, commit.from_offset)
        if engine not in {None, commit.engine}:
            since = committed
        database.execute(
            "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)",
            (*place, commit.next_offset, commit.engine, since, commit.stopped),
        )
        database.executemany(
            "INSERT INTO skips VALUES (?, ?, ?, ?, ?, ?)",
            [(*place, s.offset, s.kind, s.control, milliseconds(s.at)) for s in commit.skips],
        )
        if commit.next_offset > committed:
            database.execute("DELETE FROM attempts WHERE stage = ? AND partition = ?", place)


def _refuse_conflict(place: tuple[str, int], committed: int, offset: int) -> None:
    if committed != offset:
        stage, partition = place
        what = f"{stage} {partition} is committed up to {committed}, not {offset}"
        raise CommitConflictError(what, hint="two pumps work on one log; stop one of them")


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def milliseconds(at: datetime) -> int:
    """Return a moment as the log stores it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)
