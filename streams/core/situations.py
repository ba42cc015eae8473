"""Situations: an incident with its aftershocks, or what an officer declared.

Which earthquake is the mainshock of which is a function of the set of
incidents (docs/semantics.md section 7).
"""

import math
from collections.abc import Sequence

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
    quakes = sorted(
        (i for i in incidents if i.report.hazard is Hazard.EARTHQUAKE and i.report.position),
        key=lambda i: (i.report.onset_at, i.incident_id),
    )
    root: dict[str, str] = {}
    for n, quake in enumerate(quakes):
        for earlier in quakes[:n]:
            if _in_window(earlier, quake, limits):
                root[quake.incident_id] = root.get(earlier.incident_id, earlier.incident_id)
                break
    return root


def _in_window(earlier: Incident, quake: Incident, limits: Thresholds) -> bool:
    first, second = earlier.report, quake.report
    if first.magnitude is None or first.position is None or second.position is None:
        return False
    if second.onset_at - first.onset_at > limits.aftershock:
        return False
    apart_m = distance_m(
        first.position.lon_deg,
        first.position.lat_deg,
        second.position.lon_deg,
        second.position.lat_deg,
    )
    return apart_m <= aftershock_radius_m(first.magnitude, limits)
