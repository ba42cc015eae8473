"""What sources draw becomes an area, or an AreaError that says why not."""

import math
from typing import Any

import numpy as np
import pytest
import shapely

from geo.areas import (
    AreaError,
    Repaired,
    circle_from_cap,
    polygons_from_cap,
    polygons_from_geojson,
    to_geojson,
)
from geo.shapes import to_shapely
from schemas.place import MAX_VERTICES, Circle, Countries, Polygons


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in r] for r in rings]}


def holds(repaired: Repaired, lon: float, lat: float) -> bool:
    return to_shapely(repaired.area).intersects(shapely.Point(lon, lat))


SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]


def test_a_good_polygon_comes_out_unchanged():
    hole = [(4, 4), (4, 6), (6, 6), (6, 4), (4, 4)]
    repaired = polygons_from_geojson(polygon(SQUARE, hole))
    assert repaired.area == Polygons(polygons=((tuple(SQUARE), tuple(hole)),))
    assert repaired.area_change == 0.0


def test_winding_is_set_right_and_rings_are_closed_and_heights_dropped():
    clockwise_open = [(0, 0, 5), (0, 10, 5), (10, 10, 5), (10, 0, 5)]
    repaired = polygons_from_geojson(polygon(clockwise_open))
    ((ring,),) = repaired.area.polygons
    assert shapely.LinearRing(ring).is_ccw
    assert ring[0] == ring[-1]
    assert set(ring) == {(0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (10.0, 0.0)}
    assert repaired.area_change == 0.0


def test_a_feature_stands_for_its_geometry():
    feature = {"type": "Feature", "properties": {}, "geometry": polygon(SQUARE)}
    assert polygons_from_geojson(feature) == polygons_from_geojson(polygon(SQUARE))


@pytest.mark.parametrize(
    "ring",
    [
        [(178, -20), (-178, -20), (-178, -15), (178, -15), (178, -20)],
        [(178, -20), (182, -20), (182, -15), (178, -15), (178, -20)],
        [(-182, -20), (-178, -20), (-178, -15), (-182, -15), (-182, -20)],
        [(178, -20), (178, -15), (-178, -15), (-178, -20), (178, -20)],
    ],
    ids=["jumping", "past 180", "past -180", "jumping clockwise"],
)
def test_a_box_over_the_antimeridian_is_cut_however_it_is_written(ring):
    repaired = polygons_from_geojson(polygon(ring))
    assert sorted(to_shapely(repaired.area).bounds) == [-180.0, -20.0, -15.0, 180.0]
    assert len(repaired.area.polygons) == 2
    assert repaired.area_change == 0.0
    assert holds(repaired, 179, -17)
    assert holds(repaired, -179, -17)
    assert not holds(repaired, 0, -17)
    assert not holds(repaired, 177, -17)


@pytest.mark.parametrize("turned", [0, 360])
def test_a_hole_over_the_antimeridian_stays_a_hole(turned):
    shell = [(170, -20), (-170, -20), (-170, 0), (170, 0), (170, -20)]
    hole = [(178 - turned, -12), (182 - turned, -12), (182 - turned, -8), (178 - turned, -8)]
    repaired = polygons_from_geojson(polygon(shell, hole))
    assert holds(repaired, 175, -10)
    assert holds(repaired, -175, -10)
    assert not holds(repaired, 179, -10)
    assert not holds(repaired, -179, -10)
    assert to_shapely(repaired.area).area == pytest.approx(20 * 20 - 4 * 4)


@pytest.mark.parametrize("pole", [1, -1])
def test_a_ring_around_a_pole_holds_the_pole(pole):
    lons = [-170.3, -100.1, -20.7, 60.2, 140.9]
    repaired = polygons_from_geojson(polygon([(lon, pole * 70) for lon in lons]))
    assert holds(repaired, 13.0, pole * 90)
    assert holds(repaired, -180.0, pole * 75)
    assert holds(repaired, 180.0, pole * 75)
    assert not holds(repaired, 0.0, pole * 60)
    assert not holds(repaired, 0.0, -pole * 80)


def test_a_world_of_one_box_and_a_band_around_it_stay_whole():
    world = [(-180, -90), (180, -90), (180, 90), (-180, 90), (-180, -90)]
    assert to_shapely(polygons_from_geojson(polygon(world)).area).area == 360 * 180
    band = [(-180, -10), (180, -10), (180, 10), (-180, 10), (-180, -10)]
    assert to_shapely(polygons_from_geojson(polygon(band)).area).area == 360 * 20


def test_a_bow_tie_becomes_two_triangles():
    repaired = polygons_from_geojson(polygon([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0)]))
    assert len(repaired.area.polygons) == 2
    assert to_shapely(repaired.area).area == pytest.approx(2.0)
    assert repaired.area_change == 1.0  # its two halves cancel out in the drawing


