"""What a footprint is, and what a model of one must do.

A model is one module with a ``MODEL``: a function from a report to a
footprint, or None where the model has nothing to say (other hazard, magnitude
or position missing). It is pure, and says where its numbers come from.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.codelists import Hazard
from schemas.place import Area
from schemas.report import IncidentReported

DAY_S = 86_400

VALID_S: dict[Hazard, int] = {
    Hazard.EARTHQUAKE: 3 * DAY_S,
    Hazard.TSUNAMI: 1 * DAY_S,
    Hazard.VOLCANO: 7 * DAY_S,
    Hazard.CYCLONE: 3 * DAY_S,
    Hazard.FLOOD: 7 * DAY_S,
    Hazard.WILDFIRE: 3 * DAY_S,
    Hazard.DROUGHT: 30 * DAY_S,
    Hazard.WEATHER: 1 * DAY_S,
    Hazard.CONFLICT: 7 * DAY_S,
    Hazard.HEALTH: 30 * DAY_S,
    Hazard.OTHER: 3 * DAY_S,
}
"""How long a zone stays in force where the report does not say, in seconds.

Rollcall's own choice, for the ministry to replace: long enough that people
are accounted for, short enough that a forgotten report does not stand for
weeks. Only the 72 hours of an earthquake are fixed elsewhere (docs/semantics.md).
"""


class Band(NamedTuple):
    """One band of a footprint.

    ``band`` is "VIII", "VII", "VI", "possible", "given" or "radius";
    ``rank`` orders the bands of one incident, higher is worse (possible 1,
    VI 2, VII 3, VIII 4; given and radius 2). ``possible_only`` marks a band
    too uncertain for more than the tier possible.
    """

    band: str
    rank: int
    areas: tuple[Area, ...]
    possible_only: bool


class Footprint(NamedTuple):
    """The area an incident affects, in bands, worst first.

    No band at all: the model says that nobody is affected. ``estimated``:
    modelled, not observed. ``verified``: checked against published values
    (tests/geo/data). ``valid_s``: seconds for which it holds where the
    report gives no expiry, from the onset or, of what evolves, from the last
    time its source said so.
    """

    bands: tuple[Band, ...]
    model: str
    estimated: bool
    verified: bool
    valid_s: int


class Model(NamedTuple):
    """A footprint model: its name, and the function itself."""

    name: str
    footprint: Callable[[IncidentReported], Footprint | None]
