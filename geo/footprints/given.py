"""The area that the source itself draws: CAP, GDACS polygons, an officer's."""

from geo.footprints.base import VALID_S, Band, Footprint, Model
from schemas.report import IncidentReported


def footprint(report: IncidentReported) -> Footprint | None:
    """Return the report's own areas as one band; None if it draws none."""
    if not report.areas:
        return None
    band = Band(band="given", rank=2, areas=report.areas, possible_only=False)
    return Footprint(
        bands=(band,),
        model="given",
        estimated=False,
        verified=True,
        valid_s=VALID_S[report.hazard],
    )


MODEL = Model("given", footprint)
