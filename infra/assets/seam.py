"""Cuts what goes round the world along 180 degrees, and closes what goes round a pole.

The source names points of the seam now 180, now -180 degrees; tiles are drawn
from one to the other, straight across the world, where a ring mixes them.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import shapely

Line = list[tuple[float, float]]
Polygon = list[Line]
"""Closed rings: the outer one, then holes."""

HALF_DEG = 180.0
ROUND_DEG = 360.0
DIGITS = 5


def cut_polygons(polygons: list[Polygon]) -> list[Polygon]:
    """Return polygons of which none leaves -180 to 180 degrees; most are as they were."""
    return [part for polygon in polygons for part in _cut_polygon(polygon)]


def cut_lines(lines: list[Line]) -> list[Line]:
    """Return lines of which none leaves -180 to 180 degrees."""
    return [part for line in lines for part in _cut_line(line)]


def unwrapped(line: Line) -> Line:
    """Return a line in which no step is longer than half the world; it may leave the map."""
    lon_deg, lat_deg = line[0]
    found = [(lon_deg, lat_deg)]
    for next_deg, lat_deg in line[1:]:
        lon_deg = next_deg + ROUND_DEG * round((lon_deg - next_deg) / ROUND_DEG)
        found.append((lon_deg, lat_deg))
    return found


def _jumps(line: Line) -> bool:
    return any(abs(there[0] - here[0]) > HALF_DEG for here, there in pairwise(line))


def _cut_polygon(polygon: Polygon) -> Iterator[Polygon]:
    if not any(map(_jumps, polygon)):
        yield polygon
        return
    outer = _around_pole(unwrapped(polygon[0]))
    middle_deg = (min(outer)[0] + max(outer)[0]) / 2
    holes = [_near(unwrapped(hole), middle_deg) for hole in polygon[1:]]
    if back := _in_one_world(outer):
        yield [_shifted(ring, back[0]) for ring in (outer, *holes)]
        return
    # Only what must be cut is repaired: a repaired ring no longer meets its neighbours exactly.
    whole = shapely.make_valid(shapely.Polygon(outer, holes), method="structure")
    for part, turns in _worlds(whole):
        if isinstance(part, shapely.Polygon):
            rings = (part.exterior, *part.interiors)
            yield [_shifted(list(ring.coords), turns) for ring in rings]


def _cut_line(line: Line) -> Iterator[Line]:
    if not _jumps(line):
        yield line
        return
    walked = unwrapped(line)
    if back := _in_one_world(walked):
        yield _shifted(walked, back[0])
        return
    for part, turns in _worlds(shapely.LineString(walked)):
        if isinstance(part, shapely.LineString):
            yield _shifted(list(part.coords), turns)


def _around_pole(ring: Line) -> Line:
    """Return a ring that is closed: over the pole, if it goes round the world."""
    (first_deg, first_lat), (last_deg, _) = ring[0], ring[-1]
    if first_deg == last_deg:
        return ring
    pole = 90.0 if first_lat > 0 else -90.0
    return [*ring, (last_deg, pole), (first_deg, pole), (first_deg, first_lat)]


def _near(ring: Line, middle_deg: float) -> Line:
    """Return a hole in the same world as its outer ring."""
    own_deg = (min(ring)[0] + max(ring)[0]) / 2
    return _shifted(ring, -round((middle_deg - own_deg) / ROUND_DEG))


def _in_one_world(line: Line) -> tuple[int] | None:
    """Return how many worlds a line lies east of the map, if it lies in one."""
    west, east = min(line)[0], max(line)[0]
    turns = round((west + east) / 2 / ROUND_DEG)
    fits = west >= ROUND_DEG * turns - HALF_DEG and east <= ROUND_DEG * turns + HALF_DEG
    return (turns,) if fits else None


def _worlds(shape: Any) -> Iterator[tuple[Any, int]]:
    """Yield the parts of a shape in each world it touches, and which one that is."""
    west, _, east, _ = shape.bounds
    first = round((west + HALF_DEG) // ROUND_DEG)
    last = round((east + HALF_DEG) // ROUND_DEG)
    for turns in range(first, last + 1):
        middle_deg = ROUND_DEG * turns
        world = shapely.box(middle_deg - HALF_DEG, -90.0, middle_deg + HALF_DEG, 90.0)
        for part in shapely.get_parts(shapely.intersection(shape, world)):
            yield part, turns


def _shifted(line: Line, turns: int) -> Line:
    """Return a line so many worlds further west."""
    return [(round(lon - ROUND_DEG * turns, DIGITS), round(lat, DIGITS)) for lon, lat in line]
