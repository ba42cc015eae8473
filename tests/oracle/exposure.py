"""Who is exposed to what, and since when: semantics.md sections 4 and 5.

Between two changes (of the presence, of the zones in force) nothing changes,
so the match is taken at every change, and the dwell is walked over them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.oracle.countries import Countries
from tests.oracle.incidents import Version
from tests.oracle.places import FAR, p_inside, signed_m
from tests.oracle.presence import Person, Place, Presence, changes, presence_at
from tests.oracle.times import DAY, MINUTE

TIERS = ("confirmed", "probable", "possible", "country_only")
DWELL = 10 * MINUTE
INBOUND_WITHIN, MARGIN = 3 * DAY, DAY


class Match(NamedTuple):
    """How a presence matches the zones of one cause."""

    tier: str
    band: str


class Run(NamedTuple):
    """One stretch of one match; ``start <= t < end``."""

    start: int
    end: int
    match: Match


class World:
    """The reference geography and the distances already measured in it."""

    def __init__(self, countries: Countries) -> None:
        self.countries = countries
        self._signed: dict[tuple[object, ...], float] = {}
        self._touched: dict[str, frozenset[str]] = {}

    def signed_m(self, place: Place, version: Version, *, as_filed: bool) -> float:
        """Return the signed distance of a place with a point to a zone.

        ``as_filed``: the filed country decides where the area is a country.
        """
        if place.lon is None or place.lat is None:
            return FAR
        filed = place.country if as_filed and place.precision != "point" else None
        key = (place.lon, place.lat, filed, str(version.areas))
        if key not in self._signed:
            self._signed[key] = signed_m(version.areas, place.lon, place.lat, filed, self.countries)
        return self._signed[key]

    def touched(self, version: Version) -> frozenset[str]:
        """Return the countries a zone touches."""
        key = str(version.areas)
        if key not in self._touched:
            self._touched[key] = self.countries.touched(version.areas)
        return self._touched[key]

    def tier(self, presence: Presence, version: Version) -> str | None:
        """Return how sure it is that a presence is in a zone; None: it is not."""
        place, fresh = presence.place, presence.basis == "fresh_fix"
        if place.precision == "country" or place.lon is None:
            return "country_only" if place.country in self.touched(version) else None
        signed = self.signed_m(place, version, as_filed=True)
        if place.precision == "admin1":
            return "possible" if signed > -place.radius_m else None
        p = p_inside(signed, place.radius_m)
        tier = None
        if p >= 0.9:
            tier = "confirmed" if fresh else "probable"
        elif p >= 0.5 and fresh:
            tier = "probable"
        elif p >= 0.1:
            tier = "possible"
        return "possible" if tier and version.possible_only else tier

    def match(self, presence: Presence | None, versions: Iterable[Version]) -> Match | None:
        """Return the best tier over zones, and the worst band that gives it."""
        if presence is None:
            return None
        found = [(self.tier(presence, v), v) for v in versions]
        tiers = {tier for tier, _ in found if tier}
        if not tiers:
            return None
        best = min(tiers, key=TIERS.index)
        worst = max((v for tier, v in found if tier == best), key=lambda v: v.rank)
        return Match(best, worst.zone)

    def beyond(self, presence: Presence | None, versions: Sequence[Version]) -> bool:
        """Return whether a presence is out of every zone by more than its radius."""
        if presence is None:
            return True
        place = presence.place
        return all(
            self.signed_m(place, version, as_filed=False) < -place.radius_m for version in versions
        )


Timeline = list[tuple[int, Presence | None]]
"""What a person's presence becomes, and when."""


def timeline(person: Person, now: int, countries: Countries) -> Timeline:
    """Return the presence of a person at every instant it can change, to now."""
    instants = sorted(t for t in changes(person) if t <= now)
    return [(t, presence_at(person, t, countries)) for t in instants]


def runs(world: World, line: Timeline, versions: Sequence[Version], now: int) -> list[Run]:
    """Return the stretches of exposure to some zone versions, until now."""
    if not versions:
        return []
    cuts = {t for v in versions for t in (v.valid_from, v.valid_to)} | {t for t, _ in line}
    first = min(v.valid_from for v in versions)
    instants = sorted(t for t in cuts if first <= t <= now)
    found: list[Run] = []
    last: Match | None = None
    left: int | None = None
    for index, t in enumerate(instants):
        following = instants[index + 1] if index + 1 < len(instants) else now + 1
        presence = max((entry for entry in line if entry[0] <= t), key=lambda e: e[0])[1]
        in_force = [v for v in versions if v.in_force(t)]
        match = world.match(presence, in_force)
        if match:
            found.append(Run(t, following, match))
            last, left = match, None
        elif last and in_force and not world.beyond(presence, in_force):
            left = t if left is None else left
            until = min(following, left + DWELL)
            if until > t:
                found.append(Run(t, until, last))
            if until < following:
                last = None
        else:
            last = None
    return found


def since(found: Sequence[Run]) -> int:
    """Return the start of the unbroken stretch that the last run ends."""
    start = found[-1].start
    for run in reversed(found[:-1]):
        if run.end != start:
            break
        start = run.start
    return start


def inbound(
    world: World, person: Person, versions: Sequence[Version], now: int
) -> tuple[int, Match] | None:
    """Return (begin of the stay, match) of the next stay that would be exposed."""
    for stay in sorted(person.stays, key=lambda s: (s.begin, s.registration_id, s.stay_id)):
        if stay.residence or not now < stay.begin <= now + INBOUND_WITHIN or stay.covers(now):
            continue
        awaiting = [v for v in versions if v.in_force(now) and v.valid_to > stay.begin - MARGIN]
        match = world.match(Presence("stay", stay.place), awaiting)
        if match:
            return stay.begin, match
    return None
