"""Zones: any area in force that people are matched with."""

from schemas.codelists import Hazard, Revision
from schemas.envelope import At, Event
from schemas.place import Area


class ZoneChanged(Event, frozen=True, kw_only=True):
    """One version of one zone, absolute; copied into every partition.

    A zone is a footprint band of an incident or the area of an advisory.
    ``cause_id`` is the incident id or advisory id; ``situation_id`` is None
    where no ledger is kept (advice). ``version`` counts the versions by
    content, from 1. In force for exposures over [valid_from, valid_to).
    ``onset_at`` is the member incident's onset: statements before it do not
    count. ``corrected``: superseded by a correction or cancelled, so it holds
    nobody any more (it makes ``no_longer_affected``). ``void``: this version
    does not exist any more (other members, other split): drop it.

    ``rank`` orders the bands of one cause, higher is worse. ``possible_only``
    caps the tier at possible. ``centre_*`` is the epicentre, for distances.
    ``touches`` are the countries the area touches, for country-only stays.
    ``seq`` is the desk's own counter: a lower one never replaces a higher.
    ``more``: another zone of the same change follows; people are evaluated
    once, after the last, so that nobody passes through a state half changed.
    """

    zone_id: str
    version: int
    seq: int
    cause_id: str
    hazard: Hazard
    title: str
    band: str
    rank: int
    areas: tuple[Area, ...]
    onset_at: At
    valid_from: At
    revision: Revision
    model: str
    situation_id: str | None = None
    valid_to: At | None = None
    corrected: bool = False
    void: bool = False
    more: bool = False
    possible_only: bool = False
    advisory: bool = False
    level: int | None = None
    estimated: bool = False
    centre_lon_deg: float | None = None
    centre_lat_deg: float | None = None
    touches: tuple[str, ...] = ()
