"""What a cluster's log was made with, in the compacted topic ``control``."""

from typing import Literal

import msgspec

from streams.backends.kafka.asker import Asker
from streams.backends.kafka.reader import Reader
from streams.clock import ClockSpec
from streams.errors import FormatMismatchError, NotFoundError
from streams.sections import KafkaSettings
from streams.topology import CONTROL

KEY = "log"


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed when the topics are made: the clock, and the number of shards.

    ``format`` is that of records and offsets in the topics, raised with every
    change of them.
    """

    format: Literal[1] = 1
    clock: ClockSpec
    shards: int


def control_of(asker: Asker, reader: Reader, settings: KafkaSettings) -> Control:
    """Return what the log was made with; ``NotFoundError`` where there is none."""
    found: bytes | None = None
    if asker.partitions(CONTROL):
        offset, end = asker.begin(CONTROL, 0), asker.end(CONTROL, 0)
        while offset < end and (records := reader.read(CONTROL, 0, offset, 100)):
            offset = records[-1].offset + 1
            found = next((r.body for r in reversed(records) if r.key == KEY), found)
    if found is None:
        what = f"there are no topics {settings.prefix}* on {settings.bootstrap}"
        hint = "make them: rollcall --kafka HOST:PORT topics create"
        raise NotFoundError(what, hint=hint)
    try:
        return msgspec.json.decode(found, type=Control)
    except msgspec.DecodeError as error:
        what = f"the log on {settings.bootstrap} is of another format: {error}"
        hint = "use the program version that made it, or another kafka.prefix"
        raise FormatMismatchError(what, hint=hint) from error