def test_what_a_ring_covers_twice_is_inside_not_a_hole():
    ring = [(0, 0), (4, 0), (4, 4), (1, 4), (1, 1), (3, 1), (3, 3), (0, 3), (0, 0)]
    assert holds(polygons_from_geojson(polygon(ring)), 2, 2)


def test_a_spike_falls_away():
    repaired = polygons_from_geojson(polygon([(0, 0), (4, 0), (9, 0), (4, 0), (4, 4), (0, 4)]))
    assert to_shapely(repaired.area).bounds == (0.0, 0.0, 4.0, 4.0)
    assert repaired.area_change == 0.0


def test_overlapping_parts_become_one_and_parts_without_area_are_left_out():
    multi = {
        "type": "MultiPolygon",
        "coordinates": [
            polygon(SQUARE)["coordinates"],
            polygon([(5, 5), (15, 5), (15, 8), (5, 8), (5, 5)])["coordinates"],
            polygon([(30, 30)] * 5)["coordinates"],
        ],
    }
    repaired = polygons_from_geojson(multi)
    assert len(repaired.area.polygons) == 1
    assert to_shapely(repaired.area).area == pytest.approx(115.0)
    assert repaired.area_change == pytest.approx(15 / 130)


HUGE = 10**400
BAD: dict[str, tuple[object, str]] = {
    "null": (None, "no geometry"),
    "feature of null": ({"type": "Feature", "geometry": None}, "no geometry"),
    "text": ("POLYGON", "JSON object"),
    "point": ({"type": "Point", "coordinates": [1, 2]}, "Point is not an area"),
    "collection": ({"type": "FeatureCollection", "features": []}, "FeatureCollection"),
    "no type": ({"coordinates": []}, "without type"),
    "no coordinates": ({"type": "Polygon"}, "list of rings"),
    "no rings": ({"type": "Polygon", "coordinates": []}, "list of rings"),
    "rings that are numbers": ({"type": "Polygon", "coordinates": [1, 2]}, "list of positions"),
    "positions that are numbers": ({"type": "Polygon", "coordinates": [[1, 2, 3]]}, "position is"),
    "two points": (polygon([(0, 0), (1, 1)]), "too few points"),
    "one point four times": (polygon([(5, 5)] * 4), "no area"),
    "a line": (polygon([(0, 0), (1, 1), (2, 2), (0, 0)]), "no area"),
    "empty multipolygon": ({"type": "MultiPolygon", "coordinates": []}, "no area"),
    "nan": (polygon([(0, 0), (1, math.nan), (1, 1)]), "latitude nan"),
    "infinity": (polygon([(0, 0), (math.inf, 0), (1, 1)]), "longitude inf"),
    "huge integer": (polygon([(0, 0), (HUGE, 0), (1, 1)]), "longitude inf"),
    "huger than Python prints": (polygon([(0, 0), (0, 10**5000), (1, 1)]), "latitude inf"),
    "swapped": (polygon([(51, 120), (52, 121), (50, 120)]), "exchanged"),
    "words": (polygon([("0", "0"), ("1", "0"), ("1", "1")]), "not str"),
    "truths": (polygon([(True, False), (1, 0), (1, 1)]), "not bool"),
    "twice around": (polygon([(x % 360 - 180, 60 + x / 90) for x in range(0, 720, 40)]), "times"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_an_area_is_refused_with_the_reason(name):
    obj, reason = BAD[name]
    with pytest.raises(AreaError, match=reason):
        polygons_from_geojson(obj)


def test_a_scribble_is_refused_at_once_instead_of_repaired_for_minutes():
    points = np.random.default_rng(1).uniform(0, 10, (3000, 2)).tolist()
    with pytest.raises(AreaError, match="crosses itself"):
        polygons_from_geojson(polygon(points))


def test_a_polygon_of_ten_megabytes_is_refused_unread():
    with pytest.raises(AreaError, match="200001 vertices; at most 200000"):
        polygons_from_geojson(polygon([(i * 1e-4, 0) for i in range(200_000)]))


@pytest.mark.parametrize("centre", [(20.0, 40.0), (180.0, -17.0)])
def test_too_many_vertices_are_simplified_outward(centre):
    a = np.linspace(0, 2 * np.pi, 30_000, endpoint=False)
    radius = 3 + 0.3 * np.sin(7 * a) + 0.02 * np.sin(911 * a)
    drawn = np.stack([centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)], axis=1)
    repaired = polygons_from_geojson(polygon(drawn.tolist()))
    area = to_shapely(repaired.area)
    assert shapely.get_num_coordinates(area) <= MAX_VERTICES
    assert 0.0 < repaired.area_change < 0.01
    corners = drawn.copy()
    corners[:, 0] = (corners[:, 0] + 180) % 360 - 180
    assert shapely.intersects_xy(area, *corners.T).all()


def test_a_cap_polygon_is_latitude_first():
    repaired = polygons_from_cap(
        "38.47,-120.14 38.34,-119.95 38.52,-119.74 38.62,-119.89 38.47,-120.14"
    )
    assert holds(repaired, -119.93, 38.48)
    assert repaired.area_change == 0.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too few points"),
        ("1,2 3,4", "too few points"),
        ("1,2 3,4 5,6,7", "lat,lon"),
        ("1,2 3,x 5,6", "not 'x'"),
        ("120,50 121,50 120,51", "exchanged"),
        ("nan,1 2,3 4,5", "latitude nan"),
        ("5,5 5,5 5,5 5,5", "no area"),
    ],
)
def test_a_bad_cap_polygon_is_refused_with_the_reason(text, reason):
    with pytest.raises(AreaError, match=reason):
        polygons_from_cap(text)


