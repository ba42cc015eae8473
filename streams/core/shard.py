"""SHARD: presence x zones -> exposures -> ledger -> tallies, for one partition.

A pure function of its own partition. People arrive as facts, zones and
situations as copies from the desk, time as ticks. Each record changes facts or
zones; whoever it may concern is assessed again, and only the difference goes
out.
"""

import heapq
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Self

from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.exposure import Reached
from schemas.incident import SituationChanged
from schemas.operations import EngineChanged, FaultRaised, Tick
from schemas.person import (
    CheckedIn,
    ContactRecorded,
    FactsShared,
    LinkChanged,
    RegistrationFiled,
)
from schemas.zone import ZoneChanged
from streams.core import changes
from streams.core.assessment import Assessment, assess
from streams.core.counts import Counts
from streams.core.exposure import version_of
from streams.core.ground import Ground, event_spots, spots_of
from streams.core.people import (
    FAR_FUTURE,
    FAR_PAST,
    REPLACED,
    ConflictError,
    Facts,
    taken_in,
    with_event,
)
from streams.core.shard_export import export_rows
from streams.core.shard_state import (
    STATE_VERSION,
    Duplicate,
    Person,
    State,
    decode_state,
    encode_state,
    known_live,
    shared_out,
)
from streams.core.stage import ROOM_INPUT, Out, Outcome, Reject, StateVersionError, derive_id
from streams.core.thresholds import Thresholds
from streams.core.zonebook import Cause, ZoneBook


