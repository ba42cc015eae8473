"""Words about deliveries, and the port between the dispatcher and its log.

A **delivery** is one alert for one recipient of one channel. Its id derives
from (alert_id, channel, recipient, intent) and is the idempotency key that the
receiver sees: whoever gets the same key twice has got one delivery.

An **attempt** is noted, durably, before anything is sent, and its outcome
after. An attempt without an outcome is **in doubt**: the process died in
between, and whether the receiver was reached is not known. Where the channel
cannot tell, it is repeated with the same key and the same content, and the
delivery is marked ``uncertain`` for ever.

Two clocks: ``*_wall_at`` is the machine's, for pauses between attempts; every
other time is of the log's clock, which in a replay is the scenario's.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from schemas.alert import AlertRaised
from schemas.codelists import Hazard, Status
from schemas.place import Area
from streams.core.stage import derive_id


class State(StrEnum):
    """Where a delivery stands; all but pending are final.

    ``delivered``: the receiver has said so. ``refused``: the receiver will not
    have it, so it is not repeated. ``expired``: not delivered before its
    use-by. ``withheld``: not sent, by rule (a replay, an exercise, a
    correction of what was never sent). ``silenced``: an officer's silence.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHHELD = "withheld"
    SILENCED = "silenced"


class Zone(NamedTuple):
    """One band of what an alert is about, and the areas it covers."""

    band: str
    areas: tuple[Area, ...]


class About(NamedTuple):
    """What an alert is about, as far as the serving store knows it.

    ``title`` is that of the situation or the advice; None: not known yet.
    """

    title: str | None = None
    hazard: Hazard | None = None
    zones: tuple[Zone, ...] = ()


class Delivery(NamedTuple):
    """One alert for one recipient, and what became of it.

    ``seq`` is the alert's offset in the log: the order of a recipient's
    deliveries. ``sent_at`` and ``about`` are those of the latest attempt, so
    that a repeat in doubt can say the same. ``doubt``: the latest attempt may
    have reached the receiver; ``uncertain``: some attempt may have, before the
    one that was confirmed.
    """

    delivery_id: str
    alert: AlertRaised
    channel: str
    recipient: str
    seq: int
    state: State
    use_by_at: datetime
    decided_at: datetime
    reason: str | None = None
    attempts: int = 0
    next_attempt_wall_at: datetime | None = None
    sent_at: datetime | None = None
    about: About | None = None
    doubt: bool = False
    uncertain: bool = False
    last_error: str | None = None
    delivered_at: datetime | None = None

    @property
    def to(self) -> tuple[str, str]:
        """The recipient it is for: channel and name."""
        return self.channel, self.recipient

    @property
    def cause(self) -> tuple[str, str, str, Status]:
        """What an alert and its correction have in common."""
        return self.alert.rule, self.alert.cause_id, self.alert.audience, self.alert.status


class Ended(NamedTuple):
    """How an attempt ended, for the record."""

    outcome: str
    detail: str
    at: datetime


def delivery_id(alert: AlertRaised, channel: str, recipient: str) -> str:
    """Return the id of a delivery, which is its idempotency key."""
    return derive_id("delivery", alert.alert_id, channel, recipient, alert.intent)


class DeliveryLog(Protocol):
    """The durable log of deliveries; one process writes it.

    Everything is on disk when a method returns. A method that fails has
    written nothing.
    """

    def place(self, topic: str) -> int:
        """Return the first offset of ``topic`` not yet turned into deliveries."""
        ...

    def take(
        self, topic: str, from_offset: int, next_offset: int, deliveries: Sequence[Delivery]
    ) -> list[Delivery]:
        """Add deliveries and move the place, in one transaction.

        Returns those that were new: an id that is there already stays as it
        is. If the place is not ``from_offset``, somebody else is at work:
        ``CommitConflictError``.
        """
        ...

    def pending(self) -> list[Delivery]:
        """Return the pending deliveries, by (seq, delivery_id)."""
        ...

    def in_doubt(self) -> set[str]:
        """Return the ids of deliveries whose latest attempt has no outcome."""
        ...

    def original_of(self, correction: Delivery) -> Delivery | None:
        """Return the delivery of the alert that a correction is about, if any."""
        ...

    def begin(self, delivery: Delivery, wall_at: datetime) -> None:
        """Note that attempt number ``delivery.attempts`` is about to be made."""
        ...

    def end(self, delivery: Delivery, ended: Ended) -> None:
        """Note how the latest attempt ended, and where the delivery stands now."""
        ...

    def change(self, deliveries: Sequence[Delivery]) -> None:
        """Note where deliveries stand now, without an attempt, all or none."""
        ...

    def close(self) -> None:
        """Let go of the log; twice is harmless."""
        ...
