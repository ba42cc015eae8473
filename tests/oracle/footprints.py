"""What a report affects: the area it draws, a model, or a radius by type.

The earthquake relation is the hypocentral form of Allen, Wald & Worden (2012),
"Intensity attenuation for active crustal regions", J. Seismol. 16:409-433.
"""

import math
from functools import cache
from typing import NamedTuple

from tests.oracle.places import Area
from tests.oracle.times import DAY, Fact

INTENSITIES = ((7.5, "VIII", 4), (6.5, "VII", 3), (5.5, "VI", 2), (5.0, "possible", 1))
"""Least intensity, name and rank of each band, worst first."""
ASSUMED_DEPTH_KM = 10.0
RADIUS_KM = {
    "volcano": 30.0,
    "cyclone": 300.0,
    "flood": 50.0,
    "wildfire": 20.0,
    "tsunami": 100.0,
}
LASTS = {
    "earthquake": 3 * DAY,
    "tsunami": DAY,
    "volcano": 7 * DAY,
    "cyclone": 3 * DAY,
    "flood": 7 * DAY,
    "wildfire": 3 * DAY,
    "drought": 30 * DAY,
    "weather": DAY,
    "conflict": 7 * DAY,
    "health": 30 * DAY,
    "other": 3 * DAY,
}
"""How long a footprint holds from the onset where the report does not say."""


class Band(NamedTuple):
    """One zone of a footprint."""

    name: str
    rank: int
    areas: tuple[Area, ...]
    possible_only: bool


def intensity(magnitude: float, hypocentral_km: float) -> float:
    """Return the macroseismic intensity at a hypocentral distance."""
    near_km = -0.209 + 2.042 * math.exp(magnitude - 5.0)
    value = 2.085 + 1.428 * magnitude - 1.402 * math.log(math.hypot(hypocentral_km, near_km))
    if hypocentral_km > 50.0:
        value += 0.078 * math.log(hypocentral_km / 50.0)
    return value


@cache
def epicentral_km(magnitude: float, depth_km: float, level: float) -> float:
    """Return how far from the epicentre an intensity is reached; 0 if nowhere."""
    depth_km = max(0.0, depth_km)

    def felt(epicentral: float) -> float:
        return intensity(magnitude, max(1e-6, math.hypot(epicentral, depth_km)))

    if felt(0.0) < level:
        return 0.0
    near, far = 0.0, 20_000.0
    for _ in range(80):
        middle = (near + far) / 2.0
        near, far = (middle, far) if felt(middle) >= level else (near, middle)
    return near


SMALLEST = 5.0


def bands_of(report: Fact) -> tuple[Band, ...]:
    """Return the bands of a report's footprint; none if its area is unknown."""
    if report.get("areas"):
        return (Band("given", 2, tuple(report["areas"]), possible_only=False),)
    position = report.get("position")
    if not position:
        return ()
    if report["hazard"] == "earthquake":
        if (report.get("magnitude") or 0.0) < SMALLEST:
            return ()
        depth_m = report.get("depth_m")
        depth_km = ASSUMED_DEPTH_KM if depth_m is None else depth_m / 1000.0
        reached = (
            (name, rank, epicentral_km(report["magnitude"], depth_km, level))
            for level, name, rank in INTENSITIES
        )
        return tuple(
            Band(name, rank, (circle(position, km),), possible_only=name == "possible")
            for name, rank, km in reached
            if km > 0.0
        )
    km = RADIUS_KM.get(report["hazard"])
    if km is None:
        return ()
    return (Band("radius", 2, (circle(position, km),), possible_only=False),)


def circle(position: Fact, radius_km: float) -> Area:
    """Return a circle around a position."""
    return {
        "kind": "circle",
        "lon_deg": position["lon_deg"],
        "lat_deg": position["lat_deg"],
        "radius_m": radius_km * 1000.0,
    }
