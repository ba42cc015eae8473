"""Exposure: presence x zone versions along event time.

docs/semantics.md sections 3 to 5, from design 4.3. Pure: a track is a
function of the beliefs, the zone versions and now.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from geo.accuracy import probability_inside
from schemas.codelists import Basis, Precision, Tier
from schemas.place import Countries
from schemas.zone import ZoneChanged
from streams.core.people import FAR_FUTURE, Term
from streams.core.presence import Belief, Segment
from streams.core.thresholds import Thresholds

TIER_RANK: dict[Tier, int] = {
    Tier.CONFIRMED: 4,
    Tier.PROBABLE: 3,
    Tier.POSSIBLE: 2,
    Tier.COUNTRY_ONLY: 1,
    Tier.INBOUND: 0,
}

CITY_OR_BETTER = frozenset({Precision.POINT, Precision.ADDRESS, Precision.CITY})

Near = Mapping[str, float]
"""Signed distances (m, positive inside) of one point, by zone version key.

A key that is missing is farther than any radius in use.
"""

NOT_NEAR: Near = {}


class Version(NamedTuple):
    """A zone version with what matching needs ready."""

    key: str
    zone: ZoneChanged
    valid_from: datetime
    valid_to: datetime
    codes: frozenset[str]
    only_countries: bool
    touches: frozenset[str]


class Hit(NamedTuple):
    """The best match of one belief with the zones of one cause.

    ``onset_at`` is the earliest onset of all the zone versions that match.
    """

    tier: Tier
    version: Version
    belief: Belief
    p_inside: float | None
    bands: tuple[str, ...]
    onset_at: datetime


class Track(NamedTuple):
    """Exposure to one cause along event time, up to now.

    ``last`` is the last match; ``open_since`` the start of the run that holds
    now, None if none does; ``ends_at`` when a run that only dwells will end;
    ``last_at`` the last instant of exposure; ``onset_at`` the earliest onset of
    all the zone versions that ever matched.
    """

    first_at: datetime
    last: Hit
    last_at: datetime
    open_since: datetime | None
    ends_at: datetime
    onset_at: datetime


def version_of(zone: ZoneChanged) -> Version:
    """Return a zone version with what matching needs ready."""
    codes = frozenset(c for area in zone.areas if isinstance(area, Countries) for c in area.codes)
    return Version(
        key=f"{zone.zone_id}@{zone.version}",
        zone=zone,
        valid_from=zone.valid_from,
        valid_to=zone.valid_to or FAR_FUTURE,
        codes=codes,
        only_countries=all(isinstance(area, Countries) for area in zone.areas),
        touches=frozenset(zone.touches),
    )


def match(
    belief: Belief, version: Version, near: Near, limits: Thresholds
) -> tuple[Tier | None, float | None]:
    """Return tier and P(inside) of one belief in one zone version."""
    spot = belief.spot
    tier: Tier | None = None
    p_inside: float | None = None
    if spot.point is None:
        tier = Tier.COUNTRY_ONLY if spot.country in version.touches else None
    elif spot.precision is not Precision.POINT and spot.country in version.codes:
        p_inside = 1.0
        tier = Tier.PROBABLE if spot.precision in CITY_OR_BETTER else Tier.POSSIBLE
    elif spot.precision is Precision.POINT or not version.only_countries:
        signed_m = near.get(version.key)
        if signed_m is None:
            return None, 0.0
        if spot.precision is Precision.ADMIN1:
            tier = Tier.POSSIBLE if signed_m > -spot.radius_m else None
        else:
            p_inside = probability_inside(signed_m, spot.radius_m)
            tier = _tier_of(p_inside, belief.basis, limits)
    if version.zone.possible_only and tier in {Tier.CONFIRMED, Tier.PROBABLE}:
        tier = Tier.POSSIBLE
    return tier, p_inside


def _tier_of(p_inside: float, basis: Basis, limits: Thresholds) -> Tier | None:
    if p_inside >= limits.p_high:
        return Tier.CONFIRMED if basis is Basis.FRESH_FIX else Tier.PROBABLE
    if basis is Basis.FRESH_FIX and p_inside >= limits.p_even:
        return Tier.PROBABLE
    return Tier.POSSIBLE if p_inside >= limits.p_low else None


def best_match(
    belief: Belief, versions: Sequence[Version], near: Near, limits: Thresholds
) -> Hit | None:
    """Return the best tier over the zones, with the worst band giving it."""
    best: tuple[int, int, str] | None = None
    chosen: tuple[Tier, Version, float | None] | None = None
    matched: list[tuple[int, str]] = []
    onset_at = FAR_FUTURE
    for version in versions:
        tier, p_inside = match(belief, version, near, limits)
        if tier is None:
            continue
        zone = version.zone
        matched.append((-zone.rank, zone.band))
        onset_at = min(onset_at, zone.onset_at)
        order = (TIER_RANK[tier], zone.rank, zone.zone_id)
        if best is None or order > best:
            best, chosen = order, (tier, version, p_inside)
    if chosen is None:
        return None
    tier, version, p_inside = chosen
    bands = tuple(dict.fromkeys(band for _, band in sorted(matched)))
    return Hit(tier, version, belief, p_inside, bands, onset_at)


def is_clearly_out(belief: Belief | None, versions: Sequence[Version], near: Near) -> bool:
    """Tell whether a belief is beyond every boundary by more than its radius."""
    if belief is None or belief.spot.point is None:
        return True
    radius_m = belief.spot.radius_m
    return all(near.get(version.key, -math.inf) < -radius_m for version in versions)


def track(
    segments: Sequence[Segment],
    versions: Sequence[Version],
    near_of: Mapping[tuple[float, float], Near],
    now: datetime,
    limits: Thresholds,
) -> Track | None:
    """Return the exposure to one cause along event time, None if there is none.

    ``segments`` cover, without gaps, all instants up to ``now`` at which one of
    ``versions`` (at least one) is in force; ``near_of`` gives each point's signed distances.
    """
    turns = {v.valid_from for v in versions} | {v.valid_to for v in versions}
    start, end = min(v.valid_from for v in versions), max(v.valid_to for v in versions)
    edges = turns | {segment.start for segment in segments if start <= segment.start < end}
    instants = sorted(edge for edge in edges if edge <= now)
    first_at: datetime | None = None
    last: Hit | None = None
    last_at = since = now
    ends_at: datetime | None = None
    exposed = False
    position = 0
    in_force: list[Version] = []
    onset_at = FAR_FUTURE
    for i, t in enumerate(instants):
        # An interval holds its own start, so the one that begins at now counts.
        until = instants[i + 1] if i + 1 < len(instants) else FAR_FUTURE
        if t in turns:
            in_force = [v for v in versions if v.valid_from <= t < v.valid_to]
        while position < len(segments) and segments[position].end <= t:
            position += 1
        belief = segments[position].belief if position < len(segments) else None
        near = NOT_NEAR
        if belief is not None and belief.spot.point is not None:
            near = near_of.get(belief.spot.point, NOT_NEAR)
        hit = best_match(belief, in_force, near, limits) if belief and in_force else None
        if hit:
            if not exposed:
                exposed, since = True, t
            ends_at = None
            last = hit
            onset_at = min(onset_at, hit.onset_at)
            first_at = first_at or t
            last_at = until
        elif exposed:
            if not in_force or is_clearly_out(belief, in_force, near):
                exposed = False
                continue
            if ends_at is None:
                ends_at = t + limits.dwell
            last_at = min(until, ends_at)
            if ends_at <= until and ends_at <= now:
                exposed = False
    if first_at is None or last is None:
        return None
    return Track(
        first_at=first_at,
        last=last,
        last_at=min(last_at, now),
        open_since=since if exposed else None,
        ends_at=ends_at or FAR_FUTURE,
        onset_at=onset_at,
    )


def inbound_match(
    stays: Sequence[Term],
    versions: Sequence[Version],
    near_of: Mapping[tuple[float, float], Near],
    now: datetime,
    limits: Thresholds,
) -> Hit | None:
    """Return the match of the first stay beginning within 72 h, if any."""
    ahead_of = now + limits.inbound
    arriving = [t for t in stays if now < t.begin <= ahead_of and t.cover_from > now]
    for term in sorted(arriving, key=lambda term: (term.begin, term.key)):
        ahead = [v for v in versions if v.valid_from <= now < v.valid_to]
        ahead = [v for v in ahead if v.valid_to > term.cover_from]
        belief = Belief(Basis.STAY, term.spot, term.filed_at, term)
        near = near_of.get(term.spot.point, NOT_NEAR) if term.spot.point else NOT_NEAR
        hit = best_match(belief, ahead, near, limits)
        if hit:
            return hit._replace(tier=Tier.INBOUND)
    return None
