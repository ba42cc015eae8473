"""What the officer's page asks of people: lists, one person, and their story."""

from datetime import datetime
from typing import Any

from schemas.exposure import Reason
from streams.serving.answers import Answer


class Member(Answer, frozen=True, kw_only=True):
    """One member of a situation: where they stand, and where they may be.

    Point, basis, precision, place, band, ``since`` and ``as_of`` are those of
    the exposure that counts most: open before closed, surest tier first; None
    where nothing is known of it. ``contacts`` counts the attempts to reach
    them, ``last_contact`` is how the last one ended.
    """

    person_id: str
    status: str
    bucket: str
    tier: str | None
    area: str | None
    post: str | None
    by: str
    why: str
    at: datetime
    since: datetime | None
    lon_deg: float | None
    lat_deg: float | None
    radius_m: int | None
    basis: str | None
    precision: str | None
    place: str | None
    country: str | None
    band: str | None
    as_of: datetime | None
    exposed: bool
    contacts: int
    last_contact: str | None
    last_contact_at: datetime | None


class Members(Answer, frozen=True, kw_only=True):
    """One page of the members who match, and how many match in all."""

    rows: tuple[Member, ...]
    total: int


class MovementNow(Answer, frozen=True, kw_only=True):
    """One movement of the ledger: from where to where, who, when, why."""

    event_id: str
    from_bucket: str | None
    to_bucket: str | None
    at: datetime
    by: str
    by_user: str | None
    why: str
    cause_event_id: str | None
    trigger_id: str | None


class Standing(Answer, frozen=True, kw_only=True):
    """Where a person stands in one situation; ``bucket`` None: withdrawn from it."""

    situation_id: str
    status: str
    title: str | None
    closed: bool | None
    bucket: str | None
    tier: str | None
    area: str | None
    post: str | None
    by: str | None
    why: str | None
    at: datetime | None
    movements: tuple[MovementNow, ...]


class ExposureNow(Answer, frozen=True, kw_only=True):
    """One exposure as it last stood; ``closed`` says why it is no more."""

    event_id: str
    cause_id: str
    cause_ids: tuple[str, ...]
    status: str
    situation_id: str | None
    advisory: bool
    tier: str
    band: str
    bands: tuple[str, ...]
    since: datetime
    closed: str | None
    until: datetime | None
    post: str | None
    reason: Reason


class LinkNow(Answer, frozen=True, kw_only=True):
    """Two records that are, or were, held to be one person."""

    link_id: str
    person_id: str
    root_id: str
    linked: bool
    by: str
    reason: str
    at: datetime


class PersonNow(Answer, frozen=True, kw_only=True):
    """All that the store has of one person; open exposures come first."""

    person_id: str
    standings: tuple[Standing, ...]
    exposures: tuple[ExposureNow, ...]
    links: tuple[LinkNow, ...]
    contacts: int


class Moment(Answer, frozen=True, kw_only=True):
    """One thing that happened to, by or about a person.

    ``kind``: registration, check_in, contact, override, link, exposure,
    movement or alert; ``what`` is its outcome in a word of the code lists.
    ``at`` is when it happened, ``received_at`` when Rollcall knew. ``who`` is
    who stands behind it, ``source`` the system it came from.
    """

    at: datetime
    received_at: datetime | None
    kind: str
    what: str
    who: str
    source: str
    why: str | None
    status: str
    situation_id: str | None
    event_id: str
    cause_event_id: str | None
    facts: dict[str, Any]


class Trace(Answer, frozen=True, kw_only=True):
    """One record on the trail of a cause. ``cause_ids`` are what it follows from.

    ``kind`` is the name of an input's message, or movement, exposure, incident,
    situation, zone, advisory, alert, acknowledgement, silence; ``steps`` how
    many causes lie between it and what was asked for.
    """

    kind: str
    event_id: str
    about_id: str
    at: datetime
    what: str
    status: str
    source: str | None
    cause_ids: tuple[str, ...]
    steps: int


class Trail(Answer, frozen=True, kw_only=True):
    """What mentions a cause or follows from it, by time.

    ``whole`` False: there is more than was asked for.
    """

    traces: tuple[Trace, ...]
    whole: bool
