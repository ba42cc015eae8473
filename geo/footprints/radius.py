"""A circle by type of hazard: where nothing better is known than a point.

Rough by nature, so marked estimated and not verified. Hazards without a
sensible radius (drought, conflict, health, weather without an area) get none:
their area is unknown, which is shown, not guessed.
"""

from geo.footprints.base import VALID_S, Band, Footprint, Model
from schemas.codelists import Hazard
from schemas.place import Circle
from schemas.report import IncidentReported

RADIUS_M: dict[Hazard, float] = {
    Hazard.VOLCANO: 30_000.0,
    Hazard.CYCLONE: 300_000.0,
    Hazard.FLOOD: 50_000.0,
    Hazard.WILDFIRE: 20_000.0,
    Hazard.TSUNAMI: 100_000.0,
}
"""Radius around the reported point, in metres.

Volcano: the outermost ring of the population indices of the volcano
literature (5 / 10 / 30 km). The others are Rollcall's own choice, for the
ministry to replace: cyclone, the order of the radius of gale-force winds;
flood, a river basin's district; wildfire, a few days of spread; tsunami, the
near coast.
"""


def footprint(report: IncidentReported) -> Footprint | None:
    """Return the circle of the hazard's radius; None without one or a point."""
    radius_m = RADIUS_M.get(report.hazard)
    if radius_m is None or report.position is None:
        return None
    at = report.position
    circle = Circle(lon_deg=at.lon_deg, lat_deg=at.lat_deg, radius_m=radius_m)
    return Footprint(
        bands=(Band("radius", 2, (circle,), possible_only=False),),
        model=f"radius {radius_m / 1000.0:.0f} km by type",
        estimated=True,
        verified=False,
        valid_s=VALID_S[report.hazard],
    )


MODEL = Model("radius", footprint)
