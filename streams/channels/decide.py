"""What becomes of a delivery: every decision of the dispatcher, over values.

``now`` is of the log's clock, ``wall`` the machine's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.alert import AlertRaised
from schemas.codelists import Status
from streams.channels.base import (
    LATE_S,
    Delivered,
    Message,
    Outcome,
    Recipient,
    Refused,
    Retry,
)
from streams.delivery import About, Delivery, State, delivery_id

BACK_OFF_FIRST_S = 1.0
BACK_OFF_CEILING_S = 300.0
"""Pauses between attempts double from the first to the ceiling."""

STEPS_ASIDE = 3
"""After so many failed attempts a delivery lets later ones of its recipient go
ahead: what one receiver cannot digest must not keep a call for help waiting."""

CORRECTION = "correction"


class Policy(NamedTuple):
    """What is decided for all alerts alike.

    ``replay``: the log is a scenario's and nobody has said that it may ring.
    """

    use_by_s: int
    replay: bool


def made(
    alert: AlertRaised, seq: int, recipient: Recipient, policy: Policy, now: datetime
) -> Delivery | None:
    """Return the delivery of an alert for a recipient; None if it is not for them.

    What is not to be sent is recorded all the same, with the reason.
    Acknowledged or not makes no difference: that somebody in the room has
    taken note says nothing about whoever this recipient is.
    """
    if recipient.audiences and alert.audience not in recipient.audiences:
        return None
    pending = Delivery(
        delivery_id=delivery_id(alert, recipient.channel, recipient.name),
        alert=alert,
        channel=recipient.channel,
        recipient=recipient.name,
        seq=seq,
        state=State.PENDING,
        use_by_at=alert.raised_at + timedelta(seconds=policy.use_by_s),
        decided_at=now,
    )
    if alert.silence_id is not None:
        return closed(pending, State.SILENCED, f"silence {alert.silence_id}", now)
    if alert.status is not Status.ACTUAL and not recipient.exercise:
        return closed(pending, State.WITHHELD, alert.status.lower(), now)
    if recipient.outward and policy.replay:
        return closed(pending, State.WITHHELD, "replay", now)
    return expired(pending, now) or pending


def closed(delivery: Delivery, state: State, reason: str, now: datetime) -> Delivery:
    """Return the delivery in a final state that no receiver had a say in."""
    return delivery._replace(state=state, reason=reason, decided_at=now, next_attempt_wall_at=None)


def expired(delivery: Delivery, now: datetime) -> Delivery | None:
    """Return the delivery as expired if it is past its use-by, else None.

    If its latest attempt is in doubt it may have arrived; it stays uncertain.
    """
    if delivery.state is not State.PENDING or now <= delivery.use_by_at:
        return None
    late = closed(delivery, State.EXPIRED, "past its use-by", now)
    return late._replace(uncertain=late.uncertain or late.doubt)


def begun(delivery: Delivery, about: About, now: datetime) -> Delivery:
    """Return the delivery with its next attempt; what is in doubt says the same."""
    again = delivery.doubt and delivery.sent_at is not None and delivery.about is not None
    return delivery._replace(
        attempts=delivery.attempts + 1,
        next_attempt_wall_at=None,
        sent_at=delivery.sent_at if again else max(now, delivery.alert.raised_at),
        about=delivery.about if again else about,
        uncertain=delivery.uncertain or delivery.doubt,
    )


def message_of(delivery: Delivery, original: Delivery | None) -> Message:
    """Return what a begun delivery sends."""
    alert = delivery.alert
    sent_at = delivery.sent_at or alert.raised_at
    late_s = alert.late_s + int((sent_at - alert.raised_at).total_seconds())
    return Message(
        key=delivery.delivery_id,
        alert=alert,
        about=delivery.about or About(),
        sent_at=sent_at,
        use_by_at=delivery.use_by_at,
        late_s=late_s if late_s >= LATE_S else 0,
        corrects=None if original is None else original.delivery_id,
        corrects_sent_at=None if original is None else original.sent_at,
        uncertain=delivery.uncertain,
    )


def decide(delivery: Delivery, outcome: Outcome, now: datetime, wall: datetime) -> Delivery:
    """Return the delivery after an attempt."""
    match outcome:
        case Delivered():
            return delivery._replace(
                state=State.DELIVERED,
                decided_at=now,
                delivered_at=now,
                doubt=False,
                next_attempt_wall_at=None,
            )
        case Refused():
            return delivery._replace(
                state=State.REFUSED,
                decided_at=now,
                doubt=False,
                next_attempt_wall_at=None,
                last_error=outcome.why,
            )
        case Retry():
            failed = delivery._replace(
                doubt=outcome.doubt,
                last_error=outcome.why,
                next_attempt_wall_at=wall + timedelta(seconds=pause_s(delivery.attempts, outcome)),
            )
            return expired(failed, now) or failed


def pause_s(attempts: int, outcome: Retry) -> float:
    """Return the pause after so many attempts; at least what was asked for."""
    back_off_s = BACK_OFF_FIRST_S * 2.0 ** min(attempts - 1, 30)
    return max(min(back_off_s, BACK_OFF_CEILING_S), outcome.after_s or 0.0)


def in_doubt(delivery: Delivery, *, arrived: bool | None, now: datetime) -> Delivery:
    """Return a delivery whose process died in an attempt.

    ``arrived`` is what the channel's look-up says; None if it has none.
    """
    if arrived:
        return delivery._replace(
            state=State.DELIVERED, decided_at=now, delivered_at=now, doubt=False
        )
    why = "the process ended before the outcome was known"
    return delivery._replace(doubt=arrived is None, last_error=why, next_attempt_wall_at=None)


def chosen(queue: Sequence[Delivery], wall: datetime) -> Delivery | None:
    """Return the next delivery of a recipient that is due; None if none is.

    ``queue`` are its pending deliveries in order, none of them in flight. A
    delivery that has failed often enough steps aside, but never for its own
    correction.
    """
    passed = set()
    for delivery in queue:
        due = delivery.next_attempt_wall_at is None or delivery.next_attempt_wall_at <= wall
        if due and not (delivery.alert.intent == CORRECTION and delivery.cause in passed):
            return delivery
        if delivery.attempts < STEPS_ASIDE and not due:
            return None
        passed.add(delivery.cause)
    return None


def never_sent(original: Delivery | None) -> str | None:
    """Return why a correction of this delivery is dropped; None if it is sent.

    Whoever got the original, or may have got it, gets the correction.
    """
    if original is None:
        return "the original was never sent"
    if original.state is State.DELIVERED or original.uncertain or original.doubt:
        return None
    if original.state is State.PENDING:
        return "corrected before it was sent"
    return f"the original was never sent: {original.state}"
