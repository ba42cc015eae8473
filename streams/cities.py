"""What somebody files who is in one of the bundled cities."""

from geo.cities import City, cities
from schemas.codelists import Precision
from schemas.place import Place

__all__ = ["City", "cities", "place_of"]


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
