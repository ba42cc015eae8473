"""Incidents: which reports speak of one happening, and what holds now.

Pure functions of the set of reports (docs/semantics.md sections 3 and 7):
ids, versions and members derive from content, never from arrival. The
life-cycle table ``LIFE`` is data; its diagram is drawn from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from geo.footprints import Footprint, footprint_of
from geo.geodesy import distance_m
from schemas.codelists import Hazard, MsgType, Revision
from schemas.envelope import YEAR_MAX
from schemas.place import Area
from schemas.report import IncidentReported
from streams.core.stage import derive_id
from streams.core.thresholds import Thresholds

PREFERENCE = ("officer", "usgs", "emsc", "gfz", "afad", "gdacs")
"""Whose word makes the headline, first to last; the others follow by name."""

OFFICER = "officer"
"""Source of what the crisis centre itself states; it wins over every feed."""

LIFE: dict[str, tuple[str, ...]] = {
    "reported": ("active", "cancelled"),
    "active": ("ended", "cancelled"),
    "ended": ("active", "cancelled"),
    "cancelled": ("active",),
}
"""state: where it may go. reported: area unknown; active: a zone is in force;
ended: it has expired or its source says so; cancelled: every source took it
back. A later statement may always revive it."""


class Chain(NamedTuple):
    """One source's versions of one happening, in (sent_at, event_id) order."""

    chain_id: str
    source: str
    statements: tuple[IncidentReported, ...]

    @property
    def latest(self) -> IncidentReported:
        """Return the statement that counts."""
        return self.statements[-1]

    @property
    def spoke_at(self) -> tuple[datetime, str]:
        """Return the order in which chains spoke first."""
        return self.statements[0].sent_at, self.chain_id

    @property
    def cancelled(self) -> bool:
        """Tell whether the source took it back as a whole."""
        return self.latest.msg_type is MsgType.CANCEL


class FootprintVersion(NamedTuple):
    """What held from ``sent_at`` on, by the headline of that instant.

    ``footprint`` None: area unknown, or (``gone``) taken back.
    ``confirmed_at`` is when the source last said the same.
    """

    sent_at: datetime
    report: IncidentReported
    footprint: Footprint | None
    gone: bool
    confirmed_at: datetime
    manual: bool = False


class Incident(NamedTuple):
    """One happening: its chains and the versions of its footprint.

    ``aliases`` are the incident ids that each of the chains would have alone;
    the first, of the chain that spoke first, is its own.
    """

    incident_id: str
    chains: tuple[Chain, ...]
    headline: Chain
    versions: tuple[FootprintVersion, ...]
    aliases: tuple[str, ...]

    @property
    def report(self) -> IncidentReported:
        """Return the statement that makes the headline."""
        return self.headline.latest

    @property
    def cancelled(self) -> bool:
        """Tell whether every source took it back."""
        return all(chain.cancelled for chain in self.chains)

    @property
    def area_known(self) -> bool:
        """Tell whether an area is drawn, or was until it was taken back."""
        last = self.versions[-1]
        return last.footprint is not None or (
            last.gone and any(version.footprint for version in self.versions)
        )

    @property
    def expires_at(self) -> datetime | None:
        """Return when the last footprint ends by itself, None if unknown."""
        last = self.versions[-1]
        if last.gone:
            return last.sent_at
        return expiry_of(last)


def source_rank(source: str) -> tuple[int, str]:
    """Return where a source stands in the order of preference."""
    known = PREFERENCE.index(source) if source in PREFERENCE else len(PREFERENCE)
    return known, source


def chain_of(statements: Iterable[IncidentReported]) -> Chain:
    """Return the chain that statements of one happening by one source make."""
    ordered = sorted(statements, key=lambda s: (s.sent_at, s.event_id))
    chain_id = min(s.chain_id for s in ordered)
    return Chain(chain_id, ordered[-1].source, tuple(_completed(ordered)))


def _completed(ordered: Sequence[IncidentReported]) -> Iterator[IncidentReported]:
    """Yield statements with what they leave out, and partial cancels undone.

    Null never overwrites: position, magnitude, depth and areas left out are
    those of the statement before. A Cancel that draws only part of the areas
    in force ends that part (CAP 1.2); to drop the rest with it would un-warn
    people, so it reads as an Update to what is left.
    """
    before: IncidentReported | None = None
    for statement in ordered:
        said = statement
        if before is not None:
            if said.msg_type is MsgType.CANCEL and said.areas:
                left = tuple(area for area in before.areas if area not in said.areas)
                if left:
                    said = msgspec.structs.replace(said, msg_type=MsgType.UPDATE, areas=left)
            kept: dict[str, Any] = {
                field: getattr(before, field)
                for field in ("position", "magnitude", "depth_m", "areas")
                if not getattr(said, field) and getattr(said, field) != 0
            }
            if kept:
                said = msgspec.structs.replace(said, **kept)
        before = said
        yield said


def same_quake(first: Chain, other: Chain, limits: Thresholds) -> bool:
    """Tell whether two agencies' chains are one earthquake (a simple gate)."""
    a, b = first.latest, other.latest
    if a.position is None or b.position is None:
        return False
    if abs(a.onset_at - b.onset_at) > limits.quake_gate:
        return False
    # Magnitudes are given to 0.1; the margin keeps 7.4 and 8.2 within 0.8.
    gate = limits.quake_gate_magnitude + 1e-9
    if (
        a.magnitude is not None
        and b.magnitude is not None
        and abs(a.magnitude - b.magnitude) > gate
    ):
        return False
    apart_m = distance_m(
        a.position.lon_deg, a.position.lat_deg, b.position.lon_deg, b.position.lat_deg
    )
    return apart_m <= limits.quake_gate_m


