"""The cities are where they are said to be."""

from pyproj import Geod

from schemas.codelists import Precision
from streams.cities import cities, place_of

WGS84 = Geod(ellps="WGS84")
BY_NAME = {city.name: city for city in cities()}

# Kilometres from the epicentres, from the list the scenarios were made from; both are good to 2 km.
FROM_M78 = (37.014, 37.226, {
    "Gaziantep": 37, "Kahramanmaras": 40, "Aleppo": 114, "Antakya": 137, "Adana": 153,
    "Diyarbakir": 294, "Beirut": 394, "Nicosia": 397, "Ankara": 470, "Antalya": 562,
    "Istanbul": 811,
})  # fmt: skip
FROM_M75 = (37.196, 38.011, {
    "Gaziantep": 106, "Kahramanmaras": 54, "Aleppo": 201, "Antakya": 221, "Adana": 200,
    "Diyarbakir": 267, "Beirut": 482, "Nicosia": 463, "Ankara": 432, "Antalya": 587,
    "Istanbul": 781,
})  # fmt: skip
FROM_MARRAKESH = (-8.440, 31.110, {
    "Imlil": 50, "Marrakesh": 72, "Essaouira": 133, "Agadir": 134, "Ouarzazate": 149,
    "Casablanca": 285, "Rabat": 356,
})  # fmt: skip
FROM_TONGA = (-175.385, -20.55, {
    "Nuku'alofa": 69, "Vava'u (Neiafu)": 257, "Taveuni": 633, "Suva": 701, "Nadi": 815,
    "Apia": 837, "Noumea": 1891, "Auckland": 2044,
})  # fmt: skip


def test_every_city_of_the_scenarios_is_as_far_away_as_their_list_says():
    for lon_deg, lat_deg, distances_km in (FROM_M78, FROM_M75, FROM_MARRAKESH, FROM_TONGA):
        for name, said_km in distances_km.items():
            city = BY_NAME[name]
            _, _, distance_m = WGS84.inv(
                lon_deg, lat_deg, city.lon_udeg / 1_000_000, city.lat_udeg / 1_000_000
            )
            assert abs(distance_m / 1000 - said_km) < 2.5, name


def test_a_city_lies_in_or_near_the_circle_of_its_admin_unit():
    for city in cities():
        _, _, distance_m = WGS84.inv(
            city.lon_udeg / 1_000_000,
            city.lat_udeg / 1_000_000,
            city.admin1_lon_deg,
            city.admin1_lat_deg,
        )
        assert distance_m < 1.6 * city.admin1_radius_m, city.name


def test_names_are_unique_and_one_unit_has_one_circle():
    assert len(BY_NAME) == len(cities()) == 359
    circles = {(c.admin1, c.admin1_lon_deg, c.admin1_lat_deg, c.admin1_radius_m) for c in cities()}
    assert len(circles) == len({city.admin1 for city in cities()})


def test_what_is_filed_says_no_more_than_its_precision():
    adana = BY_NAME["Adana"]
    city = place_of(adana, Precision.CITY)
    assert (city.country, city.admin1, city.name) == ("TR", "TR-01", "Adana")
    assert (city.lon_deg, city.lat_deg, city.radius_m) == (35.32, 37.0, None)
    admin1 = place_of(adana, Precision.ADMIN1)
    assert (admin1.name, admin1.admin1, admin1.radius_m) == (None, "TR-01", 75_000.0)
    country = place_of(adana, Precision.COUNTRY)
    assert (country.country, country.admin1, country.lon_deg) == ("TR", None, None)
