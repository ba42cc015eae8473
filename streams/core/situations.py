"""Situations: an incident with its aftershocks, or what an officer declared.

Which earthquake is the mainshock of which is a function of the set of
incidents (docs/semantics.md section 7).
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from geo.geodesy import distance_m
from schemas.codelists import Hazard
from streams.core.incidents import Incident
from streams.core.stage import derive_id
from streams.core.thresholds import Thresholds


def aftershock_radius_m(magnitude: float, limits: Thresholds) -> float:
    """Return how far from a mainshock its aftershocks are looked for.

    Twice the subsurface rupture length of Wells & Coppersmith (1994, Bull.
    Seismol. Soc. Am. 84:974-1002, Table 2A, all slip types):
    log10 RLD(km) = -2.44 + 0.59 M.
    """
    length_m: float = 1000.0 * math.pow(10.0, -2.44 + 0.59 * magnitude)
    return max(2.0 * length_m, limits.aftershock_min_m)


def situation_id_of(incident_id: str) -> str:
    """Return the id of the situation that an incident opens."""
    return derive_id("sit", incident_id)


def mainshocks(incidents: Sequence[Incident], limits: Thresholds) -> dict[str, str]:
    """Return {incident id: id of its mainshock} for linked earthquakes.

    ``incidents`` are those with a footprint, of one status. The earliest
    earlier one in whose window it lies; a chain of links ends at its root.
    """
    quakes = sorted(quake for i in incidents if (quake := _quake(i, limits)) is not None)
    root: dict[str, str] = {}
    first = 0
    for n, quake in enumerate(quakes):
        while quake.onset_at - quakes[first].onset_at > limits.aftershock:
            first += 1
        for earlier in quakes[first:n]:
            if earlier.reaches(quake):
                root[quake.incident_id] = root.get(earlier.incident_id, earlier.incident_id)
                break
    return root


M_PER_DEG_MIN = 110_500.0
"""Less than any degree of latitude on WGS 84 (110,574 m at the equator)."""


class _Quake(NamedTuple):
    """What telling aftershocks takes of an earthquake."""

    onset_at: datetime
    incident_id: str
    lon_deg: float
    lat_deg: float
    window_m: float

    def reaches(self, other: "_Quake") -> bool:
        """Tell whether another quake lies in this one's window."""
        if abs(self.lat_deg - other.lat_deg) * M_PER_DEG_MIN > self.window_m:
            return False
        apart_m = distance_m(self.lon_deg, self.lat_deg, other.lon_deg, other.lat_deg)
        return apart_m <= self.window_m


def _quake(incident: Incident, limits: Thresholds) -> _Quake | None:
    report = incident.report
    position = report.position
    if report.hazard is not Hazard.EARTHQUAKE or position is None:
        return None
    window_m = -1.0
    if report.magnitude is not None:
        window_m = aftershock_radius_m(report.magnitude, limits)
    return _Quake(
        report.onset_at, incident.incident_id, position.lon_deg, position.lat_deg, window_m
    )
