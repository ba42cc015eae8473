"""Every geometry in the recorded payloads becomes an area or an AreaError."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geo.areas import (
    AreaError,
    circle_from_cap,
    polygons_from_cap,
    polygons_from_geojson,
    to_geojson,
)
from geo.join import compile_areas
from geo.places import countries_touching, known_countries
from geo.shapes import to_shapely

pytestmark = pytest.mark.samples

GEOMETRIES = {"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
CAP = re.compile(r"<(?:cap:)?(polygon|circle)>(.*?)</", re.DOTALL)


@pytest.fixture
def samples() -> Path:
    folder = os.environ.get("ROLLCALL_SAMPLES")
    if not folder:
        pytest.skip("ROLLCALL_SAMPLES is not set: no recorded payloads to read")
    return Path(folder)


def geometries(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") in GEOMETRIES and "coordinates" in node:
            yield node
        for value in node.values():
            yield from geometries(value)
    elif isinstance(node, list):
        for value in node:
            yield from geometries(value)


def outcome(geometry: dict[str, Any]) -> str:
    try:
        repaired = polygons_from_geojson(geometry)
    except AreaError as error:
        return str(error).split(":")[0]
    assert to_shapely(repaired.area).is_valid
    assert repaired.area_change < 0.01
    assert compile_areas((repaired.area,)).boxes.size
    assert set(countries_touching((repaired.area,))) <= known_countries()
    # Once repaired, nothing is left to repair.
    assert polygons_from_geojson(to_geojson(repaired.area)).area_change == 0.0
    return "area"


@pytest.mark.parametrize("folder", ["gdacs", "nws", "meteoalarm", "usgs", "eonet", "emsc"])
def test_recorded_geojson(samples, folder):
    found: Counter[str] = Counter()
    for file in sorted((samples / folder).glob("*.json")):
        found.update(outcome(g) for g in geometries(json.loads(file.read_bytes())))
    reasons = set(found) - {"area"}
    not_areas = {
        f"{kind} is not an area; expected Polygon or MultiPolygon with coordinates"
        for kind in GEOMETRIES
    }
    assert reasons <= not_areas | {"the polygon is degenerate"}
    if folder == "gdacs":
        assert (found["area"], found["the polygon is degenerate"]) == (16, 8)


def test_recorded_cap_polygons_and_circles(samples):
    areas, refused = 0, []
    for name in ("cap", "meteoalarm"):
        for file in sorted((samples / name).iterdir()):
            for kind, text in CAP.findall(file.read_bytes().decode("utf-8", "replace")):
                read = polygons_from_cap if kind == "polygon" else circle_from_cap
                try:
                    read(text)
                except AreaError as error:
                    refused.append(str(error))
                else:
                    areas += 1
    assert areas >= 12
    assert set(refused) == {
        "the circle has radius 0 km: a point, not an area",
        "too few points: a ring needs three corners, this has 0",  # an empty element
    }
