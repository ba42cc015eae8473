"""Areas in and out: what sources draw, repaired once; what we export.

Whatever a source sends becomes an area or an ``AreaError`` with a reason in
words, never another exception.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple, assert_never

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from geo import seam
from geo.geodesy import circle_polygons
from geo.places import country_shape
from geo.shapes import polygonal, polygons_of, to_shapely
from schemas.place import MAX_VERTICES, Area, Circle, Countries, Polygons

MAX_INPUT_VERTICES = 200_000
"""More than this is refused unread; the largest real payload seen has 30,000."""

MIN_AREA_DEG2 = 1e-10
"""Polygons below about 1 square metre are lines or points in disguise."""

ROUNDING = 1e-9
"""Relative change of area that is the noise of cutting and not a repair."""

FIRST_TOLERANCE_DEG = 0.0005
"""Where simplification starts: about 50 m."""


class AreaError(ValueError):
    """What the source sent is not an area; says why."""


class Repaired(NamedTuple):
    """An area as it may be used, and what the repair did to it.

    ``area_change`` is the share by which repair and simplification changed
    the area in the lon/lat plane; 0.0 means unchanged. Above 0.01 it is worth
    a line in the log.
    """

    area: Polygons
    area_change: float


def polygons_from_geojson(obj: object) -> Repaired:
    """Return the area of a GeoJSON Polygon, MultiPolygon or Feature of one.

    RFC 7946, read leniently: unclosed rings are closed, winding is set right,
    rings over 180 degrees are cut whichever way they are written, invalid
    ones repaired, overlaps merged, heights dropped. Parts without area are
    left out as long as one remains. More than ``MAX_VERTICES`` vertices are
    simplified outward, so that nobody inside falls out.

    Raises
    ------
    AreaError
        Not a polygon, coordinates that are not numbers on Earth (swapped axes
        are named where they show), too few points, no area.
    """
    geometry = obj
    if isinstance(geometry, Mapping) and geometry.get("type") == "Feature":
        geometry = geometry.get("geometry")
    if geometry is None:
        msg = "there is no geometry"
        raise AreaError(msg)
    if not isinstance(geometry, Mapping):
        msg = f"a geometry is a JSON object, not {type(geometry).__name__}"
        raise AreaError(msg)
    kind = geometry.get("type")
    coordinates = geometry.get("coordinates")
    if kind == "Polygon":
        polygons = [coordinates]
    elif kind == "MultiPolygon" and isinstance(coordinates, list | tuple):
        polygons = list(coordinates)
    else:
        what = kind if isinstance(kind, str) else "an object without type"
        msg = f"{what[:60]} is not an area; expected Polygon or MultiPolygon with coordinates"
        raise AreaError(msg)
    return _repaired([_rings(polygon) for polygon in polygons])


def polygons_from_cap(text: str) -> Repaired:
    """Return the area of a CAP 1.2 ``polygon``: "lat,lon lat,lon ..."."""
    ring = [_cap_pair(pair)[::-1] for pair in text.split()]
    return _repaired([[_ring(ring)]])


def circle_from_cap(text: str) -> Circle:
    """Return the area of a CAP 1.2 ``circle``: "lat,lon radius", radius in km."""
    words = text.split()
    if len(words) != 2:
        msg = f"a CAP circle is written 'lat,lon radius_km', not {text[:60]!r}"
        raise AreaError(msg)
    lat_deg, lon_deg = _cap_pair(words[0])
    radius_km = _number(words[1])
    if radius_km == 0.0:
        msg = "the circle has radius 0 km: a point, not an area"
        raise AreaError(msg)
    try:
        return Circle(lon_deg=lon_deg, lat_deg=lat_deg, radius_m=radius_km * 1000.0)
    except ValueError as error:
        raise AreaError(str(error)) from error


def to_geojson(area: Area) -> dict[str, object]:
    """Return an area as a GeoJSON MultiPolygon, cut at 180 degrees."""
    match area:
        case Circle():
            geometry: BaseGeometry = to_shapely(circle_polygons(area))
        case Polygons():
            geometry = to_shapely(area)
        case Countries():
            geometry = shapely.union_all([country_shape(code) for code in area.codes])
        case _:
            assert_never(area)
    drawn: dict[str, object] = mapping(
        shapely.MultiPolygon(shapely.orient_polygons(polygonal(geometry)))
    )
    return drawn


def _repaired(polygons: list[list[seam.Points]]) -> Repaired:
    """Return the union of polygons, each a shell and its holes."""
    count = sum(len(ring) for rings in polygons for ring in rings)
    if count > MAX_INPUT_VERTICES:
        msg = f"{count} vertices; at most {MAX_INPUT_VERTICES} are read"
        raise AreaError(msg)
    drawn_deg2 = 0.0
    parts: list[shapely.Polygon] = []
    for rings in polygons:
        outer, *inner = [_without_repeats(ring) for ring in rings]
        if len(outer) < 4:
            continue
        try:
            shell = seam.continuous(outer)
            holes = [seam.continuous(ring) for ring in inner if len(ring) >= 4]
            parts += seam.cut(shell, holes)
        except seam.SeamError as error:
            raise AreaError(str(error)) from error
        drawn_deg2 += seam.plane_area(shell) - sum(seam.plane_area(hole) for hole in holes)
    parts = [part for part in parts if part.area > MIN_AREA_DEG2]
    if not parts:
        msg = "the polygon is degenerate: its points enclose no area"
        raise AreaError(msg)
    whole: BaseGeometry = shapely.MultiPolygon(parts)
    if not shapely.is_valid(whole):
        whole = shapely.union_all(parts)
    area = _slim(whole)
    change = abs(area.area - drawn_deg2) / max(area.area, drawn_deg2)
    return Repaired(polygons_of(area), change if change > ROUNDING else 0.0)


def _without_repeats(ring: seam.Points) -> seam.Points:
    kept: seam.Points = ring[np.append(True, np.diff(ring, axis=0).any(axis=1))]
    return kept


def _slim(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry with at most ``MAX_VERTICES``, grown where it must.

    Simplified by no more than t degrees, then grown by t: what was inside
    stays inside.
    """
    slim = geometry
    tolerance_deg = FIRST_TOLERANCE_DEG
    while shapely.get_num_coordinates(slim) > MAX_VERTICES:
        simple = shapely.simplify(geometry, tolerance_deg, preserve_topology=True)
        grown = shapely.buffer(simple, tolerance_deg, join_style="mitre", mitre_limit=2.0)
        slim = shapely.intersection(grown, shapely.box(-180.0, -90.0, 180.0, 90.0))
        tolerance_deg *= 2.0
    return slim