class Shard:
    """One partition's people; see the module's docstring and ``Stage``.

    ``skipped`` counts the control records that could not be processed: each
    stands behind every number this shard gives from then on. ``heard`` is when
    each kind of message that people file came in last, whatever became of it.
    """

    def __init__(self, shard: int, shards: int, limits: Thresholds | None = None) -> None:
        """Start shard ``shard`` of ``shards``, with nobody in it."""
        self.shard, self.shards = shard, shards
        self.limits = limits or Thresholds()
        self.now: datetime | None = None
        self.people: list[Person] = []
        self.index: dict[str, int] = {}
        self.book = ZoneBook()
        self.ground = Ground(self.limits)
        self.pending: set[int] = set()
        self.skipped = 0
        self.heard: dict[str, datetime] = {}
        self._due: list[tuple[datetime, str]] = []
        self.counts = Counts()
        self._out: list[Out] = []
        self._rejects: list[Reject] = []

    def apply(self, records: Sequence[Event]) -> Outcome:
        """Apply records in order; see ``Stage``."""
        self._out = []
        self._rejects = []
        self.ground.survey_check_ins(records)
        for record in records:
            try:
                self._apply_one(record)
            except ConflictError as error:
                self._rejects.append(Reject(record, str(error)))
        outcome = Outcome(self._out, self._rejects)
        self._out = []
        return outcome

    def _apply_one(self, record: Event) -> None:
        if isinstance(record, RegistrationFiled | CheckedIn | ContactRecorded | CommandIssued):
            self._learn(record)
        elif isinstance(record, Tick):
            self._tick(record)
        elif isinstance(record, ZoneChanged):
            self._zone(record)
        elif isinstance(record, SituationChanged):
            if self.book.put_situation(record):
                # The zones of the same change follow; nobody is assessed half-way.
                self.pending.update(i for i, p in enumerate(self.people) if p.overridden)
        elif isinstance(record, LinkChanged):
            self._link(record)
        elif isinstance(record, FactsShared):
            self._take_in(record)
        elif isinstance(record, EngineChanged):
            self._reassess(range(len(self.people)), record)
        elif isinstance(record, FaultRaised):
            self.skipped += 1
        else:
            msg = f"{type(record).__name__} does not belong in the input of a shard"
            raise TypeError(msg)

    def _person(self, person_id: str) -> int:
        i = self.index.get(person_id)
        if i is None:
            i = self.index[person_id] = len(self.people)
            self.people.append(Person(person_id, Facts(), {}, {}, [], (0, None), {}))
        return i

    def _learn(
        self, record: RegistrationFiled | CheckedIn | ContactRecorded | CommandIssued
    ) -> None:
        if record.person_id is None:
            msg = f"{type(record).__name__} without a person is not for a shard"
            raise TypeError(msg)
        if not isinstance(record, CommandIssued):
            name = type(record).__name__
            self.heard[name] = max(record.received_at, self.heard.get(name, FAR_PAST))
        i = self._person(record.person_id)
        person = self.people[i]
        learned = with_event(person.facts, record, self.limits)
        if learned is None:
            return
        facts = person.facts = learned.facts
        person.revision += 1
        if learned.replaced:
            self._rejects.append(Reject(record, REPLACED))
        self.ground.settle(i, event_spots(facts, record.event_id, self.limits))
        self._share(person, record)
        self._reassess((i,), record)

    def _zone(self, record: ZoneChanged) -> None:
        known = self.book.records.get(f"{record.zone_id}@{record.version}")
        affected: set[int] = set()
        if known is not None:
            affected |= self.ground.people_near(version_of(known))
        version = self.book.put(record)
        if version is not None:
            if record.void:
                self.ground.drop_zone(version.key)
            elif known is None or known.void or known.areas != record.areas:
                self.ground.put_zone(version)
            affected |= self.ground.people_near(version)
            self.pending |= affected
        if not record.more:
            self._flush(record)

    def _flush(self, record: Event) -> None:
        """Assess whoever waits for the end of a change."""
        pending, self.pending = sorted(self.pending), set()
        self._reassess(pending, record)

    def _link(self, record: LinkChanged) -> None:
        i = self._person(record.person_id)
        person = self.people[i]
        before, root = person.link
        if before >= record.seq:
            return
        if root is not None:
            self._out.append(shared_out(person, root, record, record.seq, self.shards, None))
        person.link = (record.seq, record.root_id if record.linked else None)
        self._share(person, record)
        self._reassess((i,), record)

    def _share(self, person: Person, trigger: Event) -> None:
        """Let the record that this one is a duplicate of know what this one knows."""
        seq, root = person.link
        if root is not None:
            self._out.append(shared_out(person, root, trigger, seq, self.shards, person.facts))

    def _take_in(self, record: FactsShared) -> None:
        i = self._person(record.person_id)
        person = self.people[i]
        known = person.duplicates.get(record.from_id)
        if known is not None and (known.seq, known.count) >= (record.seq, record.count):
            return
        facts = taken_in(record.body) if record.body else None
        person.duplicates[record.from_id] = Duplicate(record.seq, record.count, facts)
        if facts is not None:
            self.ground.settle(i, spots_of(facts, self.limits))
        self._reassess((i,), record)

    def _tick(self, record: Tick) -> None:
        if self.now is not None and record.at <= self.now:
            return
        if self.now is None:
            self.now = record.at
            self._reassess(range(len(self.people)), record)
        while self._due and self._due[0][0] <= record.at:
            due_at, person_id = heapq.heappop(self._due)
            i = self.index[person_id]
            if self.people[i].due_at == due_at:
                self.now = max(self.now, due_at)
                self._reassess((i,), record)
        self.now = record.at
        self._flush(record)
        self._report(record)

    def _causes(self, facts: Facts) -> list[Cause]:
        """Return the causes whose zones may concern any place of the facts."""
        book = self.book
        keys, countries = self.ground.reach_of(facts)
        ids = {book.cause_of(key) for key in keys}
        for country in countries & book.by_country.keys():
            ids |= book.by_country[country]
        return [book.causes[cause_id] for cause_id in sorted(ids) if cause_id in book.causes]

    def _reassess(self, who: Iterable[int], trigger: Event) -> None:
        """Assess people again and send out what changed."""
        if self.now is None:
            return
        for i in who:
            person = self.people[i]
            history = person.history
            causes = self._causes(history)
            if not (causes or person.exposures or person.entries):
                continue
            at = max(self.now, history.latest_at)
            new = assess(
                history,
                causes,
                self.book,
                self.ground.near,
                self.now,
                self.limits,
                linked=person.linked,
            )
            self._settle(person, new, at, trigger)

    def _settle(self, person: Person, new: Assessment, at: datetime, trigger: Event) -> None:
        """Send the difference to what was, count it, and keep the new state."""
        was_known, was = known_live(person.entries), person.exposures
        if new.exposures != person.exposures:
            self._out += changes.of_exposures(
                person.person_id, person.exposures, new, at, trigger, self.shard, self.book
            )
            self.counts.exposures(person.exposures, -1)
            self.counts.exposures(new.exposures, 1)
            person.exposures = new.exposures
        if new.entries != person.entries:
            left = self.book.left_by({cause: row.situation_id for cause, row in was.items()})
            self._out += changes.of_entries(
                person.person_id, person.entries, new.entries, at, trigger, self.shard, left
            )
            for situation_id in sorted(person.entries.keys() | new.entries.keys()):
                entry = new.entries.get(situation_id)
                self.counts.entry(person, situation_id, entry, regrouped=situation_id in left)
            person.entries = new.entries
            self.counts.distinct += known_live(new.entries) - was_known
        if new.due_at != person.due_at:
            person.due_at = new.due_at
            if new.due_at < FAR_FUTURE:
                heapq.heappush(self._due, (new.due_at, person.person_id))

    def _report(self, tick: Tick) -> None:
        """Send the tallies that changed, then that the tick is reached."""
        for about, tally in self.counts.said(self.shard, tick.at):
            self._out.append(Out(ROOM_INPUT, 0, about, tally))
        reached = Reached(
            event_id=derive_id("reached", self.shard, tick.at.isoformat()),
            source="shard",
            occurred_at=tick.at,
            received_at=tick.received_at,
            cause_ids=(tick.event_id,),
            shard=self.shard,
            shards=self.shards,
            tick_at=tick.at,
            zone_seq=self.book.seq,
            distinct_known=self.counts.distinct,
            people=len(self.people),
            skipped=self.skipped,
            heard=dict(sorted(self.heard.items())),
        )
        self._out.append(Out(ROOM_INPUT, 0, str(self.shard), reached))

    def snapshot(self) -> bytes:
        """Return the whole state; see ``Stage``."""
        return encode_state(
            State(
                version=STATE_VERSION,
                shard=self.shard,
                shards=self.shards,
                now=self.now,
                people=self.people,
                zones=list(self.book.records.values()),
                situations=list(self.book.situations.values()),
                pending=sorted(self.pending),
                dirty=self.counts.unsaid(),
                skipped=self.skipped,
                heard=dict(sorted(self.heard.items())),
            )
        )

    @classmethod
    def restore(cls, data: bytes, limits: Thresholds | None = None) -> Self:
        """Return the shard whose snapshot ``data`` is; see ``Stage``."""
        state = decode_state(data)
        if state.version != STATE_VERSION:
            raise StateVersionError(state.version, STATE_VERSION)
        shard = cls(state.shard, state.shards, limits)
        shard.now = state.now
        shard.people = state.people
        shard.index = {person.person_id: i for i, person in enumerate(state.people)}
        shard.pending = set(state.pending)
        shard.skipped, shard.heard = state.skipped, state.heard
        places: list[tuple[tuple[float, float], float]] = []
        for i, person in enumerate(state.people):
            places += shard.ground.own(i, spots_of(person.history, shard.limits))
        shard.ground.survey(places)
        for situation in state.situations:
            shard.book.put_situation(situation)
        for zone in state.zones:
            version = shard.book.put(zone)
            if version is not None and not zone.void:
                shard.ground.put_zone(version)
        for person in state.people:
            if person.entries or person.exposures or person.withdrawn:
                shard.counts.recount(person, shard.book)
            if person.due_at < FAR_FUTURE:
                heapq.heappush(shard._due, (person.due_at, person.person_id))
        shard.counts.leave_unsaid(state.dirty)
        return shard

    def export(self, kind: str) -> list[dict[str, object]]:
        """Return rows of persons, exposures or ledger, sorted by their keys."""
        return export_rows(kind, self.people, self.now, self.limits)
