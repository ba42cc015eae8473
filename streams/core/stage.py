"""The contract of a stage: a state machine without I/O.

A stage reads no clock, no file, no random and writes no log. What it emits is
a function of the records alone, not of how they were batched:
events(a + b) = events(a) + events(b). Ids of what it emits derive from their
causes. Time reaches it as ``Tick`` records; before the first tick nothing is
evaluated.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

from schemas.envelope import Event

DESK_INPUT, SHARD_INPUT, ROOM_INPUT = "desk-input", "shard-input", "room-input"
DESK_OUTPUT, SHARD_OUTPUT, ROOM_OUTPUT = "desk-output", "shard-output", "room-output"

TO_ALL = -1
"""Partition of an output that goes, as a copy, into every partition."""


class Out(NamedTuple):
    """One event for one topic, and the partition it goes to.

    ``key`` is what the record is about (person, zone, situation). For a
    one-partition topic the partition is 0.
    """

    topic: str
    partition: int
    key: str
    event: Event


class Reject(NamedTuple):
    """A record the stage refuses as bad input, with the reason in words."""

    event: Event
    reason: str


class Outcome(NamedTuple):
    """What one ``apply`` gives: outputs in order, and refused records."""

    events: list[Out]
    rejects: list[Reject]


class Stage(Protocol):
    """A pure stage; see the module's docstring."""

    def apply(self, records: Sequence[Event]) -> Outcome:
        """Apply records in order; changes only the stage's own state."""
        ...

    def snapshot(self) -> bytes:
        """Return the whole state, readable by ``restore``."""
        ...

    @classmethod
    def restore(cls, data: bytes) -> Self:
        """Return the stage whose snapshot ``data`` is."""
        ...

    def export(self, kind: str) -> list[dict[str, object]]:
        """Return the rows of a state export, sorted, rounded, canonical."""
        ...


class StateVersionError(ValueError):
    """A snapshot is of another shape than this code reads."""

    def __init__(self, found: int, expected: int) -> None:
        """Say which shape was found, and which one is read."""
        super().__init__(f"snapshot of state version {found}; this code reads {expected}")


def derive_id(kind: str, *parts: object) -> str:
    """Return an id that is a function of its parts: kind plus 80 bits of hash."""
    text = "\x1f".join(str(part) for part in parts)
    return f"{kind}-{hashlib.blake2b(text.encode(), digest_size=10).hexdigest()}"
