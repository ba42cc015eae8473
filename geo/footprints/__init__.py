"""Footprints: the area an incident affects, by the best model that applies."""

from geo.footprints import earthquake, given, radius
from geo.footprints.base import Band, Footprint, Model
from schemas.report import IncidentReported

__all__ = ["FOOTPRINTS", "Band", "Footprint", "Model", "footprint_of"]

FOOTPRINTS: tuple[Model, ...] = (given.MODEL, earthquake.MODEL, radius.MODEL)
"""All models, best first: what the source draws, then science, then a guess."""


def footprint_of(report: IncidentReported) -> Footprint | None:
    """Return the footprint of the first model that applies to a report.

    None: the area is unknown; the incident is still to be shown and counted.
    """
    for model in FOOTPRINTS:
        found = model.footprint(report)
        if found is not None:
            return found
    return None
