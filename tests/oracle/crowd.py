"""The people the oracle answers for, and which of them a zone can concern."""

from collections.abc import Mapping, Sequence

import numpy as np

from tests.oracle.countries import Countries, roughly_m
from tests.oracle.exposure import Timeline, World, timeline
from tests.oracle.incidents import Version
from tests.oracle.places import Area
from tests.oracle.presence import GROWN_AT_MOST_M, Person
from tests.oracle.shapes import STEP_M, Shape, shape_of, within
from tests.oracle.times import NEVER

ROUGHLY = 0.99
"""Distances on a sphere are within 0.6 % of the geodesic."""

Lines = dict[str, tuple[Person, Timeline]]


class Crowd:
    """People with all places any fact puts them at, and their presences."""

    def __init__(self, world: World, people: Mapping[str, Person], lines: Lines | None = None):
        """``lines`` are those of an earlier crowd; of the same persons they hold."""
        self.world = world
        self.people = people
        self.lines: Lines = {} if lines is None else lines
        self._ids = sorted(people)
        self._close: dict[str, set[int]] = {}
        self._in_country: dict[str, set[int]] = {}
        points: list[tuple[int, float, float, float]] = []
        for number, person_id in enumerate(self._ids):
            person = people[person_id]
            for place in [s.place for s in person.stays] + [c.place for c in person.contacts]:
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
        known = self.lines.get(person.person_id)
        if known is None or known[0] is not person:
            known = (person, timeline(person, NEVER, self.world.countries))
            self.lines[person.person_id] = known
        return [entry for entry in known[1] if entry[0] <= now]

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
                key = str(area)
                if key not in self._close:
                    self._close[key] = self._near_area(area)
                found |= self._close[key]
        return [self.people[self._ids[number]] for number in sorted(found)]

    def _near_area(self, area: Area) -> set[int]:
        """Return who has a place that reaches an area, or nearly."""
        if area["kind"] == "circle":
            away_m = roughly_m(self._lonlat, area["lon_deg"], area["lat_deg"])
            close = away_m * ROUGHLY <= area["radius_m"] + self._radius_m
        else:
            shape = drawn(area, self.world.countries)
            close = np.zeros(len(self._owner), dtype=bool)
            if shape is not None:
                for i, ((lon, lat), radius_m) in enumerate(
                    zip(self._lonlat, self._radius_m, strict=True)
                ):
                    least_m = float(roughly_m(shape.edges[:, 0], lon, lat).min())
                    reach_m = radius_m + 2.0 * STEP_M
                    close[i] = least_m * ROUGHLY <= reach_m or within(shape, lon, lat)
        return set(self._owner[close].tolist())


def drawn(area: Area, countries: Countries) -> Shape | None:
    """Return the shape of an area that is no circle."""
    if area["kind"] == "polygons":
        return shape_of(area["polygons"])
    return countries.together(area["codes"])
