"""What the desk sends out and exports, made from what it knows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from geo.footprints.earthquake import ASSUMED_DEPTH_M
from schemas.codelists import Hazard, Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.incident import AdvisoryChanged, IncidentChanged, Member, SituationChanged
from schemas.person import LinkChanged
from schemas.report import IncidentReported
from schemas.zone import ZoneChanged
from streams.core.casefile import Placed, declared_id
from streams.core.incidents import life_of
from streams.core.links import pair_id
from streams.core.situations import situation_id_of
from streams.core.stage import derive_id

Row = dict[str, object]


def incident_changed(placed: Placed, now: datetime | None, trigger: Event) -> IncidentChanged:
    """Return an incident as it now stands."""
    incident = placed.incident
    report = incident.report
    depth_m = report.depth_m
    assumed = depth_m is None and report.hazard is Hazard.EARTHQUAKE
    members = tuple(
        Member(
            chain_id=chain.chain_id,
            source=chain.source,
            event_id=chain.latest.event_id,
            sent_at=chain.latest.sent_at,
            ended=chain.cancelled,
            magnitude=chain.latest.magnitude,
            position=chain.latest.position,
            native_level=chain.latest.native_level,
        )
        for chain in incident.chains
    )
    return IncidentChanged(
        event_id=derive_id("incident", incident.incident_id, trigger.event_id),
        source="desk",
        occurred_at=report.onset_at,
        received_at=trigger.received_at,
        cause_ids=(trigger.event_id,),
        status=report.status,
        incident_id=incident.incident_id,
        hazard=report.hazard,
        title=report.title,
        onset_at=report.onset_at,
        version=len(incident.versions),
        life=life_of(incident, now),
        headline_source=incident.headline.source,
        members=members,
        situation_id=placed.situation_id,
        mainshock_id=placed.mainshock_id,
        magnitude=report.magnitude,
        depth_m=ASSUMED_DEPTH_M if assumed else depth_m,
        depth_assumed=assumed,
        position=report.position,
        severity=report.severity,
        native_level=report.native_level,
        area_known=incident.area_known,
        expires_at=incident.expires_at,
    )


def situations_of(
    placed: Iterable[Placed], commands: Iterable[CommandIssued], trigger: Event
) -> dict[str, SituationChanged]:
    """Return every situation that incidents open or officers declared.

    A situation bears the title of its strongest earthquake, else of its first
    incident. Closing closes what had begun by then: an incident that joins later opens
    the situation again.
    """
    members: dict[str, list[Placed]] = {}
    for place in placed:
        if place.situation_id is not None:
            members.setdefault(place.situation_id, []).append(place)
    ordered = sorted(commands, key=lambda c: (c.occurred_at, c.event_id))
    declared = {declared_id(c): c for c in ordered if c.verb is Verb.DECLARE}
    closings = [c for c in ordered if c.verb is Verb.CLOSE]
    wanted: dict[str, SituationChanged] = {}
    for situation_id in sorted(members.keys() | declared.keys()):
        of = sorted(
            members.get(situation_id, []),
            key=lambda p: (p.incident.report.onset_at, p.incident.incident_id),
        )
        command = declared.get(situation_id)
        if command is not None:
            title, hazard, onset_at = command.title or "", command.hazard, command.occurred_at
            status = command.status
        else:
            first = of[0].incident.report
            worst = max((place.incident.report for place in of), key=_magnitude)
            title, hazard, onset_at = worst.title, first.hazard, first.onset_at
            status = first.status
        ids = {alias for place in of for alias in place.incident.aliases}
        aliases = ids | {situation_id_of(incident_id) for incident_id in ids}
        aliases |= {name for name, c in declared.items() if ids & set(c.incident_ids)}
        begun_at = max((place.incident.report.onset_at for place in of), default=onset_at)
        closed = any(
            c.status is status
            and c.occurred_at >= begun_at
            and c.situation_id in aliases | {situation_id}
            for c in closings
        )
        wanted[situation_id] = SituationChanged(
            event_id="unset",
            source="desk",
            occurred_at=onset_at,
            received_at=trigger.received_at,
            cause_ids=(trigger.event_id,),
            status=status,
            situation_id=situation_id,
            title=title,
            hazard=hazard,
            onset_at=onset_at,
            incident_ids=tuple(place.incident.incident_id for place in of),
            seq=0,
            aliases=tuple(sorted(aliases - {situation_id})),
            declared_by=command.by if command else None,
            reason=command.reason if command else None,
            closed=closed,
            expires_at=_last_end(of),
        )
    return wanted


def _last_end(of: Sequence[Placed]) -> datetime | None:
    ends = [place.incident.expires_at for place in of]
    known = [at for at in ends if at is not None]
    return max(known) if known and len(known) == len(ends) else None


def _magnitude(report: IncidentReported) -> float:
    return report.magnitude if report.magnitude is not None else -math.inf


def link_changed(
    person_id: str, root_id: str, command: CommandIssued, trigger: Event, seq: int
) -> LinkChanged:
    """Return the record that links one person; its id is that of the pair linked."""
    return LinkChanged(
        event_id=derive_id("linked", person_id, root_id, trigger.event_id),
        source="desk",
        occurred_at=command.occurred_at,
        received_at=trigger.received_at,
        cause_ids=(command.event_id,),
        status=command.status,
        link_id=pair_id(command.person_id or person_id, command.other_id or root_id),
        seq=seq,
        person_id=person_id,
        root_id=root_id,
        linked=True,
        by=command.by,
        reason=command.reason,
    )


ARRIVAL = frozenset(
    {"event_id", "source", "received_at", "occurred_at", "cause_ids", "seq", "more"}
)
"""Fields of a record that depend on arrival, or say nothing; not in exports."""


def export_rows(
    kind: str,
    incidents: Mapping[str, IncidentChanged],
    zones: Mapping[str, ZoneChanged],
    advice: Mapping[str, AdvisoryChanged],
    situations: Mapping[str, SituationChanged],
) -> list[Row]:
    """Return rows of a state export of the desk, sorted by their keys."""
    if kind == "incidents":
        return [_row(incidents[key]) for key in sorted(incidents)]
    if kind == "zones":
        held = (zone for zone in zones.values() if not zone.void)
        return [_row(zone) for zone in sorted(held, key=lambda z: (z.zone_id, z.version))]
    if kind == "advisories":
        rows = [_row(advice[key]) for key in sorted(advice)]
        for row in rows:
            row.pop("change", None)
        return rows
    if kind == "situations":
        return [_row(situations[key]) for key in sorted(situations) if not situations[key].void]
    msg = f"the desk has no export {kind!r}"
    raise KeyError(msg)


def _row(event: Event) -> Row:
    row: Row = msgspec.to_builtins(msgspec.structs.asdict(event))
    return {key: value for key, value in row.items() if key not in ARRIVAL}
