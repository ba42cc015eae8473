"""The join, in both directions, against known places and brute force."""

import math
from typing import NamedTuple

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.areas import polygons_from_geojson, to_geojson
from geo.join import (
    PlaceIndex,
    Shape,
    ZoneIndex,
    compile_areas,
    match_one,
    p_inside,
    signed_distance_m,
)
from geo.places import UnknownCountryError
from schemas.place import Area, Circle, Countries, Polygons

WGS84 = pyproj.Geod(ellps="WGS84")

TONGA = Circle(lon_deg=-175.385, lat_deg=-20.55, radius_m=800_000.0)
IN = {
    "Nuku'alofa": (-175.2018, -21.1394),
    "Vava'u": (-173.9838, -18.6506),
    "Taveuni west of 180": (179.98, -16.85),
    "Taveuni east of 180": (-179.96, -16.85),
    "Suva": (178.4415, -18.1416),
}
OUT = {
    "Nadi": (177.4220, -17.8031),
    "Apia": (-171.7667, -13.8333),
    "Noumea": (166.4530, -22.2763),
    "Johannesburg": (28.0473, -26.2041),
    "Rio": (-43.1729, -22.9068),
    "Windhoek": (17.0832, -22.5609),
}


def one(shape: Shape, lon: float, lat: float, reach_m: float = 1e6) -> float:
    return float(signed_distance_m(shape, np.array([lon]), np.array([lat]), reach_m)[0])


@pytest.mark.parametrize("drawn", [False, True], ids=["circle", "drawn as polygons"])
def test_the_tonga_circle_holds_the_first_four_places_and_no_other(drawn):
    area: Area = polygons_from_geojson(to_geojson(TONGA)).area if drawn else TONGA
    shape = compile_areas((area,))
    for name, at in IN.items():
        assert one(shape, *at) > 0, name
    for name, at in OUT.items():
        assert one(shape, *at) < 0, name
    assert one(shape, *OUT["Nadi"]) == pytest.approx(-15_000, abs=2_000)


def test_the_cut_at_180_is_no_boundary():
    shape = compile_areas((polygons_from_geojson(to_geojson(TONGA)).area,))
    on_the_cut = one(shape, 180.0, -20.55)
    exact = 800_000.0 - WGS84.inv(-175.385, -20.55, 180.0, -20.55)[2]
    assert on_the_cut == pytest.approx(exact, rel=1e-3)


def test_a_real_boundary_at_180_is_one_from_both_sides():
    box = Polygons(polygons=((((170, 0), (180, 0), (180, 5), (170, 5), (170, 0)),),))
    shape = compile_areas((box,))
    assert one(shape, 179.9, 2.5) == pytest.approx(11_132, rel=2e-3)
    assert one(shape, -179.9, 2.5) == pytest.approx(-11_132, rel=2e-3)
    assert one(shape, 180.0, 2.5) == pytest.approx(0.0, abs=1e-6)
    assert one(shape, -180.0, 2.5) == pytest.approx(0.0, abs=1e-6)


def test_a_polar_cap_has_no_boundary_but_its_rim():
    ring = [[x, 80.0] for x in (-170.3, -100.1, -20.7, 60.2, 140.9)]
    cap = polygons_from_geojson({"type": "Polygon", "coordinates": [ring]}).area
    shape = compile_areas((cap,))
    rim_m = WGS84.inv(0, 90, 0, 80)[2]
    for lon in (-170.3, 0.0, 180.0):
        assert one(shape, lon, 90.0, 2e6) == pytest.approx(rim_m, rel=1e-3)
    assert one(shape, 33.0, 79.0) == pytest.approx(-WGS84.inv(33, 79, 33, 80)[2], rel=2e-2)


def test_the_whole_world_has_no_boundary():
    box = (((-180, -90), (180, -90), (180, 90), (-180, 90), (-180, -90)),)
    shape = compile_areas((Polygons(polygons=(box,)),))
    assert one(shape, 12.0, 34.0) == math.inf


