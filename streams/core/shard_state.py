"""What a shard keeps: each person's facts and what follows from them."""

from datetime import datetime

import msgspec

from schemas.codelists import Bucket, Status
from schemas.envelope import Event
from schemas.incident import SituationChanged
from schemas.person import FactsShared
from schemas.zone import ZoneChanged
from streams.core.assessment import Entry, ExposureRow
from streams.core.partition import partition_of
from streams.core.people import FAR_FUTURE, Facts, shared, together
from streams.core.stage import SHARD_INPUT, Out, derive_id
from streams.core.tallies import Cell

STATE_VERSION = 1


class Duplicate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a linked record has shared with its root; None once unlinked."""

    seq: int
    count: int
    facts: Facts | None


class Person(msgspec.Struct, array_like=True, gc=False):
    """One person of this shard: facts, and the state derived from them."""

    person_id: str
    facts: Facts
    exposures: dict[str, ExposureRow]
    entries: dict[str, Entry]
    withdrawn: list[str]
    link: tuple[int, str | None]
    duplicates: dict[str, Duplicate]
    revision: int = 0
    due_at: datetime = FAR_FUTURE

    @property
    def linked(self) -> bool:
        """Tell whether this record is a duplicate of another one."""
        return self.link[1] is not None

    @property
    def overridden(self) -> bool:
        """Tell whether an officer has ever put this person in a bucket."""
        return any(s.bucket is not None for s in self.history.statements)

    @property
    def history(self) -> Facts:
        """Return the facts of this record and of those linked to it."""
        if not self.duplicates:
            return self.facts
        others = (self.duplicates[from_id].facts for from_id in sorted(self.duplicates))
        return together(self.facts, (facts for facts in others if facts is not None))


class State(msgspec.Struct, array_like=True):
    """A shard's snapshot; geometry, heap and tallies are rebuilt from it.

    A field that came later stands at the end with a default, so that what an
    older engine has left can be taken over; so it is with what this holds.
    """

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
    heard: dict[str, datetime] = msgspec.field(default_factory=dict)


encode_state = msgspec.msgpack.Encoder().encode
decode_state = msgspec.msgpack.Decoder(State).decode


def shared_out(
    person: Person, root: str, trigger: Event, seq: int, shards: int, facts: Facts | None
) -> Out:
    """Return what a linked record tells its root; ``facts`` None: no more."""
    said = FactsShared(
        event_id=derive_id("shared", person.person_id, root, trigger.event_id, seq),
        source="shard",
        occurred_at=trigger.occurred_at,
        received_at=trigger.received_at,
        cause_ids=(trigger.event_id,),
        person_id=root,
        from_id=person.person_id,
        seq=seq,
        count=person.revision,
        body="" if facts is None else shared(facts, person.person_id),
    )
    return Out(SHARD_INPUT, partition_of(root, shards), root, said)


def known_live(entries: dict[str, Entry]) -> bool:
    """Tell whether a person is known in any live situation."""
    return any(
        e.status is Status.ACTUAL and e.bucket is not Bucket.DUPLICATE for e in entries.values()
    )


def cell_of(entry: Entry) -> Cell:
    """Return the cell of a tally that a line of the ledger counts in."""
    return entry.bucket, entry.tier, entry.by, entry.post, entry.area
