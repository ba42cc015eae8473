"""Countries, posts and days."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyproj
import pytest
import shapely

import geo.places
from geo.places import (
    DATA_VERSION,
    UnknownCountryError,
    alpha2,
    countries_at,
    countries_touching,
    country_at,
    country_shape,
    known_countries,
    local_day_start,
    post_of,
    reference_point,
)
from schemas.place import Circle, Countries, Polygons

DATA = Path(geo.places.__file__).parent / "data"

POINTS = {
    "Brussels": (4.3517, 50.8503, "BE"),
    "5 km off Ostend": (2.8780, 51.2730, "BE"),
    "Baarle-Hertog, an enclave": (4.9290, 51.4410, "BE"),
    "Baarle-Nassau around it": (4.9290, 51.4200, "NL"),
    "Pristina": (21.1655, 42.6629, "XK"),
    "Ramallah": (35.2034, 31.9038, "PS"),
    "Gaza": (34.4668, 31.5017, "PS"),
    "Taipei": (121.5654, 25.0330, "TW"),
    "Hong Kong": (114.1694, 22.3193, "HK"),
    "Macao": (113.5439, 22.1987, "MO"),
    "Singapore": (103.8198, 1.3521, "SG"),
    "Vatican": (12.4534, 41.9029, "VA"),
    "Rome around it": (12.4964, 41.9028, "IT"),
    "Addu, Maldives": (73.1030, -0.6300, "MV"),
    "Funafuti": (179.1983, -8.5211, "TV"),
    "Nauru": (166.9315, -0.5228, "NR"),
    "Reunion": (55.4504, -20.8821, "RE"),
    "Guadeloupe": (-61.5510, 16.2650, "GP"),
    "Bonaire": (-68.2655, 12.1443, "BQ"),
    "Longyearbyen": (15.6356, 78.2232, "SJ"),
    "Tenerife": (-16.5000, 28.3000, "ES"),
    "Suva": (178.4415, -18.1416, "FJ"),
    "Taveuni, west of 180": (179.9800, -16.8500, "FJ"),
    "Taveuni, east of 180": (-179.9600, -16.8500, "FJ"),
    "on 180 degrees": (180.0, -16.8500, "FJ"),
    "on -180 degrees": (-180.0, -16.8500, "FJ"),
    "Chukotka, east of 180": (-173.0, 66.0, "RU"),
    "South Pole": (0.0, -90.0, "AQ"),
    "Simferopol, by override": (34.1024, 44.9521, "UA"),
    "North Nicosia, by override": (33.3640, 35.1900, "CY"),
    "Laayoune, by override": (-13.2033, 27.1536, "EH"),
    "Agadir": (-9.5982, 30.4202, "MA"),
    "Hargeisa": (44.0650, 9.5600, "SO"),
    "middle of the Atlantic": (-40.0, 30.0, None),
    "North Pole": (0.0, 90.0, None),
}


@pytest.mark.parametrize("place", POINTS)
def test_a_point_is_in_its_country(place):
    lon, lat, country = POINTS[place]
    assert country_at(lon, lat) == country


def test_many_points_at_once_give_the_same():
    rows = list(POINTS.values())
    lons, lats = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    assert countries_at(lons, lats) == [r[2] for r in rows]
    assert countries_at(np.array([]), np.array([])) == []


def test_every_country_has_a_valid_shape_and_a_point_of_its_own():
    assert len(known_countries()) == 250  # ISO 3166-1 and Kosovo
    for code in sorted(known_countries()):
        shape = country_shape(code)
        assert shape.is_valid, code
        west, south, east, north = shape.bounds
        assert -180 <= west <= east <= 180, code
        assert -90 <= south <= north <= 90, code
        assert country_at(*reference_point(code)) == code


def test_codes_are_read_in_both_lengths_and_any_case():
    assert [alpha2(code) for code in ("BE", "be", "BEL", "tur", "XKX", "xk")] == [
        "BE", "BE", "BE", "TR", "XK", "XK",
    ]  # fmt: skip
    assert [alpha2(code) for code in ("", "ZZ", "ZZZ", "UK")] == [None] * 4


def test_an_unknown_country_has_no_shape():
    with pytest.raises(UnknownCountryError, match="'ZZ'"):
        country_shape("ZZ")


def test_a_circle_touches_the_countries_within_its_radius():
    def quake(radius_km: float) -> tuple[str, ...]:
        circle = Circle(lon_deg=37.014, lat_deg=37.226, radius_m=radius_km * 1000)
        return countries_touching((circle,))

    assert quake(10) == ("TR",)
    assert quake(269) == ("CY", "SY", "TR")
    # Not GB: the base of Dhekelia would flag everyone in Great Britain.
    assert quake(394) == ("CY", "IQ", "LB", "SY", "TR")


def test_a_circle_touches_a_country_exactly_from_the_radius_that_reaches_it():
    lon, lat = 37.014, 37.226
    coast = shapely.get_coordinates(shapely.segmentize(country_shape("LB"), 0.001))
    wgs84 = pyproj.Geod(ellps="WGS84")
    away_m = wgs84.inv(np.full(len(coast), lon), np.full(len(coast), lat), *coast.T)[2].min()
    for radius_m, touched in ((away_m + 20, True), (away_m - 20, False)):
        circle = Circle(lon_deg=lon, lat_deg=lat, radius_m=radius_m)
        assert ("LB" in countries_touching((circle,))) is touched


def test_circles_over_180_and_the_poles_touch_the_right_countries():
    tonga = Circle(lon_deg=-175.385, lat_deg=-20.55, radius_m=300_000.0)
    assert countries_touching((tonga,)) == ("FJ", "TO")
    bering = Circle(lon_deg=-179.0, lat_deg=65.0, radius_m=250_000.0)
    assert countries_touching((bering,)) == ("RU",)
    pole = Circle(lon_deg=0.0, lat_deg=90.0, radius_m=620_000.0)
    assert countries_touching((pole,)) == ("CA", "GL")
    assert countries_touching((Circle(lon_deg=-40.0, lat_deg=30.0, radius_m=1000.0),)) == ()


def test_polygons_and_countries_touch_and_several_areas_add_up():
    box = ((4.0, 50.6), (6.2, 50.6), (6.2, 51.6), (4.0, 51.6), (4.0, 50.6))
    drawn = Polygons(polygons=((box,),))
    assert countries_touching((drawn,)) == ("BE", "DE", "NL")
    assert countries_touching((Countries(codes=("SY", "LB")),)) == ("LB", "SY")
    assert countries_touching((drawn, Countries(codes=("SY", "BE")))) == ("BE", "DE", "NL", "SY")
    assert countries_touching(()) == ()


def test_posts_are_the_known_ones_and_placeholders():
    assert [post_of(c) for c in ("TR", "SY", "LB")] == ["BE-ANKARA", "BE-BEIRUT", "BE-BEIRUT"]
    assert post_of("FR") == "BE-FR"


@pytest.mark.parametrize(
    ("lon_deg", "starts_at"),
    [
        (None, datetime(2023, 2, 6, 0, 0, tzinfo=UTC)),
        (0.0, datetime(2023, 2, 6, 0, 0, tzinfo=UTC)),
        (35.3, datetime(2023, 2, 5, 22, 0, tzinfo=UTC)),
        (-175.2, datetime(2023, 2, 6, 12, 0, tzinfo=UTC)),
        (178.4, datetime(2023, 2, 5, 12, 0, tzinfo=UTC)),
        (7.5, datetime(2023, 2, 6, 0, 0, tzinfo=UTC)),
        (22.5, datetime(2023, 2, 5, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_day_starts_at_its_nautical_midnight(lon_deg, starts_at):
    assert local_day_start(date(2023, 2, 6), lon_deg) == starts_at


def test_the_tables_name_units_and_countries_that_exist():
    borders = msgspec.json.decode((DATA / "countries.json").read_bytes())
    # PS is named before the source draws it as one, so that it cannot be forgotten then.
    units = {unit["unit"] for unit in borders["units"]} | {"PS"}
    with (DATA / "overrides.csv").open(encoding="utf-8", newline="") as file:
        overrides = list(csv.DictReader(file))
    with (DATA / "posts.csv").open(encoding="utf-8", newline="") as file:
        posts = list(csv.DictReader(file))
    assert {row["unit"] for row in overrides} <= units
    assert {row["country"] for row in (*overrides, *posts)} <= known_countries()
    assert all(row["why"] for row in overrides)
    assert all(row["source"] for row in posts)
    left_out = {u["unit"] for u in borders["units"] if u["code"] is None}
    assert left_out <= {row["unit"] for row in overrides}


def test_the_data_say_where_they_come_from_and_stay_small():
    provenance = (DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    for word in ("country-coder", "ISC", "How derived", "Error", "overrides.csv", "posts.csv"):
        assert word in provenance
    assert (DATA / "countries.json").stat().st_size <= 1_500_000
    assert len(DATA_VERSION) == 12
