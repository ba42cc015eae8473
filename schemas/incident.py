"""Incidents, advisories and situations as the desk sees them now."""

from schemas.codelists import AdviceScope, Hazard, Severity
from schemas.envelope import At, Event, Value, normalise_times
from schemas.place import Area, Position


class Member(Value, frozen=True, kw_only=True):
    """One source's latest word within an incident."""

    chain_id: str
    source: str
    event_id: str
    sent_at: At
    ended: bool = False
    magnitude: float | None = None
    position: Position | None = None
    native_level: str | None = None

    def __post_init__(self) -> None:
        """Normalise times to UTC."""
        normalise_times(self)


class IncidentChanged(Event, frozen=True, kw_only=True):
    """An incident as it now stands, absolute.

    ``incident_id`` derives from the smallest member chain. ``life`` is the
    state of the life-cycle table. ``area_known`` False: visible, counted,
    but nobody can be matched. ``void``: merged into another by content, so
    this id stands for nothing any more.
    """

    incident_id: str
    hazard: Hazard
    title: str
    onset_at: At
    version: int
    life: str
    headline_source: str
    members: tuple[Member, ...]
    situation_id: str | None = None
    mainshock_id: str | None = None
    magnitude: float | None = None
    depth_m: float | None = None
    depth_assumed: bool = False
    position: Position | None = None
    severity: Severity = Severity.UNKNOWN
    native_level: str | None = None
    area_known: bool = True
    expires_at: At | None = None
    void: bool = False


class AdvisoryChanged(Event, frozen=True, kw_only=True):
    """Advice as it now stands, absolute, and what it was before.

    ``change`` is opened, raised, lowered, scope, ended or editorial.
    """

    advisory_id: str
    issuer: str
    title: str
    native_level: str
    level: int
    scope: AdviceScope
    change: str
    sent_at: At
    version: int
    previous_level: int | None = None
    previous_scope: AdviceScope | None = None
    areas: tuple[Area, ...] = ()
    valid_from: At | None = None
    valid_to: At | None = None
    zoned: bool = False


class SituationChanged(Event, frozen=True, kw_only=True):
    """What a ledger is kept for, absolute; copied into every partition.

    ``aliases`` are all ids under which members or merged situations are
    known, so that an override given under one of them finds its way.
    ``expires_at`` is when the last member incident ends by itself, None if
    that is not known: past it, its numbers are history and raise no alert.
    """

    situation_id: str
    title: str
    hazard: Hazard
    onset_at: At
    incident_ids: tuple[str, ...]
    seq: int
    aliases: tuple[str, ...] = ()
    declared_by: str | None = None
    reason: str | None = None
    closed: bool = False
    void: bool = False
    expires_at: At | None = None
