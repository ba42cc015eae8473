"""Exposures: a person is, or may be, in a zone, and why we think so."""

from datetime import date

import msgspec

from schemas.codelists import Basis, Bucket, Precision, StatementBy, Tier
from schemas.envelope import At, Event, Value, normalise_times


class Reason(Value, frozen=True, kw_only=True):
    """The parts of "why flagged", from which a sentence is made.

    ``distance_m`` is from the zone's centre where it has one. ``p_inside`` is
    rounded to 3 decimals, distances to metres. ``lon_deg`` and ``lat_deg`` are
    the point believed in, rounded to 5 decimals (1 m), None where there is
    none; ``admin1`` is ISO 3166-2, as filed or that of the nearest city.
    """

    basis: Basis
    precision: Precision
    as_of: At
    zone_id: str
    zone_version: int
    band: str
    cause_title: str
    model: str
    place_name: str | None = None
    country: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    radius_m: int | None = None
    distance_m: int | None = None
    p_inside: float | None = None
    estimated: bool = False
    lon_deg: float | None = None
    lat_deg: float | None = None
    admin1: str | None = None

    def __post_init__(self) -> None:
        """Normalise times to UTC."""
        normalise_times(self)


class Exposure(Event, frozen=True, kw_only=True):
    """What the three exposure events share: the exposure as it now stands.

    One per (person_id, cause_id), a cause being an incident or an advisory;
    ``band`` is the worst band of the best tier, ``bands`` all of them.
    ``since`` is event time.
    """

    person_id: str
    cause_id: str
    tier: Tier
    since: At
    band: str
    reason: Reason
    bands: tuple[str, ...] = ()
    situation_id: str | None = None
    advisory: bool = False
    post: str | None = None


class ExposureOpened(Exposure, frozen=True, kw_only=True):
    """A person is newly exposed."""


class ExposureChanged(Exposure, frozen=True, kw_only=True):
    """Tier, band, zone version or reason of an exposure changed."""


class ExposureClosed(Exposure, frozen=True, kw_only=True):
    """A person is exposed no more; carries the exposure as it last stood.

    ``why``: left, zone_ended, corrected, withdrawn (flagged only on knowledge
    of the person since overturned).
    """

    why: str
    until: At


class AccountabilityChanged(Event, frozen=True, kw_only=True):
    """A movement of the ledger: who, when, why.

    ``from_bucket`` None: newly known. ``to_bucket`` None: withdrawn from the
    known. ``tier`` is the member's tier, ``post`` the responsible post,
    ``area`` the ISO 3166-2 code of where they are believed to be, the ISO
    3166-1 alpha-2 one where only the country is known.
    ``at`` is event time; ``by`` who stands behind it. ``moved`` False: the
    person stays where they are, only tier, post, area or first exposure changed.
    """

    person_id: str
    situation_id: str
    from_bucket: Bucket | None
    to_bucket: Bucket | None
    at: At
    by: StatementBy
    why: str
    tier: Tier | None = None
    post: str | None = None
    cause_event_id: str | None = None
    by_user: str | None = None
    moved: bool = True
    area: str | None = None


class HelpRequested(Event, frozen=True, kw_only=True):
    """Someone in a situation needs help; passes to the room at once."""

    person_id: str
    situation_id: str
    tier: Tier
    post: str | None = None


class TallyCell(Value, frozen=True, kw_only=True):
    """One cell of a tally's cube."""

    bucket: Bucket
    tier: Tier
    by: StatementBy
    count: int
    post: str | None = None
    area: str | None = None


class TallyChanged(Event, frozen=True, kw_only=True):
    """A shard's absolute count for one situation (or advisory), whole cube.

    ``known`` is counted apart from the cells, from memberships; the cells
    without ``duplicate`` must sum to it. For an advisory ``cause_id`` is set,
    ``situation_id`` empty and the cells count open exposures as unaccounted.
    """

    shard: int
    tick_at: At
    known: int
    inbound: int
    withdrawn: int
    cells: tuple[TallyCell, ...]
    situation_id: str | None = None
    cause_id: str | None = None


class Reached(Event, frozen=True, kw_only=True):
    """A shard has applied everything up to a tick; sent at every tick.

    ``zone_seq`` is the highest zone sequence it has seen, ``distinct_known``
    the distinct people known in any open situation of this status,
    ``skipped`` the control records it could not process (degraded). ``heard``
    says when what people file came in last: message name to ``received_at``.
    """

    shard: int
    shards: int
    tick_at: At
    zone_seq: int
    distinct_known: int
    people: int
    skipped: int = 0
    heard: dict[str, At] = msgspec.field(default_factory=dict)
