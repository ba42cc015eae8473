"""From a parsed payload to the log, with a report of what became of each item."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from schemas.codec import UndecodableError, decode
from schemas.envelope import Event
from schemas.operations import MessageRejected
from schemas.person import LIKE_IDENTIFIER, RegistrationFiled
from streams.core.stage import derive_id
from streams.merge import admit, placed, route
from streams.ports import IntakeLog, NewRecord, Receipt
from streams.statement import keepable
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
    without its time, so a known id is the same statement come again. It is a
    duplicate unless something else was said since: then it is a new version.
    """

    name: str
    kind: str
    parse: Parse
    id_is_content: bool = False


def take_in(log: IntakeLog, source: Source, payload: bytes, received_at: datetime) -> Report:
    """Parse a payload, append what is good, quarantine the rest; durable."""
    return accept(log, source, source.parse(payload, received_at), received_at)


def accept(log: IntakeLog, source: Source, found: Parsed, received_at: datetime) -> Report:
    """Append the events among what was found, quarantine the rest; durable."""
    good: list[Event] = []
    refusals: list[Refusal] = []
    for number, item in enumerate(found, start=1):
        if not isinstance(item, Event):
            refusals.append(item)
            continue
        try:
            good.append(admit(item))
        except ValueError as error:
            shown = not LIKE_IDENTIFIER.search(item.event_id)
            refusals.append((item.event_id if shown else f"event {number}", str(error), ""))
    fresh = _without_repeats(log, good) if source.id_is_content else good
    receipts = [
        receipt
        for start in range(0, len(fresh), BATCH)
        for receipt in log.intake([placed(e, log.shards) for e in fresh[start : start + BATCH]])
    ]
    quarantine(
        log, [_letter(source, one, received_at, place) for place, one in enumerate(refusals)]
    )
    return Report(
        accepted=receipts.count(Receipt.ACCEPTED),
        duplicate=receipts.count(Receipt.DUPLICATE) + len(good) - len(fresh),
        conflict=receipts.count(Receipt.CONFLICT),
        rejections=tuple(Rejection(item, reason) for item, reason, _ in refusals),
    )


def quarantine(log: IntakeLog, letters: Sequence[MessageRejected]) -> None:
    """Put dead letters in the log, each once however often it is refused."""
    known = log.known([letter.event_id for letter in letters])
    fresh = {one.event_id: one for one in letters if one.event_id not in known}
    log.intake([[NewRecord(DEAD_LETTERS, 0, INTAKE, one)] for one in fresh.values()])


_IDENTITY = {"person_id", "registration_id"}
_SAID = tuple(set(RegistrationFiled.__struct_fields__) - set(Event.__struct_fields__) - _IDENTITY)


def _without_repeats(log: IntakeLog, good: Sequence[Event]) -> list[Event]:
    """Return the events without those that the log holds as the last word.

    One that was said before, but not last, comes back under an id of its own:
    a list may go back to what an earlier one said.
    """
    known = log.known([event.event_id for event in good])
    again = [e for e in good if isinstance(e, RegistrationFiled) and e.event_id in known]
    newest = _newest(log, again)
    fresh = [event for event in good if event.event_id not in known]
    for event in again:
        last = newest.get((event.person_id, event.registration_id))
        newer = last is not None and event.occurred_at > last.occurred_at
        if newer and any(getattr(event, field) != getattr(last, field) for field in _SAID):
            event_id = derive_id("again", event.event_id, event.occurred_at.isoformat())
            fresh.append(msgspec.structs.replace(event, event_id=event_id))
    return fresh


def _newest(
    log: IntakeLog, events: Sequence[RegistrationFiled]
) -> dict[tuple[str, str], RegistrationFiled]:
    """Return the newest version in the log of each registration of these people."""
    people = {event.person_id for event in events}
    newest: dict[tuple[str, str], RegistrationFiled] = {}
    for topic, partition in sorted({route(e, log.shards)[0][:2] for e in events}):
        offset = 0
        while records := log.read(topic, partition, offset, BATCH):
            offset = records[-1].offset + 1
            for record in records:
                if record.name != RegistrationFiled.__name__ or record.key not in people:
                    continue
                try:
                    event = decode(record.name, record.body, record.version)
                except UndecodableError:
                    continue  # the shard puts it aside too: it says nothing
                if isinstance(event, RegistrationFiled):
                    key = (event.person_id, event.registration_id)
                    last = newest.get(key, event)
                    newest[key] = max(last, event, key=lambda e: (e.occurred_at, e.event_id))
    return newest


def _letter(source: Source, refusal: Refusal, at: datetime, place: int) -> MessageRejected:
    item, reason, body = refusal
    return MessageRejected(
        event_id=derive_id("rejected", source.kind, item, keepable(reason, body), body),
        source=source.kind,
        occurred_at=at,
        received_at=at,
        reason=f"{source.name}, {item}: {keepable(reason, body)}",
        topic=INTAKE,
        partition=0,
        offset=place,
        message_type=source.kind,
        body=body,
        retryable=False,
    )
