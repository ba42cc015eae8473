"""The embedded log: one SQLite file, owned by one process, durable.

What it does not promise: one process does the work of all shards, so there is
no rebalancing and no second worker.

Appends that promise something to the outside commit with ``synchronous=FULL``
(the WAL is on disk when they return). Commits of stages use ``NORMAL``: they
survive the death of the process, and a power cut undoes at most those after
the last durable write, whole and from the end. They would be processed again;
doing so on every commit would cost a disk flush for each (streaming.md 5).
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from schemas.codec import VERSION
from schemas.operations import Tick
from streams.backends.sqlite_file import LOG_FILE, Lock, create, flush, in_words, read_meta
from streams.backends.sqlite_stages import StageTables, milliseconds
from streams.clock import WALL, Clock, ClockSpec, ScenarioClock, WallClock
from streams.errors import (
    ClockMismatchError,
    InvalidRecordError,
    NotFoundError,
    ShardsMismatchError,
)
from streams.ports import (
    READ_BYTES,
    Commit,
    NewRecord,
    Receipt,
    Record,
    body_of,
    check_place,
    content_digest,
    partitions_of,
)
from streams.topology import TOPICS

DEFAULT_SHARDS = 8
"""Shards of a new log where nobody says otherwise."""

_TOPICS = {topic.name: topic for topic in TOPICS}

_Row = tuple[str, int, int, int, str, str, int, bytes]


def _go_on(_point: str) -> None:
    """Do nothing at a crash point; tests die there instead."""


class SqliteLog(StageTables):
    """``streams.ports.EventLog`` on one SQLite file."""

    def __init__(
        self,
        path: Path,
        lock: Lock | None,
        wall: Clock,
        abort: Callable[[str], None],
    ) -> None:
        """Use ``open`` or ``open_read_only`` instead."""
        super().__init__(path, lock, abort)
        try:
            with in_words(path):
                meta = read_meta(path, self._db)
        except BaseException:
            self.close()
            raise
        self._shards = int(meta["shards"])
        self._spec = msgspec.json.decode(meta["clock"], type=ClockSpec)
        self._scenario: ScenarioClock | None = None
        if self._spec.start is not None:
            self._scenario = ScenarioClock(self.last_tick_at() or self._spec.start)
        self._clock = self._scenario or wall

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        shards: int | None = None,
        clock: ClockSpec | None = None,
        wall: Clock | None = None,
        abort: Callable[[str], None] = _go_on,
    ) -> Self:
        """Open the log of a data directory for writing, creating it if need be.

        ``shards`` and ``clock`` are fixed at creation (``DEFAULT_SHARDS`` and
        the wall clock if None); later, None takes what is there and anything
        else than what is there is refused. ``wall`` is the clock of a log on
        wall time. ``abort`` is called at the point "writing", inside each
        transaction before it commits. Raises ``LogInUseError`` if another
        process has the log open for writing.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / LOG_FILE
        lock = Lock(directory)
        try:
            if not path.exists():
                spec = msgspec.json.encode(clock or WALL).decode()
                create(path, {"shards": str(shards or DEFAULT_SHARDS), "clock": spec})
            log = cls(path, lock, wall or WallClock(), abort)
        except BaseException:
            lock.release()
            raise
        try:
            log._refuse_other(shards, clock)
        except BaseException:
            log.close()
            raise
        return log

    @classmethod
    def open_read_only(cls, directory: Path) -> Self:
        """Open an existing log beside its owner; whatever writes will fail."""
        path = directory / LOG_FILE
        if not path.exists():
            what = f"there is no log in {directory}"
            hint = "name the data directory with --data, or fill one with `rollcall ingest`"
            raise NotFoundError(what, hint=hint)
        return cls(path, None, WallClock(), _go_on)

    def _refuse_other(self, shards: int | None, clock: ClockSpec | None) -> None:
        if shards is not None and shards != self._shards:
            what = f"the log in {self._path.parent} has {self._shards} shards, not {shards}"
            hint = "leave the number out, or use another data directory: it is fixed at creation"
            raise ShardsMismatchError(what, hint=hint)
        if clock is not None and clock != self._spec:
            what = f"the log in {self._path.parent} runs on the clock {self._spec}, not {clock}"
            hint = "use another data directory: a log keeps the clock it was created with"
            raise ClockMismatchError(what, hint=hint)

    @property
    def shards(self) -> int:
        """Number of partitions of the sharded topics."""
        return self._shards

    @property
    def clock_spec(self) -> ClockSpec:
        """Which clock the log runs on."""
        return self._spec

    @property
    def clock(self) -> Clock:
        """The running clock."""
        return self._clock

    # ------------------------------------------------------------------ records

    def last_tick_at(self) -> datetime | None:
        """Return the time of the newest tick appended."""
        rows = self._query("SELECT value FROM meta WHERE name = 'last_tick'")
        return datetime.fromisoformat(rows[0][0]) if rows else None

    def append(self, records: Sequence[NewRecord], *, durable: bool = True) -> None:
        """Append records in order, all or none."""
        if not records:
            return
        with self._writing(durable=durable) as database:
            self._insert(database, records)
        self._advance(records)

    def intake(self, arrivals: Sequence[Sequence[NewRecord]]) -> list[Receipt]:
        """Append events from outside, each once."""
        receipts: list[Receipt] = []
        fresh: list[NewRecord] = []
        with self._writing(durable=True) as database:
            for arrival in arrivals:
                receipts.append(_register(database, arrival))
                if receipts[-1] is not Receipt.DUPLICATE:
                    fresh.extend(arrival)
            self._insert(database, fresh)
        self._advance(fresh)
        return receipts

    def known(self, event_ids: Collection[str]) -> set[str]:
        """Return those of ``event_ids`` that intake has accepted before."""
        return {
            event_id
            for event_id in event_ids
            if self._query("SELECT 1 FROM intake WHERE event_id = ? LIMIT 1", event_id)
        }

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return records from ``offset`` on, in order, at most ``limit``."""
        check_place(_TOPICS, topic, partition, self._shards)
        records: list[Record] = []
        size = 0
        with self._lock, in_words(self._path):
            for row in self._db.execute(
                "SELECT topic, partition, off, key, name, version, body, appended_ms FROM log"
                " WHERE topic = ? AND partition = ? AND off >= ? ORDER BY off LIMIT ?",
                (topic, partition, offset, limit),
            ):
                record = Record._make(row)
                size += len(record.body)
                if records and size > READ_BYTES:
                    break
                records.append(record)
        return records

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record of the partition will get."""
        check_place(_TOPICS, topic, partition, self._shards)
        rows = self._query(
            "SELECT off FROM log WHERE topic = ? AND partition = ? ORDER BY off DESC LIMIT 1",
            topic,
            partition,
        )
        return int(rows[0][0]) + 1 if rows else 0

    def sync(self) -> None:
        """Return once everything committed before is durable.

        A reader cannot write, but it can have the owner's WAL put on disk.
        """
        if self._file_lock is None:
            flush(self._path)
            return
        # A commit with synchronous=FULL flushes the whole WAL, earlier commits included.
        with self._writing(durable=True) as database:
            database.execute("UPDATE meta SET value = value + 1 WHERE name = 'syncs'")

    def commit(self, commit: Commit) -> None:
        """Write outputs, skips and the new offset in one transaction."""
        with self._writing(durable=False) as database:
            self._write_progress(database, commit)
            self._insert(database, commit.outputs)
        self._advance(commit.outputs)

    # ------------------------------------------------------------------ inside

    def _insert(self, database: sqlite3.Connection, records: Iterable[NewRecord]) -> None:
        now_ms = milliseconds(self._clock.now())
        ends: dict[tuple[str, int], int] = {}
        rows: list[_Row] = []
        last_tick: datetime | None = None
        for topic, partition, key, event in records:
            body = body_of(event)
            name = type(event).__name__
            for each in partitions_of(_TOPICS, topic, partition, self._shards):
                place = (topic, each)
                if place not in ends:
                    ends[place] = self.end(topic, each)
                rows.append((topic, each, ends[place], now_ms, key, name, VERSION, body))
                ends[place] += 1
            if isinstance(event, Tick):
                last_tick = max(last_tick or event.at, event.at)
        database.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        if last_tick is not None:
            newest = max(last_tick, self.last_tick_at() or last_tick)
            database.execute(
                "INSERT OR REPLACE INTO meta VALUES ('last_tick', ?)", (newest.isoformat(),)
            )

    def _advance(self, records: Iterable[NewRecord]) -> None:
        """Move a scenario's clock to the newest tick among what was committed."""
        if self._scenario is None:
            return
        for record in records:
            if isinstance(record.event, Tick):
                self._scenario.advance(record.event.at)


def _register(database: sqlite3.Connection, arrival: Sequence[NewRecord]) -> Receipt:
    event_ids = {record.event.event_id for record in arrival}
    if len(event_ids) != 1:
        what = f"an arrival is the records of one event, not of {len(event_ids)}"
        raise InvalidRecordError(what, hint="give intake one sequence of records per event")
    event = arrival[0].event
    found = database.execute(
        "SELECT digest FROM intake WHERE event_id = ?", (event.event_id,)
    ).fetchall()
    digest = content_digest(event)
    if (digest,) in found:
        return Receipt.DUPLICATE
    database.execute("INSERT INTO intake VALUES (?, ?)", (event.event_id, digest))
    return Receipt.CONFLICT if found else Receipt.ACCEPTED
