"""Named cities of the world, and what somebody files who is in one."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from schemas.codelists import Precision
from schemas.place import Place


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


@cache
def cities() -> tuple[City, ...]:
    """Return the bundled cities, read once."""
    with (Path(__file__).parent / "data" / "cities.csv").open(encoding="utf-8", newline="") as file:
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


def place_of(city: City, precision: Precision) -> Place:
    """Return ``city`` as somebody files it who says no more than ``precision``."""
    if precision is Precision.COUNTRY:
        return Place(precision=precision, country=city.country)
    if precision is Precision.ADMIN1:
        return Place(
            precision=precision,
            country=city.country,
            admin1=city.admin1,
            lon_deg=city.admin1_lon_deg,
            lat_deg=city.admin1_lat_deg,
            radius_m=city.admin1_radius_m,
        )
    return Place(
        precision=Precision.CITY,
        country=city.country,
        name=city.name,
        admin1=city.admin1,
        lon_deg=city.lon_udeg / 1_000_000,
        lat_deg=city.lat_udeg / 1_000_000,
    )
