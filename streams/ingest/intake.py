"""From a parsed payload to the log, with a report of what became of each item."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.envelope import Event
from schemas.operations import MessageRejected
from streams.core.stage import derive_id
from streams.merge import admit, route
from streams.ports import EventLog, NewRecord, Receipt
from streams.topology import DEAD_LETTERS

INTAKE = "intake"
"""Topic named by the dead letter of an item that never reached a topic."""

BATCH = 1_000
"""Events taken in at once, each batch one durable transaction."""

Refusal = tuple[str, str, str]
"""(item, reason, body): what could not be read, why, and what is kept of it."""

Parsed = Sequence[Event | Refusal]
Parse = Callable[[bytes, datetime], Parsed]
"""Bytes and the time they came in to events and refusals."""


class Rejection(NamedTuple):
    """One item that was not accepted, where it stood, and why."""

    item: str
    reason: str


class Report(NamedTuple):
    """What became of one payload."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejections: tuple[Rejection, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there was something, and nothing of it is in the log."""
        refused = bool(self.conflict or self.rejections)
        return refused and not (self.accepted or self.duplicate)


class Source(NamedTuple):
    """What a payload is called in dead letters, and how it is read.

    ``id_is_content``: the parser derives ``event_id`` from what an event says
    without its time, so a known id is the same statement come again.
    """

    name: str
    kind: str
    parse: Parse
    id_is_content: bool = False


def take_in(log: EventLog, source: Source, payload: bytes, received_at: datetime) -> Report:
    """Parse a payload, append what is good, quarantine the rest; durable."""
    return accept(log, source, source.parse(payload, received_at), received_at)


def accept(log: EventLog, source: Source, found: Parsed, received_at: datetime) -> Report:
    """Append the events among what was found, quarantine the rest; durable."""
    good: list[Event] = []
    refusals: list[Refusal] = []
    for item in found:
        if not isinstance(item, Event):
            refusals.append(item)
            continue
        try:
            good.append(admit(item))
        except ValueError as error:
            refusals.append((item.event_id, str(error), ""))
    repeated = log.known([event.event_id for event in good]) if source.id_is_content else set()
    fresh = [event for event in good if event.event_id not in repeated]
    receipts = [
        receipt
        for start in range(0, len(fresh), BATCH)
        for receipt in log.intake([_arrival(e, log.shards) for e in fresh[start : start + BATCH]])
    ]
    quarantine(log, [_letter(source, refusal, received_at) for refusal in refusals])
    return Report(
        accepted=receipts.count(Receipt.ACCEPTED),
        duplicate=receipts.count(Receipt.DUPLICATE) + len(good) - len(fresh),
        conflict=receipts.count(Receipt.CONFLICT),
        rejections=tuple(Rejection(item, reason) for item, reason, _ in refusals),
    )


def quarantine(log: EventLog, letters: Sequence[MessageRejected]) -> None:
    """Put dead letters in the log, each once however often it is refused."""
    known = log.known([letter.event_id for letter in letters])
    fresh = {one.event_id: one for one in letters if one.event_id not in known}
    log.intake([[NewRecord(DEAD_LETTERS, 0, INTAKE, one)] for one in fresh.values()])


def _arrival(event: Event, shards: int) -> list[NewRecord]:
    """Return the records that one event becomes."""
    return [NewRecord(*place, event) for place in route(event, shards)]


def _letter(source: Source, refusal: Refusal, at: datetime) -> MessageRejected:
    item, reason, body = refusal
    return MessageRejected(
        event_id=derive_id("rejected", source.kind, item, reason, body),
        source=source.kind,
        occurred_at=at,
        received_at=at,
        reason=f"{source.name}, {item}: {reason}",
        topic=INTAKE,
        partition=0,
        offset=0,
        message_type=source.kind,
        body=body,
        retryable=False,
    )