def test_of_several_areas_the_deepest_counts_and_no_area_holds_nobody():
    near, far = (Circle(lon_deg=0.0, lat_deg=0.0, radius_m=r) for r in (10_000.0, 20_000.0))
    assert one(compile_areas((near, far)), 0.0, 0.0) == 20_000.0
    assert one(compile_areas(()), 0.0, 0.0) == -math.inf


def test_a_hole_is_outside_and_its_rim_is_boundary():
    shell = ((0, 0), (10, 0), (10, 10), (0, 10), (0, 0))
    hole = ((4, 4), (4, 6), (6, 6), (6, 4), (4, 4))
    shape = compile_areas((Polygons(polygons=((shell, hole),)),))
    assert one(shape, 5, 5) == pytest.approx(-WGS84.inv(5, 5, 5, 6)[2], rel=1e-3)
    assert one(shape, 3.9, 5) == pytest.approx(WGS84.inv(3.9, 5, 4, 5)[2], rel=2e-3)
    assert one(shape, 4, 5) == pytest.approx(0.0, abs=0.01)


def test_beyond_its_reach_a_distance_is_infinite_with_the_right_sign():
    shape = compile_areas((Countries(codes=("FR",)),))
    assert one(shape, 2.5, 47.0, 1_000.0) == math.inf
    assert one(shape, 10.0, 52.0, 1_000.0) == -math.inf


def test_a_country_is_a_zone_and_common_borders_of_several_are_not():
    brussels, border = (4.35, 50.85), (4.30, 51.46)  # at Essen, on the Dutch border
    belgium = compile_areas((Countries(codes=("BE",)),))
    benelux = compile_areas((Countries(codes=("BE", "LU", "NL")),))
    assert one(belgium, *brussels) > 20_000
    assert abs(one(belgium, *border)) < 10_000
    assert one(benelux, *border) > 40_000


def test_an_unknown_country_is_named():
    with pytest.raises(UnknownCountryError, match="ZZ"):
        compile_areas((Countries(codes=("ZZ",)),))


# ------------------------------------------------------------------ probability
def test_p_inside_is_the_normal_distribution_of_the_distance_in_sigmas():
    radius_m = np.full(7, 1510.0)  # sigma 1 km
    signed_m = np.array([-math.inf, -1000.0, 0.0, 1000.0, 1281.6, 1644.9, math.inf])
    assert p_inside(signed_m, radius_m).tolist() == [0.0, 0.159, 0.5, 0.841, 0.9, 0.95, 1.0]


def test_without_a_radius_p_is_one_inside_and_on_the_boundary_else_zero():
    signed_m = np.array([-1e-6, 0.0, 5.0, -math.inf])
    assert p_inside(signed_m, np.zeros(4)).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_a_match_tells_p_and_the_distances():
    circle = Circle(lon_deg=37.014, lat_deg=37.226, radius_m=268_847.0)
    match = match_one(compile_areas((circle,)), 35.3213, 37.0, 5_000.0, (37.014, 37.226))
    assert match.p == 1.0
    assert match.signed_m == pytest.approx(268_847 - 152_521, abs=1)
    assert match.distance_m == pytest.approx(152_521, abs=1)
    assert match_one(compile_areas((circle,)), 0.0, 0.0, 5_000.0) == (0.0, -math.inf, None)


def test_p_inside_agrees_with_monte_carlo_at_a_ragged_coast():
    rng = np.random.default_rng(5)
    a = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    away = 0.5 + sum(0.06 / k * np.sin(k * a + rng.uniform(0, 6)) for k in (2, 3, 5, 9, 17))
    ring = np.stack([10 + away * np.cos(a), 45 + 0.7 * away * np.sin(a)], axis=1).tolist()
    shape = compile_areas((polygons_from_geojson({"type": "Polygon", "coordinates": [ring]}).area,))
    lons, lats = rng.uniform(9.3, 10.7, 150), rng.uniform(44.5, 45.5, 150)
    for radius_m, mean_error in ((500.0, 0.004), (3_000.0, 0.02), (10_000.0, 0.05)):
        radii = np.full(150, radius_m)
        p = p_inside(signed_distance_m(shape, lons, lats, 3 * radii), radii)
        shift = rng.normal(0, radius_m / 1.51, (2, 150, 2000))
        x = lons[:, None] + shift[0] / (111_320 * np.cos(np.radians(lats[:, None])))
        y = lats[:, None] + shift[1] / 111_130
        inside = signed_distance_m(shape, x.ravel(), y.ravel(), 0.0).reshape(x.shape) > 0
        assert np.abs(p - inside.mean(axis=1)).mean() < mean_error


