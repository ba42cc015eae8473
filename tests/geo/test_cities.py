"""Which region a point is taken to be in, and where a region is shown."""

import pytest

from geo.cities import NEAR_CITY_M, area_centre, cities, city_near, nearest_admin1
from geo.geodesy import destination, distance_m


def test_a_point_lies_in_the_region_of_the_nearest_city_of_its_country() -> None:
    assert nearest_admin1(36.9, 37.1, "TR") == "TR-27"
    assert nearest_admin1(36.20, 36.25, "TR") == "TR-31"
    city = city_near(36.9, 37.1, "TR")
    assert city is not None
    assert city.name == "Gaziantep"


def test_a_nearer_city_of_another_country_counts_for_nothing() -> None:
    # Baarle-Hertog is Belgian ground around which all is Dutch.
    assert nearest_admin1(4.93, 51.44, "BE") == "BE-VAN"
    assert nearest_admin1(4.93, 51.44, "NL") != nearest_admin1(4.93, 51.44, "BE")


def test_beyond_150_km_of_every_city_and_in_a_country_without_any_there_is_no_region() -> None:
    noumea = next(city for city in cities() if city.name == "Noumea")
    lon, lat = noumea.lon_udeg / 1e6, noumea.lat_udeg / 1e6
    within = destination(lon, lat, 300.0, NEAR_CITY_M - 1.0)
    beyond = destination(lon, lat, 300.0, NEAR_CITY_M + 1.0)
    assert nearest_admin1(*within, noumea.country) == noumea.admin1
    assert nearest_admin1(*beyond, noumea.country) is None
    assert nearest_admin1(lon, lat, "AQ") is None


def test_every_city_is_nearest_to_itself() -> None:
    for city in cities():
        assert city_near(city.lon_udeg / 1e6, city.lat_udeg / 1e6, city.country) == city


def test_across_the_date_line_the_nearest_city_is_the_nearest_city() -> None:
    taveuni = city_near(-179.95, -16.85, "FJ")
    assert taveuni is not None
    assert taveuni.name == "Taveuni"


@pytest.mark.parametrize("code", ["", "TR-99", "ZZ", "tr-27"])
def test_an_unknown_area_has_no_centre(code: str) -> None:
    assert area_centre(code) is None


def test_an_area_is_shown_in_its_middle_and_a_country_on_its_land() -> None:
    gaziantep = next(city for city in cities() if city.admin1 == "TR-27")
    assert area_centre("TR-27") == (gaziantep.admin1_lon_deg, gaziantep.admin1_lat_deg)
    centre = area_centre("LU")
    assert centre is not None
    assert distance_m(*centre, 6.1, 49.8) < 20_000.0
