"""What a shard keeps: each person's facts and what follows from them."""

from datetime import datetime

import msgspec

from schemas.codelists import Status
from schemas.incident import SituationChanged
from schemas.zone import ZoneChanged
from streams.core.assessment import Entry, ExposureRow
from streams.core.people import FAR_FUTURE, Facts

STATE_VERSION = 1


class Person(msgspec.Struct, array_like=True, gc=False):
    """One person of this shard: facts, and the state derived from them."""

    person_id: str
    facts: Facts
    exposures: dict[str, ExposureRow]
    entries: dict[str, Entry]
    withdrawn: list[str]
    link: tuple[int, str | None]
    due_at: datetime = FAR_FUTURE

    @property
    def linked(self) -> bool:
        """Tell whether this record is a duplicate of another one."""
        return self.link[1] is not None


class State(msgspec.Struct, array_like=True):
    """A shard's snapshot; geometry, heap and tallies are rebuilt from it."""

    version: int
    shard: int
    shards: int
    now: datetime | None
    people: list[Person]
    zones: list[ZoneChanged]
    situations: list[SituationChanged]
    pending: list[int]
    dirty: list[tuple[str, Status, bool]]
    skipped: int


encode_state = msgspec.msgpack.Encoder().encode
decode_state = msgspec.msgpack.Decoder(State).decode
