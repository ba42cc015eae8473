"""Distances and polygons by numpy: geodesics, even-odd, crossing edges."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyproj

GEOD = pyproj.Geod(ellps="WGS84")
STEP_M = 20_000.0
"""No edge is left longer than this before distances are taken from it."""
DEGREE_M = 111_700.0
"""No degree of a great circle is longer."""

Array = np.ndarray[Any, np.dtype[np.float64]]
Polygon = Sequence[Array]
"""Closed rings of (lon, lat), outer first; shape (n, 2) each, densified."""
Edge = tuple[tuple[float, float], tuple[float, float]]


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the WGS 84 geodesic between two points."""
    return float(GEOD.inv(lon1, lat1, lon2, lat2)[2])


def densified(ring: Sequence[Sequence[float]]) -> Array:
    """Return a ring with points added along its straight lon/lat edges."""
    corners = np.array(ring, dtype=np.float64)
    x0, y0, x1, y1 = corners[:-1, 0], corners[:-1, 1], corners[1:, 0], corners[1:, 1]
    widest = np.cos(np.radians(np.minimum(np.abs(y0), np.abs(y1))))
    length_m = DEGREE_M * np.hypot((x1 - x0) * widest, y1 - y0)
    points: list[tuple[float, float]] = []
    for i, metres in enumerate(length_m):
        pieces = max(1, math.ceil(metres / STEP_M))
        points += [
            (x0[i] + (x1[i] - x0[i]) * k / pieces, y0[i] + (y1[i] - y0[i]) * k / pieces)
            for k in range(pieces)
        ]
    points.append((corners[-1, 0], corners[-1, 1]))
    return np.array(points)


def crossings_odd(ring: Array, lon: float, lat: float) -> bool:
    """Return whether a ray east of the point crosses the ring an odd number of times."""
    x0, y0, x1, y1 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
    spans = (y0 > lat) != (y1 > lat)
    x0, y0, x1, y1 = x0[spans], y0[spans], x1[spans], y1[spans]
    return bool(np.count_nonzero(x0 + (lat - y0) / (y1 - y0) * (x1 - x0) > lon) % 2)


def contains(polygon: Polygon, lon: float, lat: float) -> bool:
    """Return whether a polygon contains a point, by even and odd; holes are rings."""
    return sum(crossings_odd(ring, lon, lat) for ring in polygon) % 2 == 1


class Shape(NamedTuple):
    """A multipolygon: what holds its inside, and the edges that bound it.

    ``edges`` has the shape (n, 2, 2): edge, its ends, (lon, lat).
    """

    polygons: Sequence[Polygon]
    edges: Array


def shape_of(polygons: Sequence[Sequence[Sequence[Sequence[float]]]]) -> Shape:
    """Return polygons of rings as a shape, their union.

    An edge along 180 degrees or over a pole is a cut; one that two of the
    polygons share from both sides, or that lies in another of them, is inside
    the union: none of these is a boundary.
    """
    dense = [[densified(ring) for ring in rings] for rings in polygons]
    directed: Counter[Edge] = Counter()
    owner: dict[Edge, int] = {}
    for number, rings in enumerate(polygons):
        for ring in rings:
            points = [(float(x), float(y)) for x, y in ring]
            directed.update(pairwise(points))
            owner.update(dict.fromkeys(pairwise(points), number))
    overlapping = any(count > 1 for count in directed.values())
    edges: list[Array] = []
    for (start, end), count in directed.items():
        if start == end or (end, start) in directed or is_cut(start, end):
            continue
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        others = (p for number, p in enumerate(dense) if number != owner[start, end])
        if overlapping and count == 1 and any(contains(p, *middle) for p in others):
            continue
        chain = densified([start, end])
        edges.append(np.stack([chain[:-1], chain[1:]], axis=1))
    return Shape(dense, np.concatenate(edges) if edges else np.empty((0, 2, 2)))


def is_cut(start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Return whether an edge runs along 180 degrees or over a pole."""
    return (start[0] == end[0] and abs(end[0]) == 180.0) or (
        start[1] == end[1] and abs(end[1]) == 90.0
    )


def to_edges_m(edges: Array, lon: float, lat: float) -> float:
    """Return the distance from a point to the nearest of n edges.

    The edges are laid out around the point by azimuth and geodesic distance:
    distances from the point are exact there, and an edge of 20 km is straight.
    """
    ends = edges.reshape(-1, 2)
    n = len(ends)
    azimuth, _, away_m = GEOD.inv(np.full(n, lon), np.full(n, lat), ends[:, 0], ends[:, 1])
    east, north = away_m * np.sin(np.radians(azimuth)), away_m * np.cos(np.radians(azimuth))
    ax, ay, dx, dy = east[::2], north[::2], east[1::2] - east[::2], north[1::2] - north[::2]
    along = np.clip(-(ax * dx + ay * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    return float(np.hypot(ax + along * dx, ay + along * dy).min())


def within(shape: Shape, lon: float, lat: float) -> bool:
    """Return whether a point lies in a multipolygon."""
    return any(contains(polygon, lon, lat) for polygon in shape.polygons)


def signed_to_shape_m(shape: Shape, lon: float, lat: float) -> float:
    """Return the signed distance to the boundary of a multipolygon."""
    nearest = to_edges_m(shape.edges, lon, lat)
    return nearest if within(shape, lon, lat) else -nearest


def ring_crosses(one: Array, other: Array) -> bool:
    """Return whether an edge of one ring crosses an edge of another, in lon/lat."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    if np.any(low > high):
        return False
    a, b = other[:-1], other[1:]
    for p, q in pairwise(one):
        side_a, side_b = turn(p, q, a), turn(p, q, b)
        side_p = turn_of_each(a, b, p)
        side_q = turn_of_each(a, b, q)
        meet = (np.minimum(a, b) <= np.maximum(p, q)) & (np.maximum(a, b) >= np.minimum(p, q))
        if np.any((side_a * side_b <= 0) & (side_p * side_q <= 0) & meet.all(axis=1)):
            return True
    return False


def turn(p: Array, q: Array, points: Array) -> Array:
    """Return on which side of the line p-q each of n points lies."""
    return np.asarray((q[0] - p[0]) * (points[:, 1] - p[1]) - (q[1] - p[1]) * (points[:, 0] - p[0]))


def turn_of_each(a: Array, b: Array, point: Array) -> Array:
    """Return on which side of each of n lines a-b one point lies."""
    return np.asarray(
        (b[:, 0] - a[:, 0]) * (point[1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (point[0] - a[:, 0])
    )
