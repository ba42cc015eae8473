"""Alerts: decisions that a human must know, and what became of them."""

from schemas.codelists import Bucket
from schemas.envelope import At, Event, Value


class AlertRaised(Event, frozen=True, kw_only=True):
    """Something a human must know; once per cause.

    ``alert_id`` derives from (rule, cause, audience, intent, status).
    ``intent`` is alert or correction. ``facts`` are the parts the sentence
    was made of.
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


class AlertAcknowledged(Event, frozen=True, kw_only=True):
    """A human has taken note."""

    alert_id: str
    by: str
    reason: str


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


class Totals(Event, frozen=True, kw_only=True):
    """The room's sums over all situations of one status: distinct people."""

    tick_at: At
    reached: int
    shards: int
    distinct_known: int
    people: int
    skipped: int
