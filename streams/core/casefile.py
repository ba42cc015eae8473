"""The desk's case file: every report, advisory and command, and what they make.

Statements are a set keyed by ``event_id``; whatever is derived from them is
derived from the set. Unchanged incidents are kept, not computed again.
"""

from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from schemas.codelists import Hazard, MsgType, Revision, Status, Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.place import Area
from schemas.report import AdvisoryIssued, IncidentReported
from streams.core.incidents import (
    OFFICER,
    Chain,
    Incident,
    alias_of,
    chain_of,
    cluster,
    incident_of,
)
from streams.core.people import ConflictError, digest_of
from streams.core.situations import mainshocks, situation_id_of
from streams.core.stage import derive_id
from streams.core.thresholds import Thresholds

E = TypeVar("E", IncidentReported, AdvisoryIssued, CommandIssued)


class Placed(NamedTuple):
    """An incident with its place among the others."""

    incident: Incident
    situation_id: str | None
    mainshock_id: str | None


class CaseFile:
    """What was stated, and the incidents it makes."""

    def __init__(self, limits: Thresholds) -> None:
        """Start empty."""
        self._limits = limits
        self.reports: dict[str, IncidentReported] = {}
        self.advisories: dict[str, AdvisoryIssued] = {}
        self.commands: dict[str, CommandIssued] = {}
        self._parent: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._chains: dict[str, Chain] = {}
        self._made: dict[tuple[object, ...], tuple[tuple[Chain, ...], Incident]] = {}
        self._by_advisory: dict[str, list[str]] = {}
        self.replaced: list[Event] = []

    def add_report(self, report: IncidentReported) -> bool:
        """Take a report in; False if it adds nothing, ConflictError if refused."""
        displaced = len(self.replaced)
        if not self._keep(self.reports, report):
            return False
        if len(self.replaced) > displaced:
            # What the displaced content had joined comes apart again.
            self._parent, self._members, self._chains = {}, {}, {}
            for kept in self.reports.values():
                self._file(kept)
        else:
            self._file(report)
        return True

    def _file(self, report: IncidentReported) -> None:
        tokens = [
            f"{report.status}|{token}"
            for token in (report.event_id, report.chain_id, *report.same_as, *report.references)
        ]
        root = self._find(tokens[0])
        for token in tokens[1:]:
            root = self._join(root, self._find(token))
        members = self._members.setdefault(root, [])
        if report.event_id not in members:
            members.append(report.event_id)
        self._chains[root] = chain_of(self.reports[event_id] for event_id in members)

    def _keep(self, kept: dict[str, E], new: E) -> bool:
        """Keep ``new``; note it in ``replaced`` if its lower hash displaces another."""
        known = kept.get(new.event_id)
        if known is not None:
            if digest_of(known) == digest_of(new):
                return False
            if digest_of(known) < digest_of(new):
                msg = f"event_id {new.event_id} already stands for another content"
                raise ConflictError(msg)
            self.replaced.append(new)
        kept[new.event_id] = new
        return True

    def _find(self, token: str) -> str:
        parent = self._parent.setdefault(token, token)
        while parent != token:
            grand = self._parent[parent]
            self._parent[token] = grand
            token, parent = parent, grand
        return token

    def _join(self, one: str, other: str) -> str:
        if one == other:
            return one
        root, leaf = min(one, other), max(one, other)
        self._parent[leaf] = root
        moved = self._members.pop(leaf, [])
        self._chains.pop(leaf, None)
        if moved:
            self._members.setdefault(root, []).extend(moved)
        return root

    def add_advisory(self, advisory: AdvisoryIssued) -> bool:
        """Take an advisory in; as ``add_report``."""
        if advisory.status is not Status.ACTUAL:
            advisory = msgspec.structs.replace(
                advisory, advisory_id=exercise_id(advisory.advisory_id)
            )
        if not self._keep(self.advisories, advisory):
            return False
        ids = self._by_advisory.setdefault(advisory.advisory_id, [])
        if advisory.event_id not in ids:
            ids.append(advisory.event_id)
        return True

    def statements_of(self, advisory_id: str) -> list[AdvisoryIssued]:
        """Return all statements of one advisory."""
        return [self.advisories[event_id] for event_id in self._by_advisory[advisory_id]]

    def add_command(self, command: CommandIssued) -> bool:
        """Take a command in; one that declares an area also reports it."""
        if not self._keep(self.commands, command):
            return False
        if command.verb is Verb.DECLARE and command.areas:
            self.add_report(_declared(command))
        return True

    def placed(self) -> list[Placed]:
        """Return all incidents with their situations, by incident id."""
        drawn = self._drawn()
        incidents: list[Incident] = []
        made: dict[tuple[object, ...], tuple[tuple[Chain, ...], Incident]] = {}
        by_status: dict[Status, list[Chain]] = {}
        for chain in self._chains.values():
            by_status.setdefault(chain.latest.status, []).append(chain)
        for status in sorted(by_status):
            for group in cluster(by_status[status], self._limits):
                polygons = tuple(p for chain in group for p in drawn.get(chain.chain_id, ()))
                key = (*(id(chain) for chain in group), polygons)
                # The group stays with its incident, so that no id() is used again.
                known = self._made.get(key)
                incident = known[1] if known else incident_of(group, polygons)
                made[key] = (group, incident)
                incidents.append(incident)
        self._made = made
        grouped = {status: self._grouped(status) for status in by_status}
        with_area = [
            i for i in incidents if any(v.footprint and v.footprint.bands for v in i.versions)
        ]
        roots: dict[str, str] = {}
        for status in sorted(by_status):
            same = [i for i in with_area if i.report.status is status]
            roots |= mainshocks(same, self._limits)
        situated = {i.incident_id for i in with_area}
        placed = []
        for incident in sorted(incidents, key=lambda i: i.incident_id):
            root = roots.get(incident.incident_id)
            situation_id = None
            if incident.incident_id in situated:
                situation_id = self._situation(incident, root, grouped[incident.report.status])
            placed.append(Placed(incident, situation_id, root))
        return placed

    def _situation(self, incident: Incident, root: str | None, grouped: dict[str, str]) -> str:
        for alias in incident.aliases:
            if alias in grouped:
                return grouped[alias]
        if root is not None and root in grouped:
            return grouped[root]
        return situation_id_of(root or incident.incident_id)

    def _drawn(self) -> dict[str, list[tuple[datetime, str, tuple[Area, ...]]]]:
        """Return officers' polygons by chain id of the incident they are about."""
        wanted = [c for c in self.commands.values() if c.verb is Verb.POLYGON]
        if not wanted:
            return {}
        drawn: dict[str, list[tuple[datetime, str, tuple[Area, ...]]]] = {}
        for chain in self._chains.values():
            for command in sorted(wanted, key=lambda c: (c.occurred_at, c.event_id)):
                if command.incident_id == alias_of(chain) and command.status is chain.latest.status:
                    entry = (command.occurred_at, command.event_id, command.areas)
                    drawn.setdefault(chain.chain_id, []).append(entry)
        return drawn

    def _grouped(self, status: Status) -> dict[str, str]:
        """Return {incident alias: declared situation} as officers of a status grouped them."""
        grouped: dict[str, str] = {}
        for command in sorted(self.commands.values(), key=lambda c: (c.occurred_at, c.event_id)):
            if command.verb is Verb.DECLARE and command.status is status:
                situation_id = declared_id(command)
                for incident_id in command.incident_ids:
                    grouped[incident_id] = situation_id
                if command.areas:
                    own = derive_id("inc", _declared(command).chain_id, command.status.value)
                    grouped[own] = situation_id
        return grouped


DRILL = "exercise~"
LONG_ID = 180


def exercise_id(advisory_id: str) -> str:
    """Return the id that advice has in an exercise, apart from the live one."""
    if advisory_id.startswith(DRILL):
        return advisory_id
    return f"{DRILL}{advisory_id}" if len(advisory_id) < LONG_ID else derive_id(DRILL, advisory_id)


def declared_id(command: CommandIssued) -> str:
    """Return the id of the situation that a command declares."""
    return derive_id("sit", command.event_id)


def _declared(command: CommandIssued) -> IncidentReported:
    """Return the report that a declaration with an area of its own makes."""
    return IncidentReported(
        event_id=derive_id("declared", command.event_id),
        source=OFFICER,
        occurred_at=command.occurred_at,
        received_at=command.received_at,
        cause_ids=(command.event_id,),
        status=command.status,
        chain_id=derive_id(OFFICER, command.event_id),
        msg_type=MsgType.ALERT,
        hazard=command.hazard if command.hazard is not Hazard.EARTHQUAKE else Hazard.OTHER,
        title=command.title or "",
        onset_at=command.occurred_at,
        sent_at=command.occurred_at,
        revision=Revision.CORRECTS,
        areas=command.areas,
    )