def test_a_cap_circle_is_latitude_first_and_in_kilometres():
    circle = circle_from_cap("-35.3888,147.0598 25.0")
    assert circle == Circle(lon_deg=147.0598, lat_deg=-35.3888, radius_m=25_000.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-33.1347,151.558 0.0", "radius 0 km: a point"),
        ("", "lat,lon radius_km"),
        ("1,2", "lat,lon radius_km"),
        ("1,2 x", "not 'x'"),
        ("95,2 1", "lat_deg 95.0"),
        ("1,2 -5", "radius_m is -5000.0"),
        ("1,2 nan", "radius_m is nan"),
        ("1,2 20000", "more than 10,000 km"),
    ],
)
def test_a_bad_cap_circle_is_refused_with_the_reason(text, reason):
    with pytest.raises(AreaError, match=reason):
        circle_from_cap(text)


def test_export_draws_circles_countries_and_polygons_as_multipolygons():
    tonga = to_geojson(Circle(lon_deg=-175.385, lat_deg=-20.55, radius_m=800_000.0))
    assert tonga["type"] == "MultiPolygon"
    assert len(shapely.get_parts(shapely.geometry.shape(tonga))) == 2
    drawn = polygons_from_geojson(polygon(SQUARE)).area
    assert to_geojson(drawn)["coordinates"] == [((*map(tuple, SQUARE),),)]
    benelux = shapely.geometry.shape(to_geojson(Countries(codes=("BE", "LU", "NL"))))
    assert benelux.contains(shapely.Point(4.35, 50.85))
    assert benelux.contains(shapely.Point(6.13, 49.61))
    assert not benelux.contains(shapely.Point(2.35, 48.85))
