"""Cities: the list that is bundled, and which region a point is taken to be in.

``data/cities.csv`` is rough on purpose (see ``data/PROVENANCE.md``): it names
the first-level area (ISO 3166-2) of the nearest city, it draws no border.
"""

import csv
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from geo.geodesy import Floats, distances_m
from geo.places import known_countries, reference_point

NEAR_CITY_M = 150_000.0
"""A city farther from a point than this says nothing of the region it is in."""


class City(NamedTuple):
    """One row of ``data/cities.csv``; coordinates in millionths of a degree."""

    name: str
    country: str
    admin1: str
    lon_udeg: int
    lat_udeg: int
    admin1_lon_deg: float
    admin1_lat_deg: float
    admin1_radius_m: float
    winter: int
    summer: int
    resident: int


class _Group(NamedTuple):
    """The cities of one country, their centres as columns."""

    cities: tuple[City, ...]
    lons: Floats
    lats: Floats


@cache
def cities() -> tuple[City, ...]:
    """Return the bundled cities in the order of the file, read once."""
    path = Path(__file__).parent / "data" / "cities.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            City(
                name=row["name"],
                country=row["country"],
                admin1=row["admin1"],
                lon_udeg=round(float(row["lon_deg"]) * 1_000_000),
                lat_udeg=round(float(row["lat_deg"]) * 1_000_000),
                admin1_lon_deg=float(row["admin1_lon_deg"]),
                admin1_lat_deg=float(row["admin1_lat_deg"]),
                admin1_radius_m=float(row["admin1_radius_m"]),
                winter=int(row["winter"]),
                summer=int(row["summer"]),
                resident=int(row["resident"]),
            )
            for row in csv.DictReader(file)
        )


@lru_cache(maxsize=65536)
def city_near(lon_deg: float, lat_deg: float, country: str) -> City | None:
    """Return the nearest bundled city of a country within ``NEAR_CITY_M``.

    By the WGS 84 geodesic; of two as near, the first by name. Cached: points
    of stays come back with every assessment.
    """
    group = _by_country().get(country)
    if group is None:
        return None
    apart_m = distances_m(lon_deg, lat_deg, group.lons, group.lats)
    nearest = int(np.argmin(apart_m))
    return group.cities[nearest] if apart_m[nearest] <= NEAR_CITY_M else None


def nearest_admin1(lon_deg: float, lat_deg: float, country: str) -> str | None:
    """Return the ISO 3166-2 code of ``city_near``, None where none is near."""
    city = city_near(lon_deg, lat_deg, country)
    return city.admin1 if city else None


def area_centre(code: str) -> tuple[float, float] | None:
    """Return (lon_deg, lat_deg) at which to show an area, None if unknown.

    ``code`` is an ISO 3166-2 one of the list of cities, or an alpha-2 country.
    """
    centre = _centres().get(code)
    if centre is None and code in known_countries():
        return reference_point(code)
    return centre


@cache
def _centres() -> dict[str, tuple[float, float]]:
    return {city.admin1: (city.admin1_lon_deg, city.admin1_lat_deg) for city in cities()}


@cache
def _by_country() -> dict[str, _Group]:
    by_country: dict[str, list[City]] = {}
    for city in sorted(cities()):
        by_country.setdefault(city.country, []).append(city)
    return {
        country: _Group(
            tuple(group),
            np.array([city.lon_udeg / 1_000_000 for city in group]),
            np.array([city.lat_udeg / 1_000_000 for city in group]),
        )
        for country, group in by_country.items()
    }