# --------------------------------------------------- brute force, numpy and pyproj alone
class Zone(NamedTuple):
    area: Area
    rings: list[np.ndarray]


def nearest_sample(
    ring: np.ndarray, t: np.ndarray, lon: float, lat: float
) -> tuple[float, int, float]:
    """Return the distance to the nearest of samples at t along every edge, and which."""
    at = ring[:-1, None] + t[None, :, None] * (ring[1:] - ring[:-1])[:, None]
    xs, ys = at.reshape(-1, 2).T
    away = WGS84.inv(np.full(xs.size, lon), np.full(xs.size, lat), xs, ys)[2]
    edge, nth = divmod(int(away.argmin()), t.size)
    return float(away.min()), edge, float(t[nth])


def brute_signed_m(zone: Zone, lon: float, lat: float) -> float:
    """Even-odd rule over unwrapped rings, distance by dense sampling of the edges."""
    if isinstance(zone.area, Circle):
        centre = (zone.area.lon_deg, zone.area.lat_deg)
        return float(zone.area.radius_m - WGS84.inv(*centre, lon, lat)[2])
    inside, nearest = False, math.inf
    for ring in zone.rings:
        x0, y0, x1, y1 = *ring[:-1].T, *ring[1:].T
        for turn in (-360.0, 0.0, 360.0):
            straddles = (y0 > lat) != (y1 > lat)
            with np.errstate(divide="ignore", invalid="ignore"):
                crosses = straddles & (lon + turn < x0 + (lat - y0) / (y1 - y0) * (x1 - x0))
            inside ^= bool(np.count_nonzero(crosses) % 2)
        edge, t = nearest_sample(ring, np.linspace(0, 1, 101), lon, lat)[1:]
        fine = np.clip(t + np.linspace(-0.01, 0.01, 801), 0, 1)
        nearest = min(nearest, nearest_sample(ring[edge : edge + 2], fine, lon, lat)[0])
    return nearest if inside else -nearest


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    lon = draw(st.sampled_from([-180.0, 179.0, 0.0, 100.0])) + draw(st.floats(-1, 1))
    lat = draw(st.sampled_from([-75.0, -17.0, 0.0, 45.0, 75.0])) + draw(st.floats(-1, 1))
    lon = (lon + 180.0) % 360.0 - 180.0
    if draw(st.booleans()):
        radius_m = draw(st.floats(1_000.0, 300_000.0))
        return Zone(Circle(lon_deg=lon, lat_deg=lat, radius_m=radius_m), [])
    n = draw(st.integers(3, 9))
    size = draw(st.floats(0.05, 3.0))
    away = np.array(draw(st.lists(st.floats(0.4, 1.0), min_size=n, max_size=n)))
    a = np.arange(n) * 2 * np.pi / n
    rings = [np.stack([lon + size * away * np.cos(a), lat + size * away * np.sin(a)], axis=1)]
    if draw(st.booleans()):
        rings.append(np.stack([lon + size * 0.1 * np.cos(a), lat + size * 0.1 * np.sin(a)], axis=1))
    rings = [np.vstack([ring, ring[:1]]) for ring in rings]
    jumping = [np.stack([(r[:, 0] + 180) % 360 - 180, r[:, 1]], axis=1).tolist() for r in rings]
    return Zone(polygons_from_geojson({"type": "Polygon", "coordinates": jumping}).area, rings)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Zone], np.ndarray, np.ndarray, np.ndarray]:
    drawn = draw(st.lists(zones(), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lons, lats = rng.uniform(-180, 180, 10), np.degrees(np.arcsin(rng.uniform(-1, 1, 10)))
    for zone in drawn:
        west, south, east, north = compile_areas((zone.area,)).boxes[0]
        lons = np.append(lons, np.clip(rng.uniform(west - 0.5, east + 0.5, 15), -180, 180))
        lats = np.append(lats, np.clip(rng.uniform(south - 0.5, north + 0.5, 15), -90, 90))
    return drawn, lons, lats, rng.choice([0.0, 100.0, 5_000.0, 200_000.0], lons.size)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_both_directions_find_what_brute_force_finds(world):
    drawn, lons, lats, reach_m = world
    shapes = {f"z{i}": compile_areas((zone.area,)) for i, zone in enumerate(drawn)}
    truth = {
        (i, key): brute_signed_m(zone, lons[i], lats[i])
        for key, zone in zip(shapes, drawn, strict=True)
        for i in range(lons.size)
    }
    for key, shape in shapes.items():
        found = signed_distance_m(shape, lons, lats, reach_m)
        for i, value in enumerate(found):
            exact = truth[i, key]
            if abs(exact) < 1.0:
                continue  # as near to the edge as the sampling is coarse
            assert (value > 0) == (exact > 0)
            if abs(exact) <= reach_m[i] * 0.999:
                assert value == pytest.approx(exact, rel=0.001, abs=1.0)
    due = {pair for pair, exact in truth.items() if exact > -reach_m[pair[0]]}

    zone_index = ZoneIndex()
    for key, shape in shapes.items():
        zone_index.add(key, shape)
    pairs = zone_index.query(lons, lats, reach_m)
    assert pairs == sorted(set(pairs))
    assert due <= set(pairs)

    place_index = PlaceIndex()
    ids = [place_index.add(*at) for at in zip(lons, lats, reach_m, strict=True)]
    assert ids == list(range(lons.size))
    for key, shape in shapes.items():
        assert {i for i, k in due if k == key} <= set(place_index.query(shape).tolist())


# ------------------------------------------------------------------ indexes
def test_zones_come_and_go():
    index = ZoneIndex()
    here = np.array([25.0]), np.array([60.0])
    assert index.query(*here, 0.0) == []
    index.add("fi", compile_areas((Countries(codes=("FI",)),)))
    index.add("to", compile_areas((TONGA,)))
    assert index.query(*here, 0.0) == [(0, "fi")]
    index.add("fi", compile_areas((Countries(codes=("PT",)),)))
    assert index.query(*here, 0.0) == []
    index.remove("to")
    assert index.query(np.array([-175.0]), np.array([-21.0]), 0.0) == []
    with pytest.raises(KeyError):
        index.remove("to")


def test_a_place_across_180_or_a_pole_is_a_candidate():
    fiji = compile_areas((Circle(lon_deg=179.9, lat_deg=-17.0, radius_m=5_000.0),))
    pole = compile_areas((Circle(lon_deg=0.0, lat_deg=89.9, radius_m=5_000.0),))
    for lon, lat, shape in ((-179.9, -17.0, fiji), (180.0, 89.9, pole)):
        index, zones_here = PlaceIndex(), ZoneIndex()
        index.add(lon, lat, 1_000.0)
        wide = index.add(lon, lat, 40_000.0)
        assert index.query(shape).tolist() == [wide]
        zones_here.add("z", shape)
        assert zones_here.query(np.array([lon]), np.array([lat]), 40_000.0) == [(0, "z")]


def test_places_grow_past_their_first_columns_and_ids_stay():
    index = PlaceIndex()
    index.add_many(np.linspace(-180, 180, 5000), np.zeros(5000), np.zeros(5000))
    assert index.add(10.0, 50.0, 100.0) == 5000
    shape = compile_areas((Circle(lon_deg=10.0, lat_deg=50.0, radius_m=100.0),))
    assert index.query(shape).tolist() == [5000]


def test_a_zone_of_many_parts_keeps_all_its_candidates():
    boxes = tuple(
        (((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)),)
        for x in range(-180, 180, 9)
        for y in (-60, 0, 60)
    )
    shape = compile_areas((Polygons(polygons=boxes),))
    index = PlaceIndex()
    middles = np.array([[b[0][0][0] + 0.5, b[0][0][1] + 0.5] for b in boxes])
    index.add_many(middles[:, 0], middles[:, 1], np.zeros(len(boxes)))
    index.add(0.5, 80.0, 0.0)
    assert index.query(shape).tolist() == list(range(len(boxes)))
