"""Places and areas: where a person may be, and what a zone covers."""

import math
import re

from schemas.codelists import Precision
from schemas.envelope import Value, check_lonlat, check_positive_m

MAX_VERTICES = 20_000
"""Most vertices an area may carry on the wire (design 4.6)."""

COUNTRY_CODE = re.compile(r"[A-Z]{2}")
"""The form of an ISO 3166-1 alpha-2 code; whether it is assigned, geo knows."""


class Position(Value, frozen=True, kw_only=True):
    """One observed point (WGS 84).

    ``accuracy_m`` is read as the 68 % radius; absent means unknown and counts
    as 100 m.
    """

    lon_deg: float
    lat_deg: float
    accuracy_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse coordinates off the Earth and senseless accuracies."""
        check_lonlat(self.lon_deg, self.lat_deg)
        if self.accuracy_m is not None:
            check_positive_m(self.accuracy_m, "accuracy_m", zero=True)


class Place(Value, frozen=True, kw_only=True):
    """A place as filed: a country at least, a point with a radius at best.

    ``country`` is ISO 3166-1 alpha-2 (XK for Kosovo); ``admin1`` is ISO
    3166-2. Precision address or city needs the point; admin1 may carry one.
    ``radius_m`` is the 68 % radius around the point (for admin1: the radius
    of the circle that stands for the area); absent means the default of the
    precision.
    """

    precision: Precision
    country: str
    name: str | None = None
    admin1: str | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    radius_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse half a coordinate and a precision without its evidence."""
        if not COUNTRY_CODE.fullmatch(self.country):
            msg = f"country {self.country!r} is not an ISO 3166-1 alpha-2 code"
            raise ValueError(msg)
        if (self.lon_deg is None) != (self.lat_deg is None):
            msg = "lon_deg and lat_deg come together"
            raise ValueError(msg)
        if self.lon_deg is not None and self.lat_deg is not None:
            check_lonlat(self.lon_deg, self.lat_deg)
        elif self.precision not in {Precision.ADMIN1, Precision.COUNTRY}:
            msg = f"precision {self.precision} needs lon_deg and lat_deg"
            raise ValueError(msg)
        if self.radius_m is not None:
            check_positive_m(self.radius_m, "radius_m")


class Circle(Value, frozen=True, kw_only=True, tag_field="kind", tag="circle"):
    """All points within ``radius_m`` of a point, along the WGS 84 geodesic."""

    lon_deg: float
    lat_deg: float
    radius_m: float

    def __post_init__(self) -> None:
        """Refuse a centre off the Earth and an empty or endless radius."""
        check_lonlat(self.lon_deg, self.lat_deg)
        check_positive_m(self.radius_m, "radius_m")
        if self.radius_m > 10_000_000.0:
            msg = f"radius_m {self.radius_m} is more than 10,000 km"
            raise ValueError(msg)


Ring = tuple[tuple[float, float], ...]
"""Closed ring of (lon_deg, lat_deg), first equals last, RFC 7946 order."""


class Polygons(Value, frozen=True, kw_only=True, tag_field="kind", tag="polygons"):
    """A multipolygon: polygons of rings, outer first, then holes.

    Valid, cut at 180 degrees (RFC 7946 section 3.1.9), edges straight in
    lon/lat; made by ``geo.areas``, which repairs what a source sends.
    """

    polygons: tuple[tuple[Ring, ...], ...]

    def __post_init__(self) -> None:
        """Refuse empty, unclosed, oversized or non-finite rings."""
        if not self.polygons:
            msg = "a multipolygon needs at least one polygon"
            raise ValueError(msg)
        count = 0
        for polygon in self.polygons:
            if not polygon:
                msg = "a polygon needs an outer ring"
                raise ValueError(msg)
            for ring in polygon:
                count += len(ring)
                if len(ring) < 4 or ring[0] != ring[-1]:
                    msg = "a ring needs at least four points, the last equal to the first"
                    raise ValueError(msg)
                if any(
                    not (math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90)
                    for x, y in ring
                ):
                    msg = "a ring has a point that is not on Earth"
                    raise ValueError(msg)
        if count > MAX_VERTICES:
            msg = f"{count} vertices; at most {MAX_VERTICES} travel in one message"
            raise ValueError(msg)


class Countries(Value, frozen=True, kw_only=True, tag_field="kind", tag="countries"):
    """Whole countries by ISO 3166-1 alpha-2 code.

    The geometry is looked up in the reference data, whose version the engine
    version carries.
    """

    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list and what is not a code."""
        if not self.codes or not all(COUNTRY_CODE.fullmatch(code) for code in self.codes):
            msg = f"codes {self.codes!r} must be ISO 3166-1 alpha-2 codes"
            raise ValueError(msg)


Area = Circle | Polygons | Countries
"""What a zone covers."""
