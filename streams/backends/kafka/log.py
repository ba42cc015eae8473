"""The log on Apache Kafka: ``streams.ports.EventLog`` over a cluster.

What a stage says, the records it put aside and the offset it has reached are
one transaction (design 3). The committed offset carries, as its metadata, what
else has to be true at it (``kept``). ``acquire`` shuts out whoever worked on
that stage and partition before, and reads the committed offset after that.

What came in from outside is not taken in here: it is published to the public
topics, and MERGE routes it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import msgspec
from confluent_kafka import OFFSET_INVALID, TopicPartition

from schemas.operations import Tick
from streams.backends.kafka.asker import Asker
from streams.backends.kafka.control import control_of
from streams.backends.kafka.kept import (
    KEPT_SNAPSHOTS,
    Kept,
    Pointer,
    checksum,
    chunks,
    decoded,
    encoded,
    free_slot,
    put_together,
    skip_messages,
    skips_of,
    snapshot_partition,
)
from streams.backends.kafka.local import Local
from streams.backends.kafka.reader import Reader, between, last_tick_at
from streams.backends.kafka.transactions import Transactions
from streams.backends.kafka.wire import TOPICS, Message, message_again, messages_of, tick_at
from streams.clock import Clock, ClockSpec, ScenarioClock, WallClock
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.errors import CommitConflictError, RecoveryError
from streams.ports import (
    Attempt,
    Commit,
    NewRecord,
    Progress,
    Record,
    Skip,
    Snapshot,
    check_place,
)
from streams.recovery import INPUT_OF
from streams.sections import KafkaSettings
from streams.topology import PUBLIC, SKIPS, SNAPSHOTS

OUTPUT_OF = {"desk": DESK_OUTPUT, "shard": SHARD_OUTPUT, "room": ROOM_OUTPUT}
PUBLISHED = frozenset(topic.name for topic in PUBLIC)


class _Owned(NamedTuple):
    """A stage in a partition that this process works on."""

    writer: Transactions
    next_offset: int
    kept: Kept
    skips: tuple[Skip, ...]


def _go_on(_point: str) -> None:
    """Do nothing at a crash point; tests die there instead."""


class KafkaLog:
    """``streams.ports.EventLog`` on a cluster; see the module."""

    def __init__(
        self,
        settings: KafkaSettings,
        directory: Path,
        *,
        wall: Clock | None = None,
        abort: Callable[[str], None] = _go_on,
    ) -> None:
        """Connect; ``directory`` is this process's own, for attempts and snapshots.

        ``wall`` is the clock of a log on wall time. ``abort`` is called at the
        point "writing", inside each transaction before it commits. Raises
        ``NotFoundError`` where the topics are not there yet.
        """
        self._settings = settings
        self._abort = abort
        self._asker = Asker(settings, f"{settings.prefix}stages")
        self._readers = threading.local()
        self._local = Local(directory)
        self._lock = threading.RLock()
        self._owned: dict[tuple[str, int], _Owned] = {}
        self._appender: Transactions | None = None
        self._closed = False
        try:
            control = control_of(self._asker, self._reader(), settings)
            self._shards = control.shards
            self._spec = control.clock
            self._scenario: ScenarioClock | None = None
            if self._spec.start is not None:
                self._scenario = ScenarioClock(self.last_tick_at() or self._spec.start)
        except BaseException:
            self.leave()
            self._asker.close()
            raise
        self._clock = self._scenario or wall or WallClock()

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
        return last_tick_at(self._asker, self._reader())

    def append(self, records: Sequence[NewRecord], *, durable: bool = True) -> None:
        """Append records in order, all or none; always as durable as the cluster is."""
        del durable
        if not records:
            return
        self._append(self._messages(records))
        self._advance(record.event.at for record in records if isinstance(record.event, Tick))

    def put_back(self, record: Record, also: Sequence[NewRecord]) -> None:
        """Append a record once more where it stands, as it is, with others beside it."""
        self._append([message_again(record, self._settings.prefix), *self._messages(also)])

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return committed records from ``offset`` on, in order, at most ``limit``."""
        check_place(TOPICS, topic, partition, self._shards)
        records = self._reader().read(topic, partition, offset, limit)
        if self._scenario is not None and topic not in PUBLISHED:
            # Not every process reads ticks; whoever wrote a record says what time it was.
            self._advance(tick_at(record) or record.appended_at for record in records)
        return records

    def wait(self, places: Sequence[tuple[str, int]], timeout_s: float) -> list[tuple[str, int]]:
        """Sleep until some of ``places``, read before, have more; return which."""
        return self._reader().wait(places, timeout_s)

    def upto(self, topic: str, partition: int) -> int:
        """Return up to where, as of this thread's last read, there is nothing more."""
        return self._reader().upto(topic, partition)

    def leave(self) -> None:
        """Let go of what the calling thread reads with; the log stays open."""
        reader: Reader | None = getattr(self._readers, "one", None)
        if reader is not None:
            self._readers.one = None
            reader.close()

    def end(self, topic: str, partition: int) -> int:
        """Return an offset behind all that is committed."""
        check_place(TOPICS, topic, partition, self._shards)
        return self._asker.end(topic, partition)

    def sync(self) -> None:
        """Return at once: what can be read is as durable as the cluster makes it."""

    # ------------------------------------------------------------------ stages

    def acquire(self, stage: str, partition: int) -> None:
        """Take over a stage in a partition: whoever had it can commit no more."""
        with self._lock:
            self._let_go(stage, partition)
            writer = self._writer(f"{stage}-{partition}")
            # Only now: what the one before had begun is committed or aborted.
            next_offset, kept = self._committed(stage, partition)
            self._refuse_loss(stage, partition, next_offset, kept)
            skips = tuple(self._skips(stage, partition)) if kept.skipped else ()
            self._owned[stage, partition] = _Owned(writer, next_offset, kept, skips)

    def release(self, stage: str, partition: int) -> None:
        """Let go of a stage in a partition, for another to take it over."""
        with self._lock:
            self._let_go(stage, partition)

    def progress(self, stage: str, partition: int) -> Progress:
        """Return how far a stage has come; all zero before its first commit."""
        next_offset, kept = self._standing(stage, partition)
        return Progress() if not kept.engine else kept.progress(next_offset)

    def committed(self, stage: str, partition: int) -> int:
        """Return the first offset the stage has not yet dealt with."""
        return self._standing(stage, partition)[0]

    def skips(self, stage: str, partition: int) -> list[Skip]:
        """Return what the stage put aside, by offset."""
        owned = self._owned.get((stage, partition))
        return list(self._skips(stage, partition) if owned is None else owned.skips)

    def commit(self, commit: Commit) -> None:
        """Write outputs, skips and the new offset in one transaction."""
        place = (commit.stage, commit.partition)
        owned = self._mine(*place)
        if owned.next_offset != commit.from_offset:
            self._refuse(place, owned.next_offset, commit.from_offset)
        messages = self._messages(commit.outputs)
        messages += skip_messages(self._settings.prefix, *place, commit.skips)
        old = owned.kept
        kept = msgspec.structs.replace(
            old,
            engine=commit.engine,
            since=commit.from_offset if old.engine not in {"", commit.engine} else old.since,
            stopped=commit.stopped,
            skipped=old.skipped + len(commit.skips),
            control=old.control + sum(skip.control for skip in commit.skips),
        )
        self._write(owned, place, messages, commit.next_offset, kept)
        skips = (*owned.skips, *commit.skips)
        self._owned[place] = _Owned(owned.writer, commit.next_offset, kept, skips)
        if commit.next_offset > commit.from_offset:
            self._local.forget_attempt(*place)
        ticks = (one.event.at for one in commit.outputs if isinstance(one.event, Tick))
        self._advance(ticks)

    def attempt(self, stage: str, partition: int, first: int, upto: int) -> int:
        """Note on this host's disk that records are about to be processed."""
        return self._local.attempt(stage, partition, first, upto)

    def last_attempt(self, stage: str, partition: int) -> Attempt | None:
        """Return the attempt that was begun on this host and not ended."""
        return self._local.last_attempt(stage, partition)

    def forget_attempt(self, stage: str, partition: int) -> None:
        """Remove the attempt."""
        self._local.forget_attempt(stage, partition)

    def save_snapshot(self, stage: str, partition: int, snapshot: Snapshot) -> None:
        """Keep a snapshot on disk and, for other hosts, in the cluster."""
        place = (stage, partition)
        owned = self._mine(*place)
        if owned.next_offset != snapshot.offset:
            self._refuse(place, owned.next_offset, snapshot.offset)
        older = tuple(one for one in owned.kept.snapshots if one.offset != snapshot.offset)
        slot = free_slot(older)
        left = next((one.chunks for one in older if one.slot == slot), 0)
        prefix = self._settings.prefix
        messages, count = chunks(prefix, stage, partition, slot, snapshot.body, left)
        with owned.writer.transaction() as writer:
            first = writer.write_noting(messages)
            pointer = Pointer(
                snapshot.offset, snapshot.engine, slot, first, count, checksum(snapshot.body)
            )
            kept = msgspec.structs.replace(owned.kept, snapshots=(pointer, *older)[:KEPT_SNAPSHOTS])
            self._move(writer, place, snapshot.offset, kept)
            self._abort("writing")
        self._owned[place] = owned._replace(kept=kept)
        self._local.save_snapshot(stage, partition, snapshot)

    def snapshots(self, stage: str, partition: int) -> Iterator[Snapshot]:
        """Yield the kept snapshots, newest first, from disk where they are whole."""
        pointers = {one.offset: one for one in self._standing(stage, partition)[1].snapshots}
        here = {one.offset: one for one in self._local.snapshots(stage, partition)}
        committed = self.committed(stage, partition)
        for offset in sorted({*pointers, *here}, reverse=True):
            found = here.get(offset)
            if offset > committed:
                continue  # of a log that was here before under the same name
            if (found is None or not found.intact) and offset in pointers:
                found = self._from_cluster(stage, partition, pointers[offset])
            if found is not None:
                yield found

    def close(self) -> None:
        """Let go of the cluster; twice is harmless."""
        with self._lock:
            for place in list(self._owned):
                self._let_go(*place)
            if self._appender is not None:
                self._appender.close()
                self._appender = None
            self.leave()
            if not self._closed:
                self._closed = True
                self._asker.close()

    # ------------------------------------------------------------------ inside

    def _reader(self) -> Reader:
        """Return the calling thread's own reader: a client belongs to one thread."""
        reader: Reader | None = getattr(self._readers, "one", None)
        if reader is None:
            reader = self._readers.one = Reader(self._settings, self._asker)
        return reader

    def _append(self, messages: Sequence[Message]) -> None:
        with self._lock:
            if self._appender is None:
                self._appender = self._writer(f"append-{uuid4().hex}")
            appender = self._appender
        with appender.transaction() as writer:
            writer.write(messages)
            self._abort("writing")

    def _writer(self, name: str) -> Transactions:
        return Transactions(self._settings, name, self._asker.expect)

    def _messages(self, records: Iterable[NewRecord]) -> list[Message]:
        now_ms = int(self._clock.now().timestamp() * 1000)
        return messages_of(records, self._shards, self._settings.prefix, now_ms)

    def _mine(self, stage: str, partition: int) -> _Owned:
        if (stage, partition) not in self._owned:
            self.acquire(stage, partition)
        return self._owned[stage, partition]

    def _let_go(self, stage: str, partition: int) -> None:
        owned = self._owned.pop((stage, partition), None)
        if owned is not None:
            owned.writer.close()

    def _standing(self, stage: str, partition: int) -> tuple[int, Kept]:
        owned = self._owned.get((stage, partition))
        if owned is None:
            return self._committed(stage, partition)
        return owned.next_offset, owned.kept

    def _committed(self, stage: str, partition: int) -> tuple[int, Kept]:
        found = self._asker.committed(INPUT_OF[stage], partition)
        if found.offset == OFFSET_INVALID:
            return 0, Kept(engine="")
        return found.offset, decoded(found.metadata, f"{stage} {partition}")

    def _refuse_loss(self, stage: str, partition: int, next_offset: int, kept: Kept) -> None:
        """Raise if the cluster has lost what a stage had done: it would all be said again."""
        hint = "see offsets.retention.minutes and the brokers' logs (docs/kafka.md)"
        end = self._asker.end(INPUT_OF[stage], partition)
        if next_offset > end:
            what = f"the input of {stage} {partition} ends at {end}, before what it had committed"
            raise RecoveryError(what, hint=hint)
        said = OUTPUT_OF[stage]
        if not kept.engine and self.read(said, partition, self._asker.begin(said, partition), 1):
            what = f"how far {stage} {partition} had come is forgotten, and {said} holds its words"
            raise RecoveryError(what, hint=hint)

    def _write(
        self,
        owned: _Owned,
        place: tuple[str, int],
        messages: Sequence[Message],
        next_offset: int,
        kept: Kept,
    ) -> None:
        with owned.writer.transaction() as writer:
            writer.write(messages)
            self._move(writer, place, next_offset, kept)
            self._abort("writing")

    def _move(
        self, writer: Transactions, place: tuple[str, int], next_offset: int, kept: Kept
    ) -> None:
        stage, partition = place
        topic = self._settings.prefix + INPUT_OF[stage]
        asked = TopicPartition(topic, partition, next_offset, encoded(kept))
        writer.move(asked, self._asker.group_metadata())

    def _refuse(self, place: tuple[str, int], committed: int, offset: int) -> None:
        stage, partition = place
        what = f"{stage} {partition} is committed up to {committed}, not {offset}"
        raise CommitConflictError(what, hint="two pumps work on one log; stop one of them")

    def _skips(self, stage: str, partition: int) -> list[Skip]:
        begin, end = self._asker.begin(SKIPS, 0), self._asker.end(SKIPS, 0)
        return skips_of(stage, partition, between(self._reader(), SKIPS, 0, begin, end))

    def _from_cluster(self, stage: str, partition: int, pointer: Pointer) -> Snapshot:
        place = snapshot_partition(stage, partition)
        begin = max(pointer.first, self._asker.begin(SNAPSHOTS, place))
        end = self._asker.end(SNAPSHOTS, place)
        return put_together(
            stage, partition, pointer, between(self._reader(), SNAPSHOTS, place, begin, end)
        )

    def _advance(self, ticks: Iterable[datetime]) -> None:
        if self._scenario is not None:
            for at in ticks:
                self._scenario.advance(at)
