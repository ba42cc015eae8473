"""The people the oracle answers for, and which of them a zone can concern."""

from collections.abc import Mapping, Sequence

import numpy as np

from tests.oracle.countries import roughly_m
from tests.oracle.exposure import Timeline, World, timeline
from tests.oracle.incidents import Version
from tests.oracle.presence import GROWN_AT_MOST_M, Person

ROUGHLY = 0.99
"""Distances on a sphere are within 0.6 % of the geodesic."""


class Crowd:
    """People with all places any fact puts them at, and their presences."""

    def __init__(self, world: World, people: Mapping[str, Person]) -> None:
        self.world = world
        self.people = people
        self._ids = sorted(people)
        self._lines: dict[str, tuple[int, Timeline]] = {}
        points: list[tuple[int, float, float, float]] = []
        self._in_country: dict[str, set[int]] = {}
        for number, person_id in enumerate(self._ids):
            person = people[person_id]
            places = [s.place for s in person.stays] + [c.place for c in person.contacts]
            for place in places:
                if place.country is not None:
                    self._in_country.setdefault(place.country, set()).add(number)
                if place.lon is not None and place.lat is not None:
                    points.append((number, place.lon, place.lat, place.radius_m))
            points += [(number, f.lon, f.lat, f.accuracy_m + GROWN_AT_MOST_M) for f in person.fixes]
        columns = np.array(points, dtype=np.float64).reshape(-1, 4)
        self._owner = columns[:, 0].astype(np.int64)
        self._lonlat, self._radius_m = columns[:, 1:3], columns[:, 3]

    def line(self, person: Person, now: int) -> Timeline:
        """Return a person's presences until ``now``."""
        known = self._lines.get(person.person_id)
        if known is None or known[0] != now:
            known = (now, timeline(person, now, self.world.countries))
            self._lines[person.person_id] = known
        return known[1]

    def near(self, versions: Sequence[Version]) -> list[Person]:
        """Return whoever any of the zones can concern, by id.

        No match reaches further beyond a boundary than the radius of the
        place (P = 0.1 lies at 0.85 of it), and a match by country needs a
        place filed in a country that a zone touches.
        """
        found: set[int] = set()
        for version in versions:
            for code in self.world.touched(version):
                found |= self._in_country.get(code, set())
            for area in version.areas:
                if area["kind"] == "circle":
                    away_m = roughly_m(self._lonlat, area["lon_deg"], area["lat_deg"])
                    close = away_m * ROUGHLY <= area["radius_m"] + self._radius_m
                    found.update(np.unique(self._owner[close]).tolist())
                else:
                    found.update(self._owner.tolist())
        return [self.people[self._ids[number]] for number in sorted(found)]
