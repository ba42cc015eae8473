"""What a cluster keeps beside a stage's committed offset: a few words of metadata.

The offset and the words move in one transaction with what the stage said, so
they tell the same story. Snapshots themselves are too large for that: their
chunks stand in a compacted topic, and the words say where.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec

from streams.backends.kafka.wire import Message
from streams.errors import RecoveryError
from streams.ports import Progress, Record, Skip, SkipKind, Snapshot
from streams.topology import SKIPS, SNAPSHOTS

MAX_STOPPED_CHARS = 1_000
"""Most of a reason that is kept; brokers take 4,096 bytes in all by default."""

CHUNK_BYTES = 900_000
"""A chunk of a snapshot: below every broker's default for one message."""

KEPT_SNAPSHOTS = 2
"""A damaged newest snapshot falls back to the one before."""


class Pointer(msgspec.Struct, frozen=True, array_like=True):
    """Where a snapshot stands in the topic ``snapshots``, and what it is.

    ``slot`` is part of its chunks' keys: what is written there next replaces
    it. ``first`` is the offset from which on its ``chunks`` chunks are found.
    """

    offset: int
    engine: str
    slot: int
    first: int
    chunks: int
    digest: str


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words beside a committed offset."""

    engine: str
    since: int = 0
    stopped: str | None = None
    skipped: int = 0
    control: int = 0
    snapshots: tuple[Pointer, ...] = ()

    def progress(self, next_offset: int) -> Progress:
        """Return it as the port says it."""
        return Progress(
            next_offset, self.engine, self.since, self.stopped, self.skipped, self.control
        )


def encoded(kept: Kept) -> str:
    """Return the words as they stand beside the offset."""
    stopped = kept.stopped and kept.stopped[:MAX_STOPPED_CHARS]
    return msgspec.json.encode(msgspec.structs.replace(kept, stopped=stopped)).decode()


def decoded(words: str | None, place: str) -> Kept:
    """Return the words of an offset; ``RecoveryError`` for what is none of ours."""
    try:
        return msgspec.json.decode(words or "", type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"the committed offset of {place} was not written by Rollcall: {error}"
        raise RecoveryError(what, hint="nobody else may commit for its group") from error


def checksum(body: bytes) -> str:
    """Return what tells whether a snapshot is as it was written."""
    return blake2b(body, digest_size=16).hexdigest()


def free_slot(pointers: tuple[Pointer, ...]) -> int:
    """Return the slot to write the next snapshot to: not that of the newest."""
    taken = {one.slot for one in pointers[: KEPT_SNAPSHOTS - 1]}
    return min(slot for slot in range(KEPT_SNAPSHOTS) if slot not in taken)


def chunks(
    prefix: str, stage: str, partition: int, slot: int, body: bytes, left: int
) -> tuple[list[Message], int]:
    """Return what to write for a snapshot, and how many chunks it has.

    ``left`` chunks of an older one stand in that slot: what a smaller one does
    not replace is deleted, or it would stay for ever.
    """
    cut = range(0, max(len(body), 1), CHUNK_BYTES)
    bodies = [body[at : at + CHUNK_BYTES] for at in cut]
    gone: list[bytes | None] = [None] * max(0, left - len(bodies))
    head, place = _slot_key(stage, partition, slot), snapshot_partition(stage, partition)
    messages = [
        Message(prefix + SNAPSHOTS, place, f"{head}{number}".encode(), chunk, [])
        for number, chunk in enumerate([*bodies, *gone])
    ]
    return messages, len(bodies)


def put_together(
    stage: str, partition: int, pointer: Pointer, records: Iterable[Record]
) -> Snapshot:
    """Return a snapshot from its chunks, marked if it is not whole."""
    head = _slot_key(stage, partition, pointer.slot)
    found: dict[int, bytes] = {}
    for record in records:
        if record.key.startswith(head):
            found.setdefault(int(record.key.removeprefix(head)), record.body)
        if len(found) >= pointer.chunks:
            break
    body = b"".join(found.get(number, b"") for number in range(pointer.chunks))
    intact = checksum(body) == pointer.digest
    return Snapshot(pointer.offset, pointer.engine, body, intact=intact)


def snapshot_partition(stage: str, partition: int) -> int:
    """Return the partition of ``snapshots`` that holds those of a stage."""
    return partition if stage == "shard" else 0


def _slot_key(stage: str, partition: int, slot: int) -> str:
    return f"{stage}/{partition}/{slot}/"


class _SkipSaid(msgspec.Struct, frozen=True):
    kind: SkipKind
    control: bool
    at: datetime


def skip_messages(prefix: str, stage: str, partition: int, skips: Sequence[Skip]) -> list[Message]:
    """Return what to write for records that were put aside."""
    return [
        Message(
            prefix + SKIPS,
            0,
            f"{stage}/{partition}/{skip.offset}".encode(),
            msgspec.json.encode(_SkipSaid(skip.kind, skip.control, skip.at)),
            [],
        )
        for skip in skips
    ]


def skips_of(stage: str, partition: int, records: Iterable[Record]) -> list[Skip]:
    """Return what a stage put aside, by offset, from the records of ``skips``."""
    head = f"{stage}/{partition}/"
    found: dict[int, Skip] = {}
    for record in records:
        if record.key.startswith(head):
            offset = int(record.key.removeprefix(head))
            said = msgspec.json.decode(record.body, type=_SkipSaid)
            found[offset] = Skip(offset, said.kind, said.control, said.at)
    return [found[offset] for offset in sorted(found)]
