"""The join of presences and zones: signed distance, P(inside), candidates.

Two steps, both directions. The indexes give candidates by boxes (direction A:
points to zones, ``ZoneIndex``; direction B: a zone to points,
``PlaceIndex``): a superset, nothing missed. ``signed_distance_m`` and
``p_inside`` then decide exactly.
"""

from typing import NamedTuple, assert_never

import numpy as np
import numpy.typing as npt
import shapely

from geo.accuracy import probability_inside
from geo.boundary import Ints, Region, turned_boxes
from geo.geodesy import Floats, distance_m, distances_m, reach_box
from geo.places import country_region, country_shape
from geo.shapes import to_shapely
from schemas.place import Area, Circle, Countries, Polygons

P_ROUND = 3
"""Decimals of P(inside); rounding makes exports equal byte for byte."""

REACH_RADII = 2.7
"""Beyond this many radii P(inside) is 0 or 1: Phi(1.51 x 2.7) = 0.99998."""

MOST_BOXES = 16
"""Boxes of one shape that all points are compared with; more are merged."""


class Shape(NamedTuple):
    """A compiled union of areas; made by ``compile_areas``.

    Circles stay geodesic distances. ``boxes`` hold all of it: shape (n, 4),
    west, south, east, north in degrees within [-180, 180].
    """

    circles: tuple[Circle, ...]
    regions: tuple[Region, ...]
    boxes: Floats


class Match(NamedTuple):
    """How one place lies to one shape.

    ``p`` is P(inside), ``signed_m`` the distance to the boundary in metres,
    positive inside (infinite where it does not matter for ``p``),
    ``distance_m`` the distance to the centre asked for.
    """

    p: float
    signed_m: float
    distance_m: float | None


def compile_areas(areas: tuple[Area, ...]) -> Shape:
    """Return the union of areas, prepared for many points.

    Raises
    ------
    geo.places.UnknownCountryError
        A code of a ``Countries`` is not in the reference data.
    """
    circles: list[Circle] = []
    regions: list[Region] = []
    for area in areas:
        match area:
            case Circle():
                circles.append(area)
            case Polygons():
                regions.append(Region(to_shapely(area)))
            case Countries(codes=(code,)):
                regions.append(country_region(code))
            case Countries(codes=codes):
                regions.append(Region(shapely.union_all([country_shape(code) for code in codes])))
            case _:
                assert_never(area)
    _, round_boxes = turned_boxes(
        np.array([circle.lon_deg for circle in circles], np.float64),
        np.array([circle.lat_deg for circle in circles], np.float64),
        np.array([circle.radius_m for circle in circles], np.float64),
    )
    boxes = np.vstack([np.clip(round_boxes, -180.0, 180.0), *(region.boxes for region in regions)])
    return Shape(tuple(circles), tuple(regions), boxes)


def signed_distance_m(shape: Shape, lons: Floats, lats: Floats, reach_m: float | Floats) -> Floats:
    """Return metres from n points to the boundary of a shape, positive inside.

    Exact (circle: geodesic; polygon: 0.1 %) where its amount is at most
    ``reach_m``, of one value or shape (n,); beyond that it may be +inf or
    -inf. Of several areas the largest value counts. No area: -inf.
    """
    lons, lats = np.asarray(lons, np.float64), np.asarray(lats, np.float64)
    reach = np.broadcast_to(np.asarray(reach_m, np.float64), lons.shape)
    signed = np.full(lons.shape, -np.inf)
    for circle in shape.circles:
        near = _near_circle(circle, lons, lats, reach)
        away_m = distances_m(circle.lon_deg, circle.lat_deg, lons[near], lats[near])
        signed[near] = np.maximum(signed[near], circle.radius_m - away_m)
    for region in shape.regions:
        signed = np.maximum(signed, region.signed_distance_m(lons, lats, reach))
    return signed


def p_inside(signed_m: Floats, radius_m: Floats) -> Floats:
    """Return P(inside), shape (n,), rounded to ``P_ROUND`` decimals.

    Phi(signed / sigma), sigma = radius / 1.51 (``geo.accuracy``). Radius 0:
    1.0 inside and on the boundary, else 0.0.
    """
    signed_m, radius_m = np.asarray(signed_m, np.float64), np.asarray(radius_m, np.float64)
    p = np.where(signed_m >= 0.0, 1.0, 0.0)
    near = np.abs(signed_m) < REACH_RADII * radius_m
    pairs = zip(signed_m[near].tolist(), radius_m[near].tolist(), strict=True)
    p[near] = [probability_inside(signed, radius) for signed, radius in pairs]
    return p


def match_one(
    shape: Shape,
    lon: float,
    lat: float,
    radius_m: float,
    centre: tuple[float, float] | None = None,
) -> Match:
    """Return how a place of 68 % radius ``radius_m`` lies to a shape."""
    reach_m = REACH_RADII * radius_m
    signed_m = signed_distance_m(shape, np.array([lon]), np.array([lat]), reach_m)
    p = p_inside(signed_m, np.array([radius_m]))
    away_m = None if centre is None else distance_m(lon, lat, *centre)
    return Match(float(p[0]), float(signed_m[0]), away_m)


