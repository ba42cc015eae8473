"""What the pump says of records it could not process: dead letters and faults."""

import traceback
from datetime import datetime

import msgspec

from schemas.codec import encode
from schemas.codelists import Status
from schemas.envelope import Event
from schemas.operations import FaultRaised, MessageRejected
from schemas.person import refuse_identifiers
from streams.core.stage import derive_id
from streams.ports import NewRecord, Record
from streams.recovery import StageKey
from streams.topology import DEAD_LETTERS, OPERATIONS

SOURCE = "pump"

MAX_BODY_CHARS = 500_000
"""Most text of a record that its dead letter repeats; the log has the rest."""

UNKNOWN_OFFSET = -1
"""Offset in a dead letter for an event that a stage held from earlier."""


def undecodable(record: Record, error: Exception, now: datetime) -> NewRecord:
    """Return the dead letter of bytes that are not the message they claim to be."""
    return _dead_letter(
        record, _safe_text(record.body), str(error), now, Status.ACTUAL, retryable=False
    )


def refused(record: Record, event: Event, offset: int, reason: str, now: datetime) -> NewRecord:
    """Return the dead letter of an event that a stage refused as bad input.

    ``record`` is any of the batch, for topic and partition; ``offset`` where
    the event itself stood.
    """
    stood = record._replace(offset=offset, key=event.event_id, name=type(event).__name__)
    return _dead_letter(stood, encode(event).decode(), reason, now, event.status, retryable=False)


def quarantined(record: Record, reason: str, error: Exception | None, now: datetime) -> NewRecord:
    """Return the dead letter of a record that a stage could not survive."""
    trace = "".join(traceback.format_exception(error)) if error is not None else None
    return _dead_letter(
        record,
        _safe_text(record.body),
        reason,
        now,
        _status_of(record.body),
        retryable=True,
        trace=trace,
    )


def fault(
    key: StageKey,
    name: str,
    detail: str,
    now: datetime,
    *,
    offset: int | None = None,
    cleared: bool = False,
) -> NewRecord:
    """Return a fault that the wall must show, or word that it is over."""
    event = FaultRaised(
        event_id=derive_id("fault", name, *key, offset, detail, cleared, now),
        source=SOURCE,
        occurred_at=now,
        received_at=now,
        fault=name,
        stage=key.stage,
        partition=key.partition,
        detail=detail,
        offset=offset,
        cleared=cleared,
    )
    return NewRecord(OPERATIONS, 0, str(key), event)


def _dead_letter(
    record: Record,
    body: str,
    reason: str,
    now: datetime,
    status: Status,
    *,
    retryable: bool,
    trace: str | None = None,
) -> NewRecord:
    place = (record.topic, record.partition, record.offset)
    event = MessageRejected(
        event_id=derive_id("reject", *place, record.key, reason),
        source=SOURCE,
        occurred_at=now,
        received_at=now,
        status=status,
        reason=reason,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        message_type=record.name,
        body=body[:MAX_BODY_CHARS],
        retryable=retryable,
        traceback=trace,
    )
    return NewRecord(DEAD_LETTERS, 0, record.key, event)


def _safe_text(body: bytes) -> str:
    """Return a body as text, or its field names if it has direct identifiers."""
    fields = _fields(body)
    try:
        refuse_identifiers(fields)
    except ValueError:
        return ", ".join(sorted(str(name) for name in fields))
    return body.decode("utf-8", "replace")


class _Peek(msgspec.Struct):
    status: Status = Status.ACTUAL


def _status_of(body: bytes) -> Status:
    """Return the status that a body carries, Actual where it cannot be read."""
    try:
        return msgspec.json.decode(body, type=_Peek).status
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Status.ACTUAL


def _fields(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
