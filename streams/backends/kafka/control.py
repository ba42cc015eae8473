"""What a cluster's log was created with: its clock and its number of shards.

One record of the compacted topic ``control``, written once by `rollcall topics
create`. Whoever works on the log reads it first.
"""

from typing import Literal

import msgspec

from streams.backends.kafka.asker import Asker
from streams.backends.kafka.reader import Reader
from streams.clock import ClockSpec
from streams.errors import (
    ClockMismatchError,
    FormatMismatchError,
    NotFoundError,
    ShardsMismatchError,
)
from streams.sections import KafkaSettings
from streams.topology import CONTROL

FORMAT = 1
KEY = b"log"


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a log was created; nothing of it ever changes."""

    shards: int
    clock: ClockSpec
    format: Literal[1] = 1


class _Format(msgspec.Struct):
    """As much of a control record as every format has."""

    format: int


def encode(control: Control) -> bytes:
    """Return the value of the control record."""
    return msgspec.json.encode(control)


def decode(value: bytes) -> Control:
    """Return what a control record says; ``FormatMismatchError`` for another format."""
    hint = "use the version of Rollcall that made these topics, or another kafka.prefix"
    try:
        found = msgspec.json.decode(value, type=_Format).format
        if found == FORMAT:
            return msgspec.json.decode(value, type=Control)
    except msgspec.MsgspecError as error:
        what = f"the record in the topic control cannot be read: {error}"
        raise FormatMismatchError(what, hint=hint) from error
    what = f"the topics have format {found}; this program reads format {FORMAT}"
    raise FormatMismatchError(what, hint=hint)


def refuse_other(found: Control, shards: int | None, clock: ClockSpec | None) -> None:
    """Raise if a log is wanted otherwise than it was created; None takes what is there."""
    if shards is not None and shards != found.shards:
        what = f"the log in this cluster has {found.shards} shards, not {shards}"
        hint = "leave the number out, or use another kafka.prefix: it is fixed at creation"
        raise ShardsMismatchError(what, hint=hint)
    if clock is not None and clock != found.clock:
        what = f"the log in this cluster runs on the clock {found.clock}, not {clock}"
        hint = "use another kafka.prefix: a log keeps the clock it was created with"
        raise ClockMismatchError(what, hint=hint)


def control_of(asker: Asker, reader: Reader, settings: KafkaSettings) -> Control:
    """Return what the log was made with; ``NotFoundError`` where there is none."""
    found: bytes | None = None
    if asker.partitions(CONTROL):
        offset, end = asker.begin(CONTROL, 0), asker.end(CONTROL, 0)
        while offset < end and (records := reader.read(CONTROL, 0, offset, 100)):
            offset = records[-1].offset + 1
            found = next((r.body for r in reversed(records) if r.key == KEY.decode()), found)
    if found is None:
        what = f"there are no topics {settings.prefix}* on {settings.bootstrap}"
        raise NotFoundError(what, hint="make them: rollcall --kafka HOST:PORT topics create")
    return decode(found)
