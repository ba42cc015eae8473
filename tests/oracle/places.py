"""Places, areas and P(inside): semantics.md section 1."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle.countries import Countries
from tests.oracle.shapes import distance_m, shape_of, signed_to_shape_m

FAR = -math.inf

Area = Mapping[str, Any]
"""An area as it stands in JSON: kind circle, polygons or countries."""


def p_inside(signed_m: float, radius_m: float) -> float:
    """Return Phi(signed distance / sigma), sigma = radius / 1.51, to 3 decimals."""
    if math.isinf(signed_m):
        return 1.0 if signed_m > 0 else 0.0
    return round(0.5 * math.erfc(-signed_m / (radius_m / 1.51) / math.sqrt(2.0)), 3)


def signed_to_area_m(
    area: Area, lon: float, lat: float, filed_country: str | None, countries: Countries
) -> float:
    """Return the signed distance of a place to the boundary of one area.

    ``filed_country`` is the country of a place of address, city or admin1
    precision, which alone decides where the area is a whole country; ``None``
    for a point, which is inside a country by geometry.
    """
    if area["kind"] == "circle":
        return float(area["radius_m"] - distance_m(area["lon_deg"], area["lat_deg"], lon, lat))
    if area["kind"] == "polygons":
        return signed_to_shape_m(shape_of(area["polygons"]), lon, lat)
    if filed_country is not None:
        return math.inf if filed_country in area["codes"] else FAR
    shape = countries.together(area["codes"])
    return signed_to_shape_m(shape, lon, lat) if shape else FAR


def signed_m(
    areas: Sequence[Area],
    lon: float,
    lat: float,
    filed_country: str | None,
    countries: Countries,
) -> float:
    """Return the signed distance of a place to the union of areas.

    That of the area it is deepest in, or nearest to: exact outside, and inside
    wherever the areas do not overlap.
    """
    return max(
        (signed_to_area_m(area, lon, lat, filed_country, countries) for area in areas),
        default=FAR,
    )
