"""What a cluster keeps beside a stage's committed offset: a few words of metadata.

The offset and the words move in one transaction with what the stage said, so
they tell the same story. Snapshots themselves are too large for that: their
chunks stand in a compacted topic, and the words say where.
"""

from hashlib import blake2b

import msgspec

from streams.errors import RecoveryError
from streams.ports import Progress

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


def chunks_of(body: bytes) -> list[bytes]:
    """Return a snapshot in chunks, at least one."""
    return [body[at : at + CHUNK_BYTES] for at in range(0, max(len(body), 1), CHUNK_BYTES)]


def free_slot(pointers: tuple[Pointer, ...]) -> int:
    """Return the slot to write the next snapshot to: not that of the newest."""
    taken = {one.slot for one in pointers[: KEPT_SNAPSHOTS - 1]}
    return min(slot for slot in range(KEPT_SNAPSHOTS) if slot not in taken)
