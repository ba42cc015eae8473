"""Countries: which one a point is in, which ones an area touches, which post.

Borders from npm's country-coder, the decisions of ``data/overrides.csv`` laid
over them; see ``data/PROVENANCE.md``. The files are read once and never
written; replacing one changes ``DATA_VERSION``. Territorial sea is included.
"""

import csv
import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from geo.boundary import Region, turned_boxes
from geo.geodesy import Floats
from geo.shapes import polygonal, to_shapely
from schemas.place import Area, Circle, Countries, Polygons

_DATA = Path(__file__).parent / "data"
_FILES = ("cities.csv", "countries.json", "overrides.csv", "posts.csv")

DATA_VERSION: str = hashlib.blake2b(
    b"\x00".join((_DATA / name).read_bytes() for name in _FILES), digest_size=6
).hexdigest()
"""Version of the bundled data: a hash over all of its files."""

HOUR_DEG = 15.0
"""Degrees of longitude to an hour of nautical time."""


class UnknownCountryError(ValueError):
    """There is no such country in the reference data."""


class _Unit(msgspec.Struct):
    """One piece of land as the source draws it; rings are lon, lat, lon, lat ..."""

    unit: str
    code: str | None
    name: str
    polygons: list[list[list[float]]]


class _Borders(msgspec.Struct):
    source: str
    alpha3: dict[str, str]
    units: list[_Unit]


class _Index(NamedTuple):
    """All country polygons, exploded and prepared, each with its code."""

    parts: npt.NDArray[np.object_]
    codes: list[str]
    tree: shapely.STRtree


def country_at(lon: float, lat: float) -> str | None:
    """Return the ISO alpha-2 code of the country at a point, None at sea.

    Territories with a code of their own have that one (RE, GP, HK); XK is
    Kosovo, PS the West Bank and Gaza.
    """
    return countries_at(np.array([lon], np.float64), np.array([lat], np.float64))[0]


def countries_at(lons: Floats, lats: Floats) -> list[str | None]:
    """Return ``country_at`` of n points; on a border the first code by name."""
    index = _index()
    lons, lats = np.asarray(lons, np.float64), np.asarray(lats, np.float64)
    point, part = index.tree.query(shapely.points(lons, lats))
    inside = shapely.intersects_xy(index.parts[part], lons[point], lats[point])
    found: list[str | None] = [None] * lons.size
    # The parts are sorted by code: the last one written is the first by name.
    for i, j in sorted(zip(point[inside], part[inside], strict=True), reverse=True):
        found[i] = index.codes[j]
    return found


def known_countries() -> frozenset[str]:
    """Return the codes of all countries and territories that have a shape."""
    return frozenset(_units_by_code())


def alpha2(code: str) -> str | None:
    """Return the alpha-2 code for an alpha-2 or alpha-3 code in any case."""
    code = code.upper()
    if code in known_countries():
        return code
    return next((two for two, three in _borders().alpha3.items() if three == code), None)


@cache
def country_shape(code: str) -> shapely.MultiPolygon:
    """Return the polygons of a country, cut at 180 degrees.

    Raises
    ------
    UnknownCountryError
        ``code`` is not one of ``known_countries()``.
    """
    units = _units_by_code().get(code)
    if units is None:
        msg = f"no country {code!r} in the reference data"
        raise UnknownCountryError(msg)
    return shapely.MultiPolygon(polygonal(shapely.union_all(units)))


@cache
def country_region(code: str) -> Region:
    """Return ``country_shape`` ready for many points."""
    return Region(country_shape(code))


def countries_touching(areas: tuple[Area, ...]) -> tuple[str, ...]:
    """Return, sorted, the codes of every country whose territory areas touch.

    A circle touches a country if the geodesic from its centre to the nearest
    point of the country is no longer than its radius.
    """
    codes: set[str] = set()
    for area in areas:
        match area:
            case Countries():
                codes.update(area.codes)
            case Circle():
                codes.update(_touched_by_circle(area))
            case Polygons():
                index = _index()
                drawn = np.array(to_shapely(area).geoms, dtype=object)
                _, part = index.tree.query(drawn, predicate="intersects")
                codes.update(index.codes[j] for j in part)
    return tuple(sorted(codes))


def _touched_by_circle(circle: Circle) -> set[str]:
    index = _index()
    lon, lat = np.array([circle.lon_deg]), np.array([circle.lat_deg])
    reach_m = np.array([circle.radius_m])
    _, boxes = turned_boxes(lon, lat, reach_m)
    _, part = index.tree.query(shapely.box(*boxes.T))
    return {
        code
        for code in {index.codes[j] for j in part}
        if country_region(code).signed_distance_m(lon, lat, reach_m)[0] >= -circle.radius_m
    }


@cache
def reference_point(code: str) -> tuple[float, float]:
    """Return (lon, lat) of a point on a country's largest piece, near its middle."""
    parts = polygonal(country_shape(code))
    largest = max(parts, key=lambda part: part.area * np.cos(np.radians(part.centroid.y)))
    middle = largest.centroid
    if not largest.contains(middle):
        middle = largest.representative_point()
    return float(middle.x), float(middle.y)


def post_of(country: str) -> str:
    """Return the id of the post responsible for a country (data/posts.csv).

    A placeholder "BE-<country>" where the table has none; the ministry
    replaces the table.
    """
    return _posts().get(country, f"BE-{country}")


def local_day_start(day: date, lon_deg: float | None) -> datetime:
    """Return when a day begins at a longitude, in UTC.

    Nautical zones: 00:00 less round(lon / 15) hours; 00:00 UTC where the
    longitude is unknown. Real time zones replace this in a later issue.
    """
    hours = 0 if lon_deg is None else round(lon_deg / HOUR_DEG)
    return datetime.combine(day, time(tzinfo=UTC)) - timedelta(hours=hours)


@cache
def _borders() -> _Borders:
    return msgspec.json.decode((_DATA / "countries.json").read_bytes(), type=_Borders)


@cache
def _posts() -> dict[str, str]:
    return {row["country"]: row["post"] for row in _rows("posts.csv")}


@cache
def _units_by_code() -> dict[str, list[shapely.Polygon]]:
    decided = {row["unit"]: row["country"] for row in _rows("overrides.csv")}
    by_code: dict[str, list[shapely.Polygon]] = {}
    for unit in _borders().units:
        code = decided.get(unit.unit, unit.code)
        if code is not None:
            shells = [[_points(ring) for ring in rings] for rings in unit.polygons]
            polygons = [shapely.Polygon(shell, holes) for shell, *holes in shells]
            by_code.setdefault(code, []).extend(polygons)
    return by_code


@cache
def _index() -> _Index:
    pairs = [(code, part) for code in sorted(_units_by_code()) for part in _units_by_code()[code]]
    parts = np.array([part for _, part in pairs], dtype=object)
    shapely.prepare(parts)
    return _Index(parts, [code for code, _ in pairs], shapely.STRtree(parts))


def _rows(name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader((_DATA / name).read_text(encoding="utf-8").splitlines())


def _points(flat: list[float]) -> Floats:
    return np.array(flat).reshape(-1, 2)
