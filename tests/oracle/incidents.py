"""Chains, incidents, their versions and situations: semantics.md 3 and 7."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.oracle.footprints import LASTS, bands_of
from tests.oracle.places import Area
from tests.oracle.shapes import distance_m
from tests.oracle.times import DAY, SECOND, Fact, instant

PREFERRED = ("usgs", "emsc", "gfz", "afad", "gdacs")
SAME_WITHIN, SAME_WITHIN_M, SAME_WITHIN_MAGNITUDE = 60 * SECOND, 100_000.0, 0.8
AFTERSHOCKS, AFTERSHOCKS_AT_LEAST_M = 30 * DAY, 50_000.0


class Version(NamedTuple):
    """One version of one zone: a band, its area, and when it is in force."""

    zone: str
    number: int
    areas: tuple[Area, ...]
    valid_from: int
    valid_to: int
    corrected: bool
    possible_only: bool
    rank: int
    onset: int

    def in_force(self, t: int) -> bool:
        return self.valid_from <= t < self.valid_to


Chain = list[Fact]
"""One source's statements about one happening, oldest first."""


@dataclass
class Incident:
    """One happening, joined from the chains of several sources."""

    chains: list[Chain]
    versions: list[Version]
    situation: str | None = None

    @property
    def key(self) -> str:
        """The chain that spoke first, from which the incident's id derives."""
        return chain_key(min(self.chains, key=lambda c: (instant(c[0]["sent_at"]), chain_key(c))))

    @property
    def members(self) -> frozenset[str]:
        """The chain ids of its members."""
        return frozenset(chain_key(chain) for chain in self.chains)

    @property
    def headline(self) -> Fact:
        """The latest statement of the preferred source that has not taken it back."""
        return headline_of(self.chains)

    @property
    def onset(self) -> int:
        """The onset as the headline has it."""
        return instant(self.headline["onset_at"])

    @property
    def zone_onset(self) -> int:
        """The onset of the latest version that has a zone, for the ledger."""
        return max(self.versions, key=lambda v: v.number).onset


def chain_key(chain: Chain) -> str:
    """Return the smallest id a chain is known by."""
    return min(str(report["chain_id"]) for report in chain)


def preference(chain: Chain) -> tuple[int, str, str]:
    """Return the place of a chain in the order of preference."""
    source = chain[0]["source"]
    rank = PREFERRED.index(source) if source in PREFERRED else len(PREFERRED)
    return rank, source, chain_key(chain)


def chains_of(reports: Iterable[Fact]) -> list[Chain]:
    """Join reports that share an id, or of which one refers to the other."""
    chains: list[tuple[set[str], Chain]] = []
    for report in reports:
        ids = {report["event_id"], report["chain_id"]}
        ids.update(report.get("same_as", ()), report.get("references", ()))
        joined = [chain for chain in chains if chain[0] & ids]
        chains = [chain for chain in chains if not chain[0] & ids]
        chains.append(
            (ids.union(*(c[0] for c in joined)), [report, *(r for c in joined for r in c[1])])
        )
    return [
        completed(sorted(chain, key=lambda r: (instant(r["sent_at"]), r["event_id"])))
        for _, chain in chains
    ]


INHERITED = ("position", "magnitude", "depth_m", "areas")


def completed(chain: Chain) -> Chain:
    """Give every statement what it leaves out and the one before it says.

    A Cancel of some of the areas in force is an Update with those left.
    """
    said: Chain = []
    for report in chain:
        before = said[-1] if said else {}
        left = [area for area in before.get("areas", ()) if area not in report.get("areas", ())]
        full = {**report}
        if report["msg_type"] == "Cancel" and report.get("areas") and left:
            full |= {"msg_type": "Update", "areas": left}
        for name in INHERITED:
            if full.get(name) in (None, [], ()) and before.get(name) is not None:
                full[name] = before[name]
        said.append(full)
    return said


def same_happening(first: Fact, other: Fact) -> bool:
    """Return whether two sources speak of one earthquake."""
    if first["source"] == other["source"]:
        return False
    here, there = first.get("position"), other.get("position")
    if not here or not there:
        return False
    away_m = distance_m(here["lon_deg"], here["lat_deg"], there["lon_deg"], there["lat_deg"])
    one, two = first.get("magnitude"), other.get("magnitude")
    return (
        abs(instant(first["onset_at"]) - instant(other["onset_at"])) <= SAME_WITHIN
        and away_m <= SAME_WITHIN_M
        and (one is None or two is None or abs(one - two) <= SAME_WITHIN_MAGNITUDE + 1e-9)
    )