def _rings(polygon: object) -> list[seam.Points]:
    if not isinstance(polygon, list | tuple) or not polygon:
        msg = "a polygon is a list of rings, the outer one first"
        raise AreaError(msg)
    return [_ring(ring) for ring in polygon]


def _ring(ring: object) -> seam.Points:
    """Return a closed ring of at least four points on Earth, shape (n, 2)."""
    if not isinstance(ring, list | tuple):
        msg = "a ring is a list of positions"
        raise AreaError(msg)
    points = [_position(position) for position in ring]
    if points and points[0] != points[-1]:
        points.append(points[0])
    if len(points) < 4:
        msg = f"too few points: a ring needs three corners, this has {max(len(points) - 1, 0)}"
        raise AreaError(msg)
    return np.array(points)


def _position(position: object) -> tuple[float, float]:
    if not isinstance(position, list | tuple) or len(position) < 2:
        msg = "a position is [longitude, latitude]"
        raise AreaError(msg)
    lon, lat = (_coordinate(value) for value in position[:2])
    if not abs(lon) <= 360.0:
        msg = f"longitude {lon:g} is not on Earth"
        raise AreaError(msg)
    if not abs(lat) <= 90.0:
        swapped = "; are longitude and latitude exchanged?" if abs(lat) <= 180.0 else ""
        msg = f"latitude {lat:g} is not on Earth{swapped}"
        raise AreaError(msg)
    return lon, lat


def _coordinate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"a coordinate is a number, not {type(value).__name__}"
        raise AreaError(msg)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _cap_pair(word: str) -> tuple[float, float]:
    """Return (latitude, longitude) of a CAP pair, in the order written."""
    parts = word.split(",")
    if len(parts) != 2:
        msg = f"a CAP position is written 'lat,lon', not {word[:60]!r}"
        raise AreaError(msg)
    return _number(parts[0]), _number(parts[1])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        msg = f"a coordinate is a number, not {text[:60]!r}"
        raise AreaError(msg) from error
