"""Distances and circles against known places and against brute force."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from geo.geodesy import (
    circle_polygons,
    destination,
    distance_m,
    distances_m,
    reach_box,
    ring,
)
from geo.shapes import to_shapely
from schemas.place import Circle

M78, M75 = (37.014, 37.226), (37.196, 38.011)
MARRAKESH_2023, TONGA_2022 = (-8.440, 31.110), (-175.385, -20.55)

# City centres, good to about 2 km; the distances are those of the scenarios, in km.
R1 = {
    "Gaziantep": (37.3781, 37.0662, 37, 106),
    "Kahramanmaras": (36.9228, 37.5753, 40, 54),
    "Aleppo": (37.1612, 36.2012, 114, 201),
    "Antakya": (36.1500, 36.2066, 137, 221),
    "Adana": (35.3213, 37.0000, 153, 200),
    "Diyarbakir": (40.2306, 37.9144, 294, 267),
    "Beirut": (35.5016, 33.8933, 394, 482),
    "Nicosia": (33.3823, 35.1856, 397, 463),
    "Ankara": (32.8543, 39.9199, 470, 432),
    "Antalya": (30.7133, 36.8969, 562, 587),
    "Istanbul": (28.9784, 41.0082, 811, 781),
}
R2 = {
    "Imlil": (-7.9200, 31.1370, 50),
    "Marrakesh": (-7.9999, 31.6342, 72),
    "Essaouira": (-9.7600, 31.5131, 133),
    "Agadir": (-9.5982, 30.4202, 134),
    "Ouarzazate": (-6.8936, 30.9189, 149),
    "Casablanca": (-7.6114, 33.5883, 285),
    "Rabat": (-6.8326, 34.0133, 356),
}
R4 = {
    "Nuku'alofa": (-175.2018, -21.1494, 69),
    "Vava'u": (-173.9838, -18.6506, 257),
    "Taveuni": (-179.9600, -16.8500, 633),
    "Suva": (178.4415, -18.1416, 701),
    "Nadi": (177.4220, -17.8031, 815),
    "Apia": (-171.7667, -13.8333, 837),
    "Noumea": (166.4530, -22.2763, 1891),
    "Auckland": (174.7635, -36.8485, 2044),
}


@pytest.mark.parametrize("city", R1)
def test_turkiye_cities_lie_as_far_from_both_epicentres_as_the_scenario_says(city):
    lon, lat, first_km, second_km = R1[city]
    assert distance_m(*M78, lon, lat) / 1000 == pytest.approx(first_km, abs=1.0)
    assert distance_m(*M75, lon, lat) / 1000 == pytest.approx(second_km, abs=1.0)


def test_the_two_epicentres_are_89_km_apart():
    assert distance_m(*M78, *M75) / 1000 == pytest.approx(89, abs=0.5)


@pytest.mark.parametrize(
    ("centre", "place"),
    [*((MARRAKESH_2023, R2[name]) for name in R2), *((TONGA_2022, R4[name]) for name in R4)],
    ids=[*R2, *R4],
)
def test_places_of_marrakesh_and_tonga_lie_as_far_as_the_scenario_says(centre, place):
    lon, lat, km = place
    assert distance_m(centre[0], centre[1], lon, lat) / 1000 == pytest.approx(km, abs=1.0)


def test_one_to_many_equals_one_to_one():
    lons, lats = np.array([28.98, -179.0, 0.0]), np.array([41.01, -16.0, 90.0])
    singly = [distance_m(*M78, lon, lat) for lon, lat in zip(lons, lats, strict=True)]
    assert distances_m(*M78, lons, lats).tolist() == singly
    assert distances_m(*M78, np.array([]), np.array([])).shape == (0,)


def test_a_destination_is_where_its_distance_and_azimuth_lead():
    lon, lat = destination(179.5, 0.0, 90.0, 111_319.490793)
    assert lon == pytest.approx(-179.5, abs=1e-9)
    assert lat == pytest.approx(0.0, abs=1e-9)


def test_a_ring_is_closed_runs_counter_clockwise_and_lies_outside_its_circle():
    points = ring(10.0, 50.0, 100_000.0, n=64)
    assert len(points) == 65
    assert points[0] == points[-1]
    assert shapely.LinearRing(points).is_ccw
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(points)]
    nearest = min(distance_m(10.0, 50.0, *middle) for middle in middles)
    assert nearest == pytest.approx(100_000.0, rel=1e-3)
    assert nearest > 99_990.0


REGIONS = {
    "fiji": (180.0, -17.0),
    "chukotka": (-179.0, 66.0),
    "north pole": (40.0, 89.0),
    "at the north pole": (0.0, 90.0),
    "south pole": (-120.0, -88.5),
    "equator": (0.0, 0.0),
    "india": (78.0, 22.0),
}


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("radius_m", [30_000.0, 300_000.0, 2_500_000.0])
def test_a_drawn_circle_holds_the_points_that_geodesics_put_in_it(name, radius_m):
    lon, lat = REGIONS[name]
    drawn = to_shapely(circle_polygons(Circle(lon_deg=lon, lat_deg=lat, radius_m=radius_m)))
    assert drawn.is_valid
    rng = np.random.default_rng(42)
    azimuths = rng.uniform(0.0, 360.0, 300)
    away_m = radius_m * rng.choice([0.1, 0.6, 0.95, 0.995, 1.005, 1.05, 1.5], 300)
    at = np.array([destination(lon, lat, a, d) for a, d in zip(azimuths, away_m, strict=True)])
    inside = shapely.intersects_xy(drawn, at[:, 0], at[:, 1])
    assert inside.tolist() == (away_m < radius_m).tolist()


@pytest.mark.parametrize("name", REGIONS)
def test_the_box_of_a_reach_misses_no_point_within_it(name):
    lon, lat = REGIONS[name]
    rng = np.random.default_rng(7)
    for reach_m in (1.0, 5_000.0, 400_000.0, 6_000_000.0):
        half, south, north = (v[0] for v in reach_box(np.array([lat]), np.array([reach_m])))
        for azimuth in rng.uniform(0.0, 360.0, 200):
            x, y = destination(lon, lat, float(azimuth), reach_m)
            assert south <= y <= north
            assert abs((x - lon + 180.0) % 360.0 - 180.0) <= half
