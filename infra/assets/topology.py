"""Reads TopoJSON: shapes made of shared arcs, with whole numbers as coordinates.

Format: the TopoJSON Format Specification (2013), sections 2.1.1 to 2.2. Only what
world-atlas uses is read: a quantised topology of polygons.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

Line = list[tuple[float, float]]

TRIANGLE = 4
"""Points of the smallest closed ring."""

SEAM_DEG = 179.99
POLE_CUT_DEG = -85.0
"""Where the source is cut: an edge along these is no coast."""


class Lines(NamedTuple):
    """What lies between two countries, and what lies between land and sea."""

    borders: list[Line]
    coasts: list[Line]


def arcs_of(topology: dict[str, Any]) -> list[Line]:
    """Return the arcs in degrees; in the file each point is a step from the last."""
    scale_x, scale_y = topology["transform"]["scale"]
    shift_x, shift_y = topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            line.append((round(x * scale_x + shift_x, 5), round(y * scale_y + shift_y, 5)))
        arcs.append(line)
    return arcs


def polygons_of(geometry: dict[str, Any], arcs: list[Line]) -> list[list[Line]]:
    """Return a geometry's polygons, each a list of closed rings.

    A ring that the quantisation has left less than a triangle of is left out.
    """
    if geometry["type"] == "Polygon":
        parts = [geometry["arcs"]]
    elif geometry["type"] == "MultiPolygon":
        parts = geometry["arcs"]
    else:
        msg = f"a {geometry['type']} is not expected here"
        raise ValueError(msg)
    whole = [[ring_of(indices, arcs) for indices in rings] for rings in parts]
    return [
        [outer, *(hole for hole in holes if len(hole) >= TRIANGLE)]
        for outer, *holes in whole
        if len(outer) >= TRIANGLE
    ]


def ring_of(indices: list[int], arcs: list[Line]) -> Line:
    """Return a ring; a negative index means the arc ~index, walked backwards."""
    ring: Line = []
    for index in indices:
        line = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring += line if not ring else line[1:]
    return ring


def lines_of(geometries: list[dict[str, Any]], arcs: list[Line]) -> Lines:
    """Return each arc once: a border where two geometries share it, else coast."""
    owners: dict[int, set[int]] = defaultdict(set)
    for number, geometry in enumerate(geometries):
        for index in _indices(geometry["arcs"]):
            owners[index if index >= 0 else ~index].add(number)
    borders = [arcs[index] for index, who in sorted(owners.items()) if len(who) > 1]
    single = [arcs[index] for index, who in sorted(owners.items()) if len(who) == 1]
    return Lines(borders, [piece for line in single for piece in without_cuts(line)])


def without_cuts(line: Line) -> list[Line]:
    """Return a coast without the edges along which the source was cut."""
    pieces: list[Line] = []
    piece: Line = []
    for here, there in pairwise(line):
        if _cut(here) and _cut(there):
            piece = []
        elif piece:
            piece.append(there)
        else:
            piece = [here, there]
            pieces.append(piece)
    return pieces


def _cut(point: tuple[float, float]) -> bool:
    return abs(point[0]) >= SEAM_DEG or point[1] <= POLE_CUT_DEG


def _indices(nested: list[Any]) -> list[int]:
    """Return the arc indices of a polygon or of several, flat."""
    flat: list[int] = []
    for item in nested:
        flat += [item] if isinstance(item, int) else _indices(item)
    return flat
