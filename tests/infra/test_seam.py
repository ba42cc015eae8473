"""The map is cut at 180 degrees: no stripes across the world, and nothing is lost."""

import importlib
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

ASSETS = Path(__file__).parents[2] / "infra/assets"
ATLAS = Path(sys.prefix) / "assets/npm/node_modules/world-atlas/countries-10m.json"
"""Where `make assets` keeps what it builds from."""

NO_ATLAS = "the map's source is not installed; `make assets` does that"
EARTH_RADIUS_KM = 6371.0072
"""Of the sphere with the Earth's surface."""

KNOWN_KM2 = {"Russia": 17_098_000, "Fiji": 18_270, "Antarctica": 12_300_000}
"""Antarctica without its ice shelves, which the source does not draw."""


@pytest.fixture(autouse=True, scope="module")
def scripts() -> Iterator[None]:
    """Let the scripts of the assets be imported: they are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ASSETS))
        yield


def script(name: str) -> Any:
    return importlib.import_module(name)


def test_a_ring_that_names_the_seam_by_both_signs_stays_on_its_side() -> None:
    ring = [(170.0, 10.0), (-180.0, 10.0), (180.0, 20.0), (170.0, 20.0), (170.0, 10.0)]
    other = [(-180.0, 10.0), (-175.0, 10.0), (180.0, 20.0), (-180.0, 10.0)]
    plain = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]
    assert script("seam").cut_polygons([[ring], [other], [plain]]) == [
        [[(170.0, 10.0), (180.0, 10.0), (180.0, 20.0), (170.0, 20.0), (170.0, 10.0)]],
        [[(-180.0, 10.0), (-175.0, 10.0), (-180.0, 20.0), (-180.0, 10.0)]],
        [plain],
    ]


def test_what_lies_across_the_seam_is_two_parts_and_its_hole_too() -> None:
    box = [(170.0, 0.0), (-170.0, 0.0), (-170.0, 20.0), (170.0, 20.0), (170.0, 0.0)]
    lake = [(-176.0, 8.0), (-176.0, 9.0), (-178.0, 9.0), (-178.0, 8.0), (-176.0, 8.0)]
    west, east = sorted(
        (
            shapely.Polygon(outer, holes)
            for outer, *holes in script("seam").cut_polygons([[box, lake]])
        ),
        key=lambda part: part.bounds,
    )
    assert west.bounds == (-180.0, 0.0, -170.0, 20.0)
    assert east.bounds == (170.0, 0.0, 180.0, 20.0)
    assert (west.area, east.area) == (198.0, 200.0)


def test_what_goes_round_the_pole_is_closed_over_it() -> None:
    ring = [(-90.0, -70.0), (0.0, -70.0), (90.0, -70.0), (180.0, -70.0), (-90.0, -70.0)]
    parts = [shapely.Polygon(outer) for (outer,) in script("seam").cut_polygons([[ring]])]
    whole = shapely.union_all(parts)
    assert whole.bounds == (-180.0, -90.0, 180.0, -70.0)
    assert whole.area == 360.0 * 20.0


def test_a_line_across_the_seam_is_two_lines() -> None:
    assert script("seam").cut_lines([[(178.0, 0.0), (-178.0, 4.0)], [(1.0, 1.0), (2.0, 2.0)]]) == [
        [(178.0, 0.0), (180.0, 2.0)],
        [(-180.0, 2.0), (-178.0, 4.0)],
        [(1.0, 1.0), (2.0, 2.0)],
    ]


@pytest.fixture(scope="module")
def countries() -> dict[str, Any]:
    """Return the countries of the real source as they go into the tiles, by name."""
    if not ATLAS.is_file():
        pytest.skip(NO_ATLAS)
    basemap, topology = script("basemap"), script("topology")
    source = json.loads(ATLAS.read_text(encoding="utf-8"))
    arcs = topology.arcs_of(source)
    found = [basemap.country(one, arcs) for one in source["objects"]["countries"]["geometries"]]
    return {one["properties"]["name"]: one["geometry"] for one in found if one is not None}


@pytest.fixture(scope="module")
def shapes(countries: dict[str, Any]) -> dict[str, Any]:
    """Return the same, repaired where the source crosses itself."""
    return {
        name: shapely.make_valid(shape(one), method="structure") for name, one in countries.items()
    }


def on_sphere(points: Any) -> Any:
    """Return places in a flat projection that keeps areas, on a sphere of radius 1."""
    return np.column_stack([np.radians(points[:, 0]), np.sin(np.radians(points[:, 1]))])


def test_no_edge_of_a_country_crosses_the_world_but_along_the_pole(
    countries: dict[str, Any],
) -> None:
    long = [
        (name, here[1], there[1])
        for name, geometry in countries.items()
        for rings in geometry["coordinates"]
        for ring in rings
        for here, there in pairwise(ring)
        if abs(there[0] - here[0]) > 180
    ]
    assert long == [("Antarctica", -90.0, -90.0)]


def test_countries_at_the_seam_are_as_large_as_they_are(shapes: dict[str, Any]) -> None:
    areas_km2 = {
        name: shapely.transform(shapes[name], on_sphere).area * EARTH_RADIUS_KM**2
        for name in KNOWN_KM2
    }
    assert areas_km2 == pytest.approx(KNOWN_KM2, rel=0.05)


@pytest.mark.parametrize(
    ("name", "lon_deg", "lat_deg"),
    [
        pytest.param("Russia", -175.0, 66.5, id="Chukotka east of the seam"),
        pytest.param("Russia", 177.0, 67.0, id="Chukotka west of it"),
        pytest.param("Fiji", 179.98, -16.85, id="Taveuni west of it"),
        pytest.param("Fiji", -179.95, -16.9, id="Taveuni east of it"),
        pytest.param("Antarctica", 0.0, -90.0, id="the south pole"),
    ],
)
def test_land_on_either_side_of_the_seam_is_land(
    shapes: dict[str, Any], name: str, lon_deg: float, lat_deg: float
) -> None:
    point = shapely.Point(lon_deg, lat_deg)
    assert [who for who, land in shapes.items() if land.intersects(point)] == [name]