def groups_of(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Group the chains that are one incident; the first of each is its measure."""
    groups: list[list[Chain]] = []
    for chain in sorted(chains, key=lambda c: (instant(c[-1]["onset_at"]), chain_key(c))):
        for group in groups:
            sources = {member[-1]["source"] for member in group}
            if (
                chain[-1]["hazard"] == group[0][-1]["hazard"] == "earthquake"
                and chain[-1]["source"] not in sources
                and same_happening(group[0][-1], chain[-1])
            ):
                group.append(chain)
                break
        else:
            groups.append([chain])
    return groups


def headline_of(chains: Sequence[Chain]) -> Fact:
    """Return the latest statement of the preferred chain that is not cancelled.

    Where all are cancelled, that of the preferred one.
    """
    standing = [chain for chain in chains if chain[-1]["msg_type"] != "Cancel"]
    return min(standing or chains, key=preference)[-1]


def headlines(chains: Sequence[Chain]) -> Iterator[tuple[int, Fact]]:
    """Yield (since, statement) for every instant at which somebody speaks."""
    for spoken in sorted({instant(report["sent_at"]) for chain in chains for report in chain}):
        heard = [
            [report for report in chain if instant(report["sent_at"]) <= spoken] for chain in chains
        ]
        yield spoken, headline_of([chain for chain in heard if chain])


CONTENT = ("magnitude", "position", "depth_m", "areas", "hazard", "onset_at", "expires_at")


def content(report: Fact) -> object:
    """Return what makes a new version when it changes."""
    if report["msg_type"] == "Cancel":
        return "cancelled"
    return [report.get(name) for name in CONTENT]


def ends(report: Fact, confirmed: int) -> int:
    """Return when the footprint of a report expires.

    What evolves holds on from ``confirmed``, when its source last said so.
    """
    if report.get("expires_at"):
        return instant(report["expires_at"])
    begun = instant(report["onset_at"])
    if report["revision"] == "evolves":
        begun = max(begun, confirmed)
    return begun + LASTS[report["hazard"]]


def versions_of(chains: Sequence[Chain]) -> list[Version]:
    """Return every zone version that the statements of an incident ever made."""
    spoken: list[tuple[int, Fact]] = []
    confirmed: list[int] = []
    for since, report in headlines(chains):
        if not spoken or content(spoken[-1][1]) != content(report):
            spoken.append((since, report))
            confirmed.append(0)
        confirmed[-1] = instant(report["sent_at"])
    versions: list[Version] = []
    for index, (since, report) in enumerate(spoken):
        if report["msg_type"] == "Cancel":
            continue
        onset, end = instant(report["onset_at"]), ends(report, confirmed[index])
        from_onset = index == 0 or report["revision"] == "corrects"
        begin = onset if from_onset else max(onset, since)
        corrected = False
        if index + 1 < len(spoken):
            following, newer = spoken[index + 1]
            corrected = newer["revision"] == "corrects"
            end = min(end, following)
        versions += [
            Version(
                zone=band.name,
                number=index + 1,
                areas=band.areas,
                valid_from=begin,
                valid_to=max(begin, end),
                corrected=corrected,
                possible_only=band.possible_only,
                rank=band.rank,
                onset=onset,
            )
            for band in bands_of(report)
        ]
    return versions


def aftershock_reach_m(magnitude: float) -> float:
    """Return 2 x the subsurface rupture length of Wells & Coppersmith (1994), table 2A."""
    length_m = 1_000.0 * math.pow(10.0, -2.44 + 0.59 * magnitude)
    return max(AFTERSHOCKS_AT_LEAST_M, 2.0 * length_m)


def in_window_of(main: Incident, after: Incident) -> bool:
    """Return whether an earthquake lies in another's aftershock window."""
    first, then = main.headline, after.headline
    here, there = first.get("position"), then.get("position")
    if not here or not there or first.get("magnitude") is None:
        return False
    if not 0 < after.onset - main.onset <= AFTERSHOCKS:
        return False
    away_m = distance_m(here["lon_deg"], here["lat_deg"], there["lon_deg"], there["lat_deg"])
    return away_m <= aftershock_reach_m(first["magnitude"])


def incidents_of(facts: Iterable[Fact]) -> list[Incident]:
    """Return all incidents, oldest first, each with its versions and situation."""
    reports = [fact for fact in facts if fact["type"] == "IncidentReported"]
    incidents = [Incident(group, versions_of(group)) for group in groups_of(chains_of(reports))]
    incidents.sort(key=lambda incident: (incident.onset, incident.key))
    for index, incident in enumerate(incidents):
        if not incident.versions:
            continue
        incident.situation = incident.key
        if incident.headline["hazard"] != "earthquake":
            continue
        for main in incidents[:index]:
            shaken = main.versions and main.headline["hazard"] == "earthquake"
            if shaken and in_window_of(main, incident):
                incident.situation = main.situation
                break
    return incidents


__all__ = ["Incident", "Version", "incidents_of"]
