"""What the serving store answers: typed, immutable, JSON as it is.

Unknown is not zero: what nobody has told the store is None. A sum over shards
comes with its completeness; less than complete makes it an "at least".
"""

from datetime import datetime

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers: immutable, encodes to JSON as it is."""


class Completeness(Answer, frozen=True, kw_only=True):
    """How many of the shards a number covers, and as of which tick."""

    reached: int
    shards: int
    as_of: datetime
    complete: bool


class Imbalance(Answer, frozen=True, kw_only=True):
    """Three checks that must each read 0.

    ``room``: as the room found it. ``buckets``: known minus the buckets
    without duplicate. ``store``: ledger rows of the store, counted without
    duplicate, minus known.
    """

    room: int
    buckets: int
    store: int

    @property
    def balanced(self) -> bool:
        """Whether all three read 0."""
        return self.room == self.buckets == self.store == 0


class IncidentNow(Answer, frozen=True, kw_only=True):
    """One incident with its version and the source of its headline."""

    incident_id: str
    status: str
    title: str
    hazard: str
    life: str
    version: int
    onset_at: datetime
    headline_source: str
    magnitude: float | None
    members: int
    area_known: bool


class SituationNow(Answer, frozen=True, kw_only=True):
    """One situation's ledger in numbers; None where no sum has come yet.

    ``rows_known`` is the third figure: rows of the store without duplicate.
    """

    situation_id: str
    status: str
    title: str
    hazard: str
    onset_at: datetime
    closed: bool
    known: int | None
    buckets: dict[str, int] | None
    tiers: dict[str, int] | None
    inbound: int | None
    withdrawn: int | None
    rows_known: int
    completeness: Completeness | None
    imbalance: Imbalance | None
    incidents: tuple[IncidentNow, ...]


class AdvisoryNow(Answer, frozen=True, kw_only=True):
    """Advice in force that people are matched with, and how many, by tier."""

    advisory_id: str
    status: str
    title: str
    issuer: str
    level: int
    native_level: str
    scope: str
    sent_at: datetime
    tiers: dict[str, int]


class TotalNow(Answer, frozen=True, kw_only=True):
    """Distinct people over all situations of one status."""

    status: str
    people: int
    distinct_known: int
    skipped: int
    completeness: Completeness


class AlertNow(Answer, frozen=True, kw_only=True):
    """An alert that nobody has acknowledged and no silence mutes."""

    alert_id: str
    status: str
    rule: str
    title: str
    severity: str
    audience: str
    intent: str
    raised_at: datetime
    late_s: int
    situation_id: str | None


class FeedNow(Answer, frozen=True, kw_only=True):
    """A feed's health, and since when it is so."""

    feed: str
    state: str
    reason: str
    items: int | None
    usual_items: int | None
    last_success_at: datetime | None
    expected_interval_s: int | None
    at: datetime


class FaultNow(Answer, frozen=True, kw_only=True):
    """A fault of Rollcall itself that is not cleared."""

    fault: str
    stage: str
    partition: int
    offset: int | None
    detail: str
    at: datetime


class DeadLetter(Answer, frozen=True, kw_only=True):
    """A refused record; ``retried_at`` says that it was put back."""

    event_id: str
    topic: str
    partition: int
    offset: int
    message_type: str
    reason: str
    retryable: bool
    retried_at: datetime | None
    at: datetime
    body: str
    traceback: str | None


class StatusNow(Answer, frozen=True, kw_only=True):
    """The numbers of the wall; ``as_of`` is the last tick that was summed.

    ``affected`` are the distinct people known in live situations.
    ``feeds`` None: no feed has ever spoken. ``incidents`` are those of no
    situation, with area unknown above all: counted, though nobody can be
    matched with them. ``dead_letters`` are those not put back.
    """

    as_of: datetime | None
    affected: int | None
    totals: tuple[TotalNow, ...]
    situations: tuple[SituationNow, ...]
    advisories: tuple[AdvisoryNow, ...]
    incidents: tuple[IncidentNow, ...]
    alerts: tuple[AlertNow, ...]
    feeds: tuple[FeedNow, ...] | None
    faults: tuple[FaultNow, ...]
    dead_letters: int
    skipped: int | None
