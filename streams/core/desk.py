"""DESK: reports, advice and commands -> incidents, situations, zones, links.

One partition. After each record the case file says what now holds; the desk
sends out what differs from what it last said: to everybody who reads
(desk-output), as a copy into every shard, and to the room. Ticks go through
here, so that in each shard a tick stands behind the zones of its instant.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

import msgspec

from schemas.codelists import Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.incident import AdvisoryChanged, IncidentChanged, SituationChanged
from schemas.operations import EngineChanged, Tick
from schemas.person import LinkChanged
from schemas.report import AdvisoryIssued, IncidentReported
from schemas.zone import ZoneChanged
from streams.core import desk_records
from streams.core.advisories import advisory_changed, versions_of
from streams.core.casefile import CaseFile, Placed
from streams.core.incidents import life_of
from streams.core.links import roots_of
from streams.core.partition import partition_of
from streams.core.people import REPLACED, ConflictError
from streams.core.stage import (
    DESK_OUTPUT,
    ROOM_INPUT,
    SHARD_INPUT,
    TO_ALL,
    Out,
    Outcome,
    Reject,
    StateVersionError,
    derive_id,
)
from streams.core.thresholds import Thresholds
from streams.core.zones import content_of, finished, zones_of_advisory, zones_of_incident

STATE_VERSION = 1

LONGEST_STEP = timedelta(minutes=10)
"""A tick farther ahead than this must be marked ``resume`` (design 3)."""


class State(msgspec.Struct, array_like=True):
    """The desk's snapshot: what was stated, and what was last said."""

    version: int
    shards: int
    now: datetime | None
    seq: int
    reports: list[IncidentReported]
    advisories: list[AdvisoryIssued]
    commands: list[CommandIssued]
    zones: list[ZoneChanged]
    incidents: list[IncidentChanged]
    situations: list[SituationChanged]
    advice: list[AdvisoryChanged]
    links: list[LinkChanged]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