class ZoneIndex:
    """Direction A: of some points, the zones whose box they may be in.

    Adding and removing are cheap; the first query after them rebuilds the
    tree (13 ms for 10,000 zones).
    """

    def __init__(self) -> None:
        """Start empty."""
        self._boxes: dict[str, Floats] = {}
        self._tree: tuple[shapely.STRtree, list[str]] | None = None

    def add(self, zone_key: str, shape: Shape) -> None:
        """Add a zone, or replace the one of that key."""
        self._boxes[zone_key] = shape.boxes
        self._tree = None

    def remove(self, zone_key: str) -> None:
        """Take a zone out; one that is not there is an error (KeyError)."""
        del self._boxes[zone_key]
        self._tree = None

    def query(self, lons: Floats, lats: Floats, reach_m: float | Floats) -> list[tuple[int, str]]:
        """Return, sorted, (point, zone) where the point padded by its reach hits a box.

        A superset of the zones within ``reach_m`` of n points; none is missed.
        """
        if self._tree is None:
            keys = [key for key, boxes in self._boxes.items() for _ in range(len(boxes))]
            west, south, east, north = np.vstack([np.zeros((0, 4)), *self._boxes.values()]).T
            self._tree = shapely.STRtree(shapely.box(west, south, east, north)), keys
        tree, keys = self._tree
        lons, lats = np.asarray(lons, np.float64), np.asarray(lats, np.float64)
        reach = np.broadcast_to(np.asarray(reach_m, np.float64), lons.shape)
        origin, around = turned_boxes(lons, lats, reach)
        query, hit = tree.query(shapely.box(*around.T))
        return sorted(
            {(i, keys[j]) for i, j in zip(origin[query].tolist(), hit.tolist(), strict=True)}
        )


class PlaceIndex:
    """Direction B: of one zone, the points that may be in or touch it.

    A growable set of points as columns (32 bytes a point). Ids count from 0.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._count = 0
        self._columns: Floats = np.empty((4, 1024))
        self._west_end, self._east_end = 0.0, 0.0

    def add(self, lon: float, lat: float, reach_m: float) -> int:
        """Add a point that matters within ``reach_m`` of itself; returns its id."""
        point = np.array([lon]), np.array([lat]), np.array([reach_m])
        return int(self.add_many(*point)[0])

    def add_many(self, lons: Floats, lats: Floats, reach_m: Floats) -> Ints:
        """Add n points; returns their ids, shape (n,)."""
        first, last = self._count, self._count + lons.size
        if last > self._columns.shape[1]:
            grown = np.empty((4, max(last, 2 * self._columns.shape[1])))
            grown[:, :first] = self._columns[:, :first]
            self._columns = grown
        half, south, north = reach_box(lats, reach_m)
        self._columns[:, first:last] = lons - half, south, lons + half, north
        self._west_end = min(self._west_end, float((lons - half).min(initial=0.0)))
        self._east_end = max(self._east_end, float((lons + half).max(initial=0.0)))
        self._count = last
        return np.arange(first, last)

    def query(self, shape: Shape) -> Ints:
        """Return, sorted, the ids of points whose padded box meets the shape's.

        A superset of those within their reach of the shape; none is missed.
        """
        west, south, east, north = self._columns[:, : self._count]
        hit = np.zeros(self._count, np.bool_)
        for box in _coarse(shape.boxes):
            for turn in (0.0, 360.0, -360.0):
                # Boxes of points may pass 180 degrees; most zones are nowhere near that.
                if box[0] + turn <= self._east_end and box[2] + turn >= self._west_end:
                    hit |= (
                        (south <= box[3])
                        & (north >= box[1])
                        & (west <= box[2] + turn)
                        & (east >= box[0] + turn)
                    )
        return np.flatnonzero(hit)


def _coarse(boxes: Floats) -> Floats:
    """Return at most 16 boxes that cover all of ``boxes``, shape (k, 4)."""
    if len(boxes) <= MOST_BOXES:
        return boxes
    strip = np.floor((boxes[:, 0] + boxes[:, 2]) / 2.0 * (MOST_BOXES - 1) / 360.0)
    return np.array(
        [
            [*boxes[strip == s, :2].min(axis=0), *boxes[strip == s, 2:].max(axis=0)]
            for s in np.unique(strip)
        ]
    )


def _near_circle(
    circle: Circle, lons: Floats, lats: Floats, reach_m: Floats
) -> npt.NDArray[np.bool_]:
    """Say which points may be within their reach of a circle's inside."""
    widest_m = circle.radius_m + float(reach_m.max(initial=0.0))
    half, south, north = reach_box(np.array([circle.lat_deg]), np.array([widest_m]))
    turn = np.abs((lons - circle.lon_deg + 180.0) % 360.0 - 180.0)
    near: npt.NDArray[np.bool_] = (turn <= half) & (lats >= south) & (lats <= north)
    return near
