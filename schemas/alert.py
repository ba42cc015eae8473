"""Alerts: decisions that a human must know, and what became of them."""

import msgspec

from schemas.codelists import Bucket
from schemas.envelope import At, Event, Value


class AlertRaised(Event, frozen=True, kw_only=True):
    """Something a human must know; once per cause.

    ``alert_id`` derives from (rule, cause, audience, intent, status).
    ``intent`` is alert or correction. ``facts`` are the parts the sentence
    was made of. ``silence_id``: an officer's silence was in force when it was
    raised; it is recorded and shown apart, and sent to nobody.
    """

    alert_id: str
    rule: str
    cause_id: str
    audience: str
    intent: str
    title: str
    severity: str
    facts: dict[str, str | int]
    raised_at: At
    situation_id: str | None = None
    late_s: int = 0
    silence_id: str | None = None


class AlertAcknowledged(Event, frozen=True, kw_only=True):
    """A human has taken note."""

    alert_id: str
    by: str
    reason: str


class SilenceChanged(Event, frozen=True, kw_only=True):
    """An officer's silence as it now stands: what it mutes, and until when.

    Mutes the alerts of ``rule`` (None: every rule but help_requested, which
    nobody can silence) in ``situation_id`` (None: everywhere) that are raised
    before ``until``. ``silence_id`` derives from (rule, situation, status): the
    latest command replaces an earlier one, and one that ends at once lifts it.
    """

    silence_id: str
    by: str
    reason: str
    until: At
    rule: str | None = None
    situation_id: str | None = None


class NotifyRequested(Event, frozen=True, kw_only=True):
    """A person is to be told; key (alert_id, person_id, intent)."""

    alert_id: str
    person_id: str
    intent: str
    version: int


class BucketSum(Value, frozen=True, kw_only=True):
    """One bucket of a situation's sum."""

    bucket: Bucket
    count: int


class AreaSum(Value, frozen=True, kw_only=True):
    """One area's part of a situation's sum; buckets of nobody are left out.

    ``area`` is an ISO 3166-2 code, an ISO 3166-1 alpha-2 one where only the
    country is known, empty where not even that is.
    """

    area: str
    buckets: tuple[BucketSum, ...]


class SituationSummed(Event, frozen=True, kw_only=True):
    """The room's sum over shards for one situation, with its completeness.

    "As of tick T, ``reached`` of ``shards`` shards"; fewer than all makes
    every number an "at least". ``imbalance`` must be 0.
    """

    situation_id: str
    tick_at: At
    reached: int
    shards: int
    known: int
    inbound: int
    withdrawn: int
    buckets: tuple[BucketSum, ...]
    tiers: dict[str, int]
    imbalance: int
    areas: tuple[AreaSum, ...] = ()


class Totals(Event, frozen=True, kw_only=True):
    """The room's sums over all situations of one status: distinct people.

    ``heard`` is the latest ``received_at`` of each kind of message that people
    file, over the shards: how fresh the input is.
    """

    tick_at: At
    reached: int
    shards: int
    distinct_known: int
    people: int
    skipped: int
    heard: dict[str, At] = msgspec.field(default_factory=dict)