class Desk:
    """The desk; see the module's docstring and ``Stage``."""

    def __init__(self, shards: int, limits: Thresholds | None = None) -> None:
        """Start with nothing stated; ``shards`` is the number of partitions."""
        self.shards = shards
        self.limits = limits or Thresholds()
        self.now: datetime | None = None
        self.seq = 0
        self.file = CaseFile(self.limits)
        self.zones: dict[str, ZoneChanged] = {}
        self.incidents: dict[str, IncidentChanged] = {}
        self.situations: dict[str, SituationChanged] = {}
        self.advice: dict[str, AdvisoryChanged] = {}
        self.links: dict[str, LinkChanged] = {}
        self._drafts: dict[str, tuple[Placed, list[ZoneChanged]]] = {}
        self._out: list[Out] = []

    def apply(self, records: Sequence[Event]) -> Outcome:
        """Apply records in order; see ``Stage``."""
        self._out = []
        rejects: list[Reject] = []
        for record in records:
            try:
                self._apply_one(record)
            except ConflictError as error:
                rejects.append(Reject(record, str(error)))
            rejects += [Reject(event, REPLACED) for event in self.file.replaced]
            self.file.replaced.clear()
        outcome = Outcome(self._out, rejects)
        self._out = []
        return outcome

    def _apply_one(self, record: Event) -> None:
        if isinstance(record, Tick):
            self._tick(record)
        elif isinstance(record, IncidentReported):
            if self.file.add_report(record):
                self._refresh(record)
        elif isinstance(record, AdvisoryIssued):
            if self.file.add_advisory(record):
                self._advise(self.file.advisories[record.event_id].advisory_id, record)
        elif isinstance(record, CommandIssued):
            if self.file.add_command(record):
                if record.verb in {Verb.LINK, Verb.UNLINK}:
                    self._link(record)
                else:
                    self._refresh(record)
        elif isinstance(record, EngineChanged):
            self._drafts.clear()
            self._refresh(record)
            for advisory_id in sorted({a.advisory_id for a in self.file.advisories.values()}):
                self._advise(advisory_id, record)
            self._out.append(Out(SHARD_INPUT, TO_ALL, record.event_id, record))
        else:
            msg = f"{type(record).__name__} does not belong in the input of the desk"
            raise TypeError(msg)

    def _tick(self, tick: Tick) -> None:
        if self.now is not None:
            if tick.at <= self.now:
                return
            if tick.at - self.now > LONGEST_STEP and not tick.resume:
                msg = f"the clock jumps from {self.now} to {tick.at}; mark it resume"
                raise ConflictError(msg)
        self.now = tick.at
        for incident_id, (placed, _) in self._drafts.items():
            if life_of(placed.incident, self.now) != self.incidents[incident_id].life:
                self._say_incident(placed, tick)
        self._out.append(Out(SHARD_INPUT, TO_ALL, tick.event_id, tick))

    def _refresh(self, trigger: Event) -> None:
        """Say what differs now from what was said about incidents and zones."""
        placed = {p.incident.incident_id: p for p in self.file.placed()}
        self._say_situations(placed, trigger)
        changed: list[ZoneChanged] = []
        voided: list[ZoneChanged] = []
        for incident_id, place in placed.items():
            known = self._drafts.get(incident_id)
            if known is not None and known[0] == place:
                continue
            drafts = list(zones_of_incident(place.incident, place.situation_id))
            was = known[1] if known else self._standing(incident_id)
            self._drafts[incident_id] = (place, drafts)
            gone, new = _difference(was, drafts)
            changed += new
            voided += gone
            self._say_incident(place, trigger)
        for incident_id in self._drafts.keys() - placed.keys():
            voided += self._drafts.pop(incident_id)[1]
            self._void_incident(incident_id, trigger)
        self._say_zones(changed, voided, trigger)

    def _advise(self, advisory_id: str, trigger: Event) -> None:
        statements = self.file.statements_of(advisory_id)
        level = self.limits.advice_zone_level
        drafts = list(zones_of_advisory(versions_of(statements), level))
        gone, new = _difference(self._standing(advisory_id), drafts)
        self._say_zones(new, gone, trigger)
        said = advisory_changed(statements, level, trigger.event_id)
        known = self.advice.get(advisory_id)
        if known is None or _says(known) != _says(said):
            if known is not None and known.version == said.version:
                said = msgspec.structs.replace(said, change="editorial")
            self.advice[advisory_id] = said
            self._out.append(Out(DESK_OUTPUT, 0, advisory_id, said))
            self._out.append(Out(ROOM_INPUT, 0, advisory_id, said))

    def _standing(self, cause_id: str) -> list[ZoneChanged]:
        return [z for z in self.zones.values() if z.cause_id == cause_id and not z.void]

    def _say_zones(
        self, changed: list[ZoneChanged], voided: list[ZoneChanged], trigger: Event
    ) -> None:
        batch = [(zone, False) for zone in changed] + [(zone, True) for zone in voided]
        for n, (zone, void) in enumerate(batch):
            self.seq += 1
            event_id = derive_id("zone", zone.zone_id, zone.version, trigger.event_id, self.seq)
            more = n + 1 < len(batch)
            record = finished(zone, self.seq, event_id, more=more, void=void)
            self.zones[f"{zone.zone_id}@{zone.version}"] = record
            self._out.append(Out(SHARD_INPUT, TO_ALL, zone.zone_id, record))
            self._out.append(Out(DESK_OUTPUT, 0, zone.zone_id, record))

    def _say_incident(self, placed: Placed, trigger: Event) -> None:
        said = desk_records.incident_changed(placed, self.now, trigger)
        known = self.incidents.get(said.incident_id)
        if known is None or _says(known) != _says(said):
            self.incidents[said.incident_id] = said
            self._out.append(Out(DESK_OUTPUT, 0, said.incident_id, said))

    def _void_incident(self, incident_id: str, trigger: Event) -> None:
        event_id = derive_id("incident", incident_id, trigger.event_id, "void")
        known = self.incidents.pop(incident_id)
        said = msgspec.structs.replace(known, event_id=event_id, void=True)
        self._out.append(Out(DESK_OUTPUT, 0, incident_id, said))

    def _say_situations(self, placed: dict[str, Placed], trigger: Event) -> None:
        wanted = desk_records.situations_of(placed.values(), self.file.commands.values(), trigger)
        for situation_id, known in sorted(self.situations.items()):
            if situation_id not in wanted and not known.void:
                wanted[situation_id] = msgspec.structs.replace(known, void=True)
        for situation_id, situation in sorted(wanted.items()):
            before = self.situations.get(situation_id)
            if before is not None and _says(before) == _says(situation):
                continue
            self.seq += 1
            event_id = derive_id("situation", situation_id, trigger.event_id)
            said = msgspec.structs.replace(situation, seq=self.seq, event_id=event_id)
            self.situations[situation_id] = said
            self._out.append(Out(SHARD_INPUT, TO_ALL, situation_id, said))
            self._out.append(Out(ROOM_INPUT, 0, situation_id, said))
            self._out.append(Out(DESK_OUTPUT, 0, situation_id, said))

    def _link(self, trigger: CommandIssued) -> None:
        roots = roots_of(self.file.commands.values())
        for person_id in sorted(roots.keys() | self.links.keys()):
            root, command = roots.get(person_id, (person_id, trigger))
            known = self.links.get(person_id)
            linked = person_id in roots
            if (known.linked, known.root_id) == (linked, root) if known else not linked:
                continue
            self.seq += 1
            said = desk_records.link_changed(person_id, root, command, trigger, self.seq)
            if not linked and known:
                said = msgspec.structs.replace(said, linked=False, link_id=known.link_id)
            self.links[person_id] = said
            partition = partition_of(person_id, self.shards)
            self._out.append(Out(SHARD_INPUT, partition, person_id, said))
            self._out.append(Out(DESK_OUTPUT, 0, person_id, said))

    def snapshot(self) -> bytes:
        """Return the whole state; see ``Stage``."""
        return _encoder.encode(
            State(
                version=STATE_VERSION,
                shards=self.shards,
                now=self.now,
                seq=self.seq,
                reports=list(self.file.reports.values()),
                advisories=list(self.file.advisories.values()),
                commands=list(self.file.commands.values()),
                zones=list(self.zones.values()),
                incidents=list(self.incidents.values()),
                situations=list(self.situations.values()),
                advice=list(self.advice.values()),
                links=list(self.links.values()),
            )
        )

    @classmethod
    def restore(cls, data: bytes, limits: Thresholds | None = None) -> Self:
        """Return the desk whose snapshot ``data`` is; see ``Stage``."""
        state = _decoder.decode(data)
        if state.version != STATE_VERSION:
            raise StateVersionError(state.version, STATE_VERSION)
        desk = cls(state.shards, limits)
        desk.now, desk.seq = state.now, state.seq
        for report in state.reports:
            desk.file.add_report(report)
        for advisory in state.advisories:
            desk.file.add_advisory(advisory)
        for command in state.commands:
            desk.file.add_command(command)
        desk.zones = {f"{z.zone_id}@{z.version}": z for z in state.zones}
        desk.incidents = {i.incident_id: i for i in state.incidents}
        desk.situations = {s.situation_id: s for s in state.situations}
        desk.advice = {a.advisory_id: a for a in state.advice}
        desk.links = {link.person_id: link for link in state.links}
        for place in desk.file.placed():
            drafts = list(zones_of_incident(place.incident, place.situation_id))
            desk._drafts[place.incident.incident_id] = (place, drafts)
        return desk

    def export(self, kind: str) -> list[dict[str, object]]:
        """Return rows of incidents, zones, advisories or situations, sorted."""
        return desk_records.export_rows(
            kind, self.incidents, self.zones, self.advice, self.situations
        )


def _difference(
    was: Sequence[ZoneChanged], now: Sequence[ZoneChanged]
) -> tuple[list[ZoneChanged], list[ZoneChanged]]:
    """Return the versions that are gone, and those that are new or different."""
    before = {(z.zone_id, z.version): content_of(z) for z in was}
    after = {(z.zone_id, z.version): z for z in now}
    gone = [before[key] for key in sorted(before.keys() - after.keys())]
    new = [zone for key, zone in after.items() if before.get(key) != content_of(zone)]
    return gone, new


def _says(event: Event) -> Event:
    """Return an event reduced to what it says, for telling a change."""
    plain: dict[str, object] = {
        "event_id": "unset",
        "cause_ids": (),
        "received_at": event.occurred_at,
    }
    if isinstance(event, SituationChanged):
        plain["seq"] = 0
    if isinstance(event, AdvisoryChanged):
        plain["change"] = ""
    return msgspec.structs.replace(event, **plain)
