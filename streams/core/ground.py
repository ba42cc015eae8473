"""The ground: which zone versions are near which points, and who is where.

Everything here is derived from facts and zones; it is rebuilt, never stored.
Points are shared: a city is matched once, however many people stay in it.
"""

from collections.abc import Iterable

import numpy as np

from geo.geodesy import Floats
from geo.join import PlaceIndex, Shape, ZoneIndex, compile_areas, signed_distance_m
from schemas.codelists import Precision
from schemas.envelope import Event
from schemas.person import CheckedIn
from streams.core.exposure import Version
from streams.core.people import Facts, Spot
from streams.core.thresholds import Thresholds

Point = tuple[float, float]

REACH_RADII = 2.5
"""How many radii beyond a boundary a point can matter.

P(inside) = Phi(1.51 d / r) rounds to 0.000 beyond 2.2 radii and to 1.000
within; an exposure ends for good beyond 1 radius.
"""


class Ground:
    """Points of people, shapes of zones, and the signed distances between."""

    def __init__(self, limits: Thresholds) -> None:
        """Start with nobody and no zone."""
        self._limits = limits
        self.near: dict[Point, dict[str, float]] = {}
        self._reach_m: dict[Point, float] = {}
        self._owners: dict[Point, list[int]] = {}
        self._points: list[Point] = []
        self._places = PlaceIndex()
        self._in_country: dict[str, list[int]] = {}
        self._shapes: dict[str, Shape] = {}
        self._zones = ZoneIndex()
        self._near_zone: dict[str, list[Point]] = {}

    def settle(self, owner: int, spots: Iterable[tuple[Spot, float]]) -> None:
        """Note that ``owner`` may be at ``spots``, each with its largest radius."""
        self.survey(self.own(owner, spots))

    def own(self, owner: int, spots: Iterable[tuple[Spot, float]]) -> list[tuple[Point, float]]:
        """Note who may be at ``spots``; return the points, still to be surveyed."""
        new: list[tuple[Point, float]] = []
        for spot, radius_m in spots:
            if spot.country is not None:
                people = self._in_country.setdefault(spot.country, [])
                if not people or people[-1] != owner:
                    people.append(owner)
            if spot.point is None:
                continue
            owners = self._owners.setdefault(spot.point, [])
            if not owners or owners[-1] != owner:
                owners.append(owner)
            new.append((spot.point, radius_m))
        return new

    def survey_check_ins(self, records: Iterable[Event]) -> None:
        """Match the positions of a batch at once, before they are taken in."""
        unknown_m, most_m = self._limits.fix_accuracy_m, self._limits.growth_max_m
        self.survey(
            ((at.lon_deg, at.lat_deg), max(at.accuracy_m or unknown_m, 1.0) + most_m)
            for record in records
            if isinstance(record, CheckedIn) and (at := record.position) is not None
        )

    def survey(self, places: Iterable[tuple[Point, float]]) -> None:
        """Match points, each with the largest radius it may take, with all zones.

        Points already matched as far cost nothing; many at once cost little
        more than one.
        """
        wanted: dict[Point, float] = {}
        for point, radius_m in places:
            reach_m = REACH_RADII * radius_m
            if reach_m > self._reach_m.get(point, -1.0):
                self._reach_m[point] = wanted[point] = reach_m
        if not wanted:
            return
        points = list(wanted)
        lonlat, reach = np.array(points), np.array(list(wanted.values()))
        lons, lats = lonlat[:, 0].copy(), lonlat[:, 1].copy()
        self._places.add_many(lons, lats, reach)
        self._points += points
        by_zone: dict[str, list[int]] = {}
        if self._shapes:
            for i, key in self._zones.query(lons, lats, reach):
                by_zone.setdefault(key, []).append(i)
        for key, indexes in by_zone.items():
            which = np.array(indexes)
            self._match(key, [points[i] for i in indexes], lons[which], lats[which], reach[which])

    def _match(
        self, key: str, points: list[Point], lons: Floats, lats: Floats, reach_m: Floats
    ) -> None:
        signed = signed_distance_m(self._shapes[key], lons, lats, reach_m)
        for i in np.flatnonzero(signed >= -reach_m).tolist():
            self._set_near(points[i], key, float(signed[i]))

    def _set_near(self, point: Point, key: str, signed_m: float) -> None:
        of_point = self.near.setdefault(point, {})
        if key not in of_point:
            self._near_zone.setdefault(key, []).append(point)
        of_point[key] = signed_m

    def put_zone(self, version: Version) -> None:
        """Match a zone version with every point; replaces an earlier record of it."""
        self.drop_zone(version.key)
        shape = compile_areas(version.zone.areas)
        self._shapes[version.key] = shape
        self._zones.add(version.key, shape)
        found = {self._points[i] for i in self._places.query(shape).tolist()}
        if not found:
            return
        points = sorted(found)
        lonlat = np.array(points)
        reach = np.array([self._reach_m[point] for point in points])
        self._match(version.key, points, lonlat[:, 0].copy(), lonlat[:, 1].copy(), reach)

    def drop_zone(self, key: str) -> None:
        """Forget a zone version."""
        if key not in self._shapes:
            return
        del self._shapes[key]
        self._zones.remove(key)
        for point in self._near_zone.pop(key, ()):
            of_point = self.near[point]
            of_point.pop(key, None)
            if not of_point:
                del self.near[point]

    def people_near(self, version: Version) -> set[int]:
        """Return whoever may be near a zone version, or in a country it touches.

        A point that was only surveyed, for a record still to come, is nobody's.
        """
        found: set[int] = set()
        for point in self._near_zone.get(version.key, ()):
            found.update(self._owners.get(point, ()))
        for country in version.touches | version.codes:
            found.update(self._in_country.get(country, ()))
        return found

    def reach_of(self, facts: Facts) -> tuple[set[str], set[str]]:
        """Return the zone versions near any place of the facts, and the countries."""
        keys: set[str] = set()
        spots = [term.spot for r in facts.registrations for term in r.terms]
        spots += [s.spot for s in facts.statements if s.spot is not None]
        near = self.near
        for point in [spot.point for spot in spots] + [fix.point for fix in facts.fixes]:
            if point is not None and point in near:
                keys.update(near[point])
        return keys, {spot.country for spot in spots if spot.country is not None}


def spots_of(facts: Facts, limits: Thresholds) -> list[tuple[Spot, float]]:
    """Return every spot the facts name, with the largest radius it may take."""
    spots = [(term.spot, term.spot.radius_m) for r in facts.registrations for term in r.terms]
    spots += [(s.spot, s.spot.radius_m) for s in facts.statements if s.spot is not None]
    for fix in facts.fixes:
        spot = Spot(Precision.POINT, None, None, fix.point, fix.accuracy_m)
        spots.append((spot, fix.accuracy_m + limits.growth_max_m))
    return spots


def event_spots(facts: Facts, event_id: str, limits: Thresholds) -> list[tuple[Spot, float]]:
    """Return the spots that one event brought into the facts."""
    return spots_of(
        Facts(
            registrations=tuple(r for r in facts.registrations if r.event_id == event_id),
            fixes=tuple(f for f in facts.fixes if f.event_id == event_id),
            statements=tuple(s for s in facts.statements if s.event_id == event_id),
        ),
        limits,
    )
