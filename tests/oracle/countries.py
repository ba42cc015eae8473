"""Countries from the reference data file, read as data, by numpy alone.

The file holds units (a country or a part of one), each with the alpha-2 code
it counts for and polygons of flat rings [lon, lat, lon, lat, ...].
"""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracle.shapes import (
    Array,
    Shape,
    contains,
    ring_crosses,
    shape_of,
    signed_to_shape_m,
    within,
)

DATA = Path(__file__).parents[2] / "geo" / "data"
STEP_AND_MORE_M = 21_000.0
"""More than the longest edge: how far a boundary may be from the ends of its edges."""


Drawn = Sequence[Sequence[Sequence[tuple[float, float]]]]
"""Polygons of rings of (lon, lat), as they stand in the data."""


class Countries:
    """Which country a point is in, and which countries an area touches."""

    def __init__(self, drawn: Mapping[str, Drawn]) -> None:
        self._drawn = drawn
        self._shapes = {code: shape_of(drawn[code]) for code in sorted(drawn)}
        self._at: dict[tuple[float, float], str | None] = {}
        self._joined: dict[tuple[str, ...], Shape | None] = {}

    @classmethod
    def load(cls, folder: Path = DATA) -> "Countries":
        """Read the reference data; parts of one country are taken together.

        ``overrides.csv`` says which country a unit counts for instead.
        """
        with (folder / "overrides.csv").open(encoding="utf-8") as rows:
            decided = {row["unit"]: row["country"] for row in csv.DictReader(rows)}
        polygons: dict[str, list[list[list[tuple[float, float]]]]] = {}
        for unit in json.loads((folder / "countries.json").read_text())["units"]:
            code = decided.get(unit["unit"], unit["code"])
            if code:
                polygons.setdefault(code, []).extend(
                    [list(zip(ring[::2], ring[1::2], strict=True)) for ring in rings]
                    for rings in unit["polygons"]
                )
        return cls(polygons)

    def together(self, codes: Sequence[str]) -> Shape | None:
        """Return the shape of countries taken as one; None if none is known."""
        key = tuple(sorted(set(codes)))
        if key not in self._joined:
            polygons = [polygon for code in key for polygon in self._drawn.get(code, ())]
            self._joined[key] = shape_of(polygons) if polygons else None
        return self._joined[key]

    def at(self, lon: float, lat: float) -> str | None:
        """Return the country a point is in, the first by code; None at sea."""
        if (lon, lat) not in self._at:
            holding = (c for c, shape in self._shapes.items() if within(shape, lon, lat))
            self._at[lon, lat] = next(holding, None)
        return self._at[lon, lat]

    def touched(self, areas: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        """Return the countries that share a point with a union of areas."""
        found: set[str] = set()
        for area in areas:
            if area["kind"] == "countries":
                found.update(area["codes"])
            elif area["kind"] == "circle":
                found.update(c for c in self._shapes if self._reached(c, area))
            else:
                drawn = shape_of(area["polygons"])
                found.update(c for c in self._shapes if self._shared(c, drawn))
        return frozenset(found)

    def _reached(self, code: str, circle: Mapping[str, Any]) -> bool:
        """Return whether the distance from the centre to a country is within the radius."""
        lon, lat, radius_m = circle["lon_deg"], circle["lat_deg"], circle["radius_m"]
        shape = self._shapes[code]
        if float(roughly_m(shape.edges[:, 0], lon, lat).min()) * 0.99 > radius_m + STEP_AND_MORE_M:
            return bool(within(shape, lon, lat))
        return bool(signed_to_shape_m(shape, lon, lat) >= -radius_m)

    def _shared(self, code: str, drawn: Shape) -> bool:
        """Return whether two multipolygons share a point."""
        return any(
            contains(mine, *other[0][0])
            or contains(other, *mine[0][0])
            or any(ring_crosses(a, b) for a in mine for b in other)
            for mine in self._shapes[code].polygons
            for other in drawn.polygons
        )


def roughly_m(points: Array, lon: float, lat: float) -> Array:
    """Return distances on a sphere, good to 1 %, from one point to many."""
    half_lon, half_lat = np.radians(points[:, 0] - lon) / 2, np.radians(points[:, 1] - lat) / 2
    h = np.sin(half_lat) ** 2 + (
        math.cos(math.radians(lat)) * np.cos(np.radians(points[:, 1])) * np.sin(half_lon) ** 2
    )
    return np.asarray(2 * 6_371_000.0 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))
