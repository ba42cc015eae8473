"""Shaking of an earthquake without a ShakeMap: Allen, Wald and Worden 2012.

T. I. Allen, D. J. Wald, C. B. Worden (2012), "Intensity attenuation for active
crustal regions", Journal of Seismology 16, 409-433; the form in hypocentral
distance. For active crust, magnitudes 5.0 to 7.9, up to 300 km. Above and
farther it is computed all the same and means less; below magnitude 5 it draws
nothing, for there it would flag a country for every tremor (of the recorded
week of April 2016, an M 2.5 in California). Depths over 40 km and subduction
slabs are outside the relation.

Of 46 crustal earthquakes, the ring at intensity 5.5 caught 82 % of the
observations of VI and more, the ring at 5.0 93 % (reference/geo.md, section
6): so band VI is drawn at 5.5, and the ring at 5.0 says no more than possible.
"""

import math

from geo.footprints.base import VALID_S, Band, Footprint, Model
from schemas.codelists import Hazard
from schemas.place import Circle, Position
from schemas.report import IncidentReported

ASSUMED_DEPTH_M = 10_000.0
"""Depth where the report gives none (design 4.6); the model's name says so."""

SMALLEST = 5.0
"""Lowest magnitude of the relation's data; smaller ones draw nothing."""

BANDS: tuple[tuple[str, int, float], ...] = (
    ("VIII", 4, 7.5),
    ("VII", 3, 6.5),
    ("VI", 2, 5.5),
    ("possible", 1, 5.0),
)
"""Name, rank and lowest intensity (MMI) of each band, worst first."""

FARTHEST_KM = 20_000.0
SETTLED_KM = 1e-9


def intensity(magnitude: float, depth_m: float | None, epicentral_m: float) -> float:
    """Return the expected intensity (MMI) at a distance from the epicentre.

    I = 2.085 + 1.428 M - 1.402 ln sqrt(R^2 + Rm^2) [+ 0.078 ln(R / 50), R > 50]
    with Rm = -0.209 + 2.042 exp(M - 5) and R the hypocentral distance in km.
    Depths above sea level count as 0; None as 10 km.
    """
    return _at_hypocentral_km(magnitude, math.hypot(epicentral_m / 1000.0, _depth_km(depth_m)))


def radius_m(magnitude: float, depth_m: float | None, level: float) -> float | None:
    """Return the epicentral distance to which an intensity reaches, in metres.

    To within 1 m; None if not even the epicentre reaches it. The relation
    falls with distance, its slope alone jumps at 50 km, so bisection finds
    the one crossing. (Above M 9.6 it rises a little from 50 km on, at
    intensities far over any band.)
    """
    near_km, far_km = _depth_km(depth_m), FARTHEST_KM
    depth_km = near_km
    if _at_hypocentral_km(magnitude, near_km) < level:
        return None
    while far_km - near_km > SETTLED_KM:
        middle_km = (near_km + far_km) / 2.0
        if _at_hypocentral_km(magnitude, middle_km) >= level:
            near_km = middle_km
        else:
            far_km = middle_km
    return math.sqrt(max(near_km**2 - depth_km**2, 0.0)) * 1000.0


def footprint(report: IncidentReported) -> Footprint | None:
    """Return the bands of an earthquake; None without magnitude or position.

    No bands below magnitude 5, or if intensity 5.0 is not reached anywhere.
    """
    if report.hazard is not Hazard.EARTHQUAKE:
        return None
    if report.magnitude is None or report.position is None:
        return None
    bands = tuple(
        Band(name, rank, (_circle(report.position, reach_m),), name == "possible")
        for name, rank, level in BANDS
        if report.magnitude >= SMALLEST
        and (reach_m := radius_m(report.magnitude, report.depth_m, level))
    )
    assumed = ", depth 10 km assumed" if report.depth_m is None else ""
    return Footprint(
        bands=bands,
        model=f"Allen, Wald and Worden 2012{assumed}",
        estimated=True,
        verified=True,
        valid_s=VALID_S[Hazard.EARTHQUAKE],
    )


def _at_hypocentral_km(magnitude: float, r_km: float) -> float:
    saturation_km = -0.209 + 2.042 * math.exp(magnitude - 5.0)
    value = 2.085 + 1.428 * magnitude - 1.402 * math.log(math.hypot(r_km, saturation_km))
    return value + 0.078 * math.log(r_km / 50.0) if r_km > 50.0 else value


def _depth_km(depth_m: float | None) -> float:
    return max(ASSUMED_DEPTH_M if depth_m is None else depth_m, 0.0) / 1000.0


def _circle(at: Position, reach_m: float) -> Circle:
    return Circle(lon_deg=at.lon_deg, lat_deg=at.lat_deg, radius_m=reach_m)


MODEL = Model("earthquake", footprint)
