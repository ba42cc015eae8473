"""Rings across 180 degrees and around the poles, cut once.

Sources write a ring over the antimeridian in two ways: with a jump
(179, -179) or past the edge (179, 181). Here both become one continuous ring,
are repaired in that plane, holes included, and then cut at 180 degrees
(RFC 7946 section 3.1.9). Edges stay straight in lon/lat.

The ``antimeridian`` library, which ``geo.geodesy`` uses for circles, loses or
fills holes that lie over the cut (version 0.4.9); hence this module.
"""

import math

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geo.shapes import polygonal

Points = npt.NDArray[np.float64]
"""Points of a ring, shape (n, 2): longitude, latitude in degrees."""

WORLD_DEG = 360.0
GRID_DEG = 1e-9
"""Grid of cut polygons, 0.1 mm: turning by 360 degrees rounds, and without it
pieces that belong together would be left with a seam a hair wide."""

MAX_CROSSINGS = 5000
"""More self-crossings than this are a scribble, not an area."""

EDGES_AT_ONCE = 16

TURNS = (-2, -1, 0, 1, 2)


class SeamError(ValueError):
    """The ring has no inside; says why."""


def continuous(ring: Points) -> Points:
    """Return the closed ring without jumps, closed over the pole it encloses.

    A step of more than 180 degrees is taken the short way round. Steps of
    exactly 360 degrees are edges where they come in pairs (a band around the
    world) or lie on a pole; a lone one is the seam of a polar cap. A ring
    that ends one turn from where it began encloses the nearer pole: winding
    is not trusted. Longitudes may leave [-180, 180].
    """
    step = np.diff(ring[:, 0])
    whole = np.abs(step) == WORLD_DEG
    on_pole = (np.abs(ring[:-1, 1]) == 90.0) & (np.abs(ring[1:, 1]) == 90.0)
    edge = whole & (on_pole | (np.count_nonzero(whole) % 2 == 0))
    turns = np.where((np.abs(step) > WORLD_DEG / 2) & ~edge, np.rint(step / WORLD_DEG), 0.0)
    out = ring.copy()
    out[1:, 0] -= WORLD_DEG * np.cumsum(turns)
    around = round((out[-1, 0] - out[0, 0]) / WORLD_DEG)
    if around == 0:
        return out
    if abs(around) > 1:
        msg = f"the ring goes {abs(around)} times around the world"
        raise SeamError(msg)
    pole = math.copysign(90.0, float(out[:, 1].mean()))
    over = np.array([[out[-1, 0], pole], [out[0, 0], pole], out[0]])
    return np.vstack([out, over])


def plane_area(ring: Points) -> float:
    """Return the area of a closed ring in square degrees, by the shoelace."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1]
    return abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))) / 2.0


def cut(shell: Points, holes: list[Points]) -> list[shapely.Polygon]:
    """Return the valid polygons of a shell and its holes, within [-180, 180].

    The rings are as ``continuous`` returns them, on any turn of the world.

    Raises
    ------
    SeamError
        A ring crosses itself thousands of times.
    """
    for ring in (shell, *holes):
        _check_tangle(ring)
    body = shapely.Polygon(shell, holes)
    west, east = shell[:, 0].min(), shell[:, 0].max()
    if west >= -180.0 and east <= 180.0 and shapely.is_valid(body):
        return [body]
    geometry = _repaired(shell)
    if holes:
        gaps = shapely.union_all([_repaired(hole) for hole in holes])
        geometry = shapely.difference(
            geometry, shapely.union_all([_turned(gaps, k) for k in TURNS])
        )
    pieces = []
    for k in TURNS:
        world = shapely.box(WORLD_DEG * k - 180.0, -90.0, WORLD_DEG * k + 180.0, 90.0)
        pieces.append(_turned(shapely.intersection(geometry, world), -k))
    return polygonal(shapely.union_all(pieces, grid_size=GRID_DEG))


def _repaired(ring: Points) -> BaseGeometry:
    # "structure" keeps inside what a self-overlapping ring covers twice; "linework" would
    # make it a hole, and whoever is there would be missed.
    return shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)


def _check_tangle(ring: Points) -> None:
    """Refuse a ring on which validity and repair would take minutes."""
    edges = np.asarray(shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1)))
    tree = shapely.STRtree(edges)
    crossings = 0
    for first in range(0, edges.size, EDGES_AT_ONCE):
        some = edges[first : first + EDGES_AT_ONCE]
        # Every edge meets itself and its two neighbours, and every crossing shows twice.
        crossings += (tree.query(some, predicate="intersects").shape[1] - 3 * some.size) // 2
        if crossings > MAX_CROSSINGS:
            msg = f"the ring crosses itself more than {MAX_CROSSINGS} times"
            raise SeamError(msg)


def _turned(geometry: BaseGeometry, turns: int) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: xy + np.array([WORLD_DEG * turns, 0.0]))