def cluster(chains: Iterable[Chain], limits: Thresholds) -> list[tuple[Chain, ...]]:
    """Return chains grouped by happening, whatever order they come in.

    Each chain, by (onset, chain id), joins the first group whose first member
    passes the gate and which has no chain of its source yet.
    """
    groups: list[list[Chain]] = []
    recent: list[list[Chain]] = []
    for chain in sorted(chains, key=lambda c: (c.latest.onset_at, c.chain_id)):
        if chain.latest.hazard is not Hazard.EARTHQUAKE:
            groups.append([chain])
            continue
        onset_at = chain.latest.onset_at
        recent = [g for g in recent if onset_at - g[0].latest.onset_at <= limits.quake_gate]
        for group in recent:
            if all(c.source != chain.source for c in group) and same_quake(group[0], chain, limits):
                group.append(chain)
                break
        else:
            group = [chain]
            recent.append(group)
            groups.append(group)
    return [tuple(group) for group in groups]


def incident_of(
    chains: Sequence[Chain],
    drawn: Sequence[tuple[datetime, str, tuple[Area, ...]]],
) -> Incident:
    """Return the incident that chains make; ``drawn`` are officers' polygons.

    ``drawn``: (occurred_at, command id, areas), which win over every model.
    """
    chains = tuple(sorted(chains, key=lambda c: c.spoke_at))
    standing = [c for c in chains if not c.cancelled] or list(chains)
    headline = min(standing, key=lambda c: (source_rank(c.source), c.chain_id))
    return Incident(
        incident_id=alias_of(chains[0]),
        chains=chains,
        headline=headline,
        versions=tuple(_versions(chains, drawn)),
        aliases=tuple(alias_of(chain) for chain in chains),
    )


def alias_of(chain: Chain) -> str:
    """Return the incident id that a chain has if it spoke first."""
    return derive_id("inc", chain.chain_id, chain.latest.status.value)


def _versions(
    chains: Sequence[Chain], drawn: Sequence[tuple[datetime, str, tuple[Area, ...]]]
) -> list[FootprintVersion]:
    """Sweep all statements by (sent_at, id); a changed headline is a version."""
    steps: list[tuple[datetime, str, Chain | None, IncidentReported | tuple[Area, ...]]] = [
        (s.sent_at, s.event_id, chain, s) for chain in chains for s in chain.statements
    ]
    steps += [(at, event_id, None, areas) for at, event_id, areas in drawn]
    steps.sort(key=lambda step: step[:2])
    said: dict[str, tuple[Chain, IncidentReported]] = {}
    polygon: tuple[Area, ...] = ()
    versions: list[FootprintVersion] = []
    key: object = ()
    for n, (at, _, chain, what) in enumerate(steps, start=1):
        if chain is None:
            polygon = what if isinstance(what, tuple) else polygon
        elif isinstance(what, IncidentReported):
            said[chain.chain_id] = (chain, what)
        if not said or (n < len(steps) and steps[n][0] == at):
            # Of what is said at one instant, only the outcome was ever in force.
            continue
        standing = [cs for cs in said.values() if cs[1].msg_type is not MsgType.CANCEL]
        gone = not standing
        _, report = min(
            standing or list(said.values()),
            key=lambda cs: (source_rank(cs[0].source), cs[0].chain_id),
        )
        if polygon:
            report = msgspec.structs.replace(report, areas=polygon, revision=Revision.CORRECTS)
        new_key = None if gone else _drawn_from(report)
        if new_key == key:
            versions[-1] = versions[-1]._replace(confirmed_at=report.sent_at)
            continue
        key = new_key
        footprint = None if gone else footprint_of(report)
        versions.append(
            FootprintVersion(at, report, footprint, gone, report.sent_at, manual=bool(polygon))
        )
    return versions


def _drawn_from(report: IncidentReported) -> tuple[object, ...]:
    """Return what a footprint is drawn from; unchanged, it is no new version."""
    return (
        report.hazard,
        report.areas,
        report.magnitude,
        report.position,
        report.depth_m,
        report.onset_at,
        report.expires_at,
    )


def expiry_of(version: FootprintVersion) -> datetime | None:
    """Return when a footprint ends by itself: as reported, else by its model.

    What corrects holds from its onset on, what evolves from the last time its
    source said so. What an officer declared or drew ends when an officer
    says so.
    """
    report, footprint = version.report, version.footprint
    if report.source == OFFICER or version.manual:
        return None
    if report.expires_at is not None:
        return report.expires_at
    if footprint is None:
        return None
    begun_at = report.onset_at
    if report.revision is Revision.EVOLVES:
        begun_at = max(begun_at, version.confirmed_at)
    ends_at = begun_at + timedelta(seconds=footprint.valid_s)
    return ends_at if ends_at.year <= YEAR_MAX else None


def life_of(incident: Incident, now: datetime | None) -> str:
    """Return the state of the life-cycle table an incident is in at ``now``."""
    if incident.cancelled:
        return "cancelled"
    if incident.versions[-1].footprint is None:
        return "reported"
    expires_at = incident.expires_at
    if now is not None and expires_at is not None and expires_at <= now:
        return "ended"
    return "active"
