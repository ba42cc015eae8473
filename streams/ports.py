"""The port between Rollcall and its log, and the words used about it.

A **log** holds **topics**; a topic has one partition, or one for each shard.
A partition is a sequence of **records** whose **offsets** grow, from 0 on, not
always by one (Kafka counts the marks of its transactions too); the offset is a
total order, and the next record will get the end or a later one. Records are
never changed.

A **stage** reads one partition of its input topic. Its **committed** offset is
the first one it has not yet dealt with; everything before has had its full
effect exactly once. A **commit** writes what came of some records (outputs,
dead letters, faults) and the new committed offset in one transaction: both
are there, or neither is.

A **snapshot** is a stage's state at one committed offset. A **skip** is a
record that was put aside, on purpose and visibly, without being applied. An
**attempt** is a note, written before some records are processed and removed by
their commit: a process that finds one knows where its predecessor died.

**Durable** means: survives a power cut. Whatever is committed survives the
death of the process; an append that promises something to the outside is
durable when it returns; a stage's commit may be undone by a power cut, as if
it had never happened, until the next durable write or ``sync``. That is
harmless inside the log (input is processed again, to the same end) and not
outside of it: whoever carries what he read out of the log calls ``sync``
first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec

from schemas.codec import BY_NAME, encode
from schemas.envelope import Event
from streams.clock import Clock, ClockSpec
from streams.core.stage import TO_ALL, Out
from streams.errors import InvalidRecordError
from streams.topology import Topic

MAX_RECORD_BYTES = 4 * 1024 * 1024
"""Largest body of a record, for every log (design 6: messages up to 4 MB)."""

READ_BYTES = 16 * 1024 * 1024
"""A read returns no more than about this, so that a batch fits in memory."""


class Record(NamedTuple):
    """One record as it stands in the log.

    ``key`` is what it is about; ``name`` and ``version`` are the type of the
    message in ``body`` (``schemas.codec.decode``). ``appended_ms`` is when the
    log got it: milliseconds since 1970 of the log's clock.
    """

    topic: str
    partition: int
    offset: int
    key: str
    name: str
    version: int
    body: bytes
    appended_ms: int

    @property
    def appended_at(self) -> datetime:
        """When the log got the record, aware UTC."""
        return datetime.fromtimestamp(self.appended_ms / 1000, UTC)


NewRecord = Out
"""What a log takes is what a stage emits: topic, partition or TO_ALL, key, event."""


class Receipt(StrEnum):
    """What intake did with an event.

    ``accepted``: new, in the log. ``duplicate``: the log already holds this id
    with this content; nothing was written. ``conflict``: the id is known with
    other content; in the log all the same, the stage resolves it (design 4.1).
    """

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class SkipKind(StrEnum):
    """Why a record was put aside."""

    UNDECODABLE = "undecodable"
    RAISED = "raised"
    KILLED = "killed"


class Skip(NamedTuple):
    """A record put aside; ``control`` if a shard without it counts wrongly."""

    offset: int
    kind: SkipKind
    control: bool
    at: datetime


class Progress(NamedTuple):
    """How far a stage has come in one partition.

    ``engine`` is the version that committed last, None before the first
    commit; ``engine_since`` the committed offset at which it took over: it
    has itself processed everything from there on. ``stopped`` says in words
    why the partition stands still, or is None. ``skipped`` counts all skips,
    ``skipped_control`` those of control records.
    """

    next_offset: int = 0
    engine: str | None = None
    engine_since: int = 0
    stopped: str | None = None
    skipped: int = 0
    skipped_control: int = 0


class Commit(NamedTuple):
    """What came of the records [``from_offset``, ``next_offset``).

    Equal offsets commit outputs alone. ``outputs`` are in order.
    """

    stage: str
    partition: int
    from_offset: int
    next_offset: int
    engine: str
    outputs: Sequence[NewRecord] = ()
    skips: Sequence[Skip] = ()
    stopped: str | None = None


class Attempt(NamedTuple):
    """Records [``first``, ``upto``) were begun ``times`` times, never ended."""

    first: int
    upto: int
    times: int


class Snapshot(NamedTuple):
    """A stage's state at a committed offset, as ``engine`` wrote it.

    ``intact`` is False if the body is not what was saved (checksum).
    """

    offset: int
    engine: str
    body: bytes
    intact: bool = True


class EventLog(Protocol):
    """A durable log of partitioned topics with the state of its readers.

    One process writes a log; in it, any thread may call any method. A method
    that fails has written nothing. Topics are those of ``streams.topology``:
    an unknown topic, a partition that the topic does not have, a body over
    ``MAX_RECORD_BYTES`` or an event that cannot be encoded raise
    ``InvalidRecordError``; a log that cannot do its work raises
    ``LogFailedError``.
    """

    @property
    def shards(self) -> int:
        """Number of partitions of the sharded topics; fixed at creation."""
        ...

    @property
    def clock_spec(self) -> ClockSpec:
        """Which clock the log runs on; fixed at creation."""
        ...

    @property
    def clock(self) -> Clock:
        """The running clock. A scenario's stands at the newest tick appended."""
        ...

    def last_tick_at(self) -> datetime | None:
        """Return the time of the newest ``Tick`` appended, None before any."""
        ...

    def append(self, records: Sequence[NewRecord], *, durable: bool = True) -> None:
        """Append records in order, all or none; no look for duplicates.

        For what is not an arrival from outside: ticks, and the retry of a
        dead letter. No records: nothing happens.
        """
        ...

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return records from ``offset`` on, in order, at most ``limit``.

        May return fewer than there are (``READ_BYTES``), but returns at least
        one if there is one. From the end on: an empty list, not an error.
        """
        ...

    def end(self, topic: str, partition: int) -> int:
        """Return an offset behind all records, which the next may get."""
        ...

    def sync(self) -> None:
        """Return once everything committed before is durable."""
        ...

    def progress(self, stage: str, partition: int) -> Progress:
        """Return how far a stage has come; all zero before its first commit."""
        ...

    def committed(self, stage: str, partition: int) -> int:
        """Return the first offset the stage has not yet dealt with."""
        ...

    def skips(self, stage: str, partition: int) -> list[Skip]:
        """Return what the stage put aside, by offset."""
        ...

    def commit(self, commit: Commit) -> None:
        """Write outputs, skips and the new offset in one transaction.

        Ends the attempt if it moves on. ``stopped`` replaces what stood there before. If the
        committed offset is not ``from_offset``, somebody else is at work on
        this partition: ``CommitConflictError``. Under another engine version
        than the last commit's, ``engine_since`` becomes ``from_offset``.
        """
        ...

    def attempt(self, stage: str, partition: int, first: int, upto: int) -> int:
        """Note that records [``first``, ``upto``) are about to be processed.

        Returns how many times exactly this was begun before without a commit
        or ``forget_attempt``. One attempt is kept for each partition: other
        offsets replace it and count from one.
        """
        ...

    def last_attempt(self, stage: str, partition: int) -> Attempt | None:
        """Return the attempt that was begun and not ended, if there is one."""
        ...

    def forget_attempt(self, stage: str, partition: int) -> None:
        """Remove the attempt: it ended without a commit but not by death."""
        ...

    def save_snapshot(self, stage: str, partition: int, snapshot: Snapshot) -> None:
        """Keep a snapshot, and of the older ones the newest.

        One at the same offset is replaced. An offset other than the committed
        one raises ``CommitConflictError``.
        """
        ...

    def snapshots(self, stage: str, partition: int) -> Iterator[Snapshot]:
        """Yield the kept snapshots, newest first, damaged ones marked."""
        ...

    def close(self) -> None:
        """Let go of the log; it is not used after that. Twice is harmless."""
        ...


class IntakeLog(EventLog, Protocol):
    """A log that also takes in what comes from outside, each event once.

    The embedded log is one. A cluster has public topics instead, and MERGE,
    which keeps nothing: there the stages see a repeated event and ignore it.
    """

    def intake(self, arrivals: Sequence[Sequence[NewRecord]]) -> list[Receipt]:
        """Append events from outside, each once, and say what became of each.

        An arrival is all the records that ONE event becomes (one topic or
        several). Durable when it returns; all in one transaction. The same id
        and content twice, in one call or over years, is accepted once; a
        different ``received_at`` does not make other content. An arrival of
        no records, or of two events, raises ``InvalidRecordError``.
        """
        ...

    def known(self, event_ids: Collection[str]) -> set[str]:
        """Return those of ``event_ids`` that intake has accepted before."""
        ...


def content_digest(event: Event) -> bytes:
    """Return a digest of what an event says, whenever it was received."""
    said = msgspec.structs.replace(event, received_at=event.occurred_at)
    return blake2b(type(event).__name__.encode() + encode(said), digest_size=16).digest()


def body_of(event: Event) -> bytes:
    """Return the body of a record; ``InvalidRecordError`` for what no log takes."""
    if BY_NAME.get(type(event).__name__) is not type(event):
        what = f"{type(event).__name__} is not a message"
        raise InvalidRecordError(what, hint="messages are listed in schemas.codec.MESSAGES")
    try:
        body = encode(event)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        what = f"{type(event).__name__} {event.event_id} cannot be encoded: {error}"
        raise InvalidRecordError(what, hint="whoever made this message has a bug") from error
    if len(body) > MAX_RECORD_BYTES:
        what = f"{type(event).__name__} {event.event_id} has {len(body)} bytes"
        raise InvalidRecordError(what, hint=f"a record holds at most {MAX_RECORD_BYTES}")
    return body


def partitions_of(topics: Mapping[str, Topic], topic: str, partition: int, shards: int) -> range:
    """Return the partitions that ``partition`` stands for: itself, or TO_ALL.

    ``topics`` are those of the log, by name; raises as ``check_place`` does.
    """
    if partition != TO_ALL:
        check_place(topics, topic, partition, shards)
        return range(partition, partition + 1)
    check_place(topics, topic, 0, shards)
    return range(shards if topics[topic].sharded else 1)


def check_place(topics: Mapping[str, Topic], topic: str, partition: int, shards: int) -> None:
    """Raise ``InvalidRecordError`` for a topic or a partition that there is not."""
    declared = topics.get(topic)
    if declared is None:
        what = f"there is no topic {topic!r}"
        raise InvalidRecordError(what, hint=f"one of {', '.join(sorted(topics))}")
    count = shards if declared.sharded else 1
    if not 0 <= partition < count:
        what = f"topic {topic} has no partition {partition}"
        raise InvalidRecordError(what, hint=f"0 to {count - 1}, or TO_ALL when writing")
