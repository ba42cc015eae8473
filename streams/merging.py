"""What a record of a public topic becomes: records of the stages, or a dead letter.

Pure, and the same however often a record is merged: ids and times of a dead
letter come from where the record stands and from when the broker got it. It
reads and admits with the functions that take in files and requests.
"""

import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from schemas.codec import BY_NAME, VERSION
from schemas.codelists import Status
from schemas.envelope import YEAR_MAX, YEAR_MIN, At, Event, as_utc
from schemas.operations import MessageRejected
from schemas.person import LIKE_IDENTIFIER, withheld
from streams.clock import ClockSpec
from streams.core.stage import derive_id
from streams.merge import admit, placed
from streams.ports import MAX_RECORD_BYTES, NewRecord, Record
from streams.recovery import NEVER_POISON
from streams.statement import UNREADABLE, Unread, Whose, keepable, read
from streams.topology import DEAD_LETTERS, PUBLIC

SOURCE = "merge"

MAX_REASON_CHARS = 1_000
"""Most of a reason that is kept."""

UNKNOWN = "unknown"
"""Type in the dead letter of a record whose header names no message of ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAKEN = {topic.name: topic.messages for topic in PUBLIC}


class _Refused(NamedTuple):
    """Why a record may not enter, what is kept of it, and the bug that it hit.

    ``later``: another version of Rollcall may read it, from where it stands.
    """

    reason: str
    body: str = ""
    error: Exception | None = None
    later: bool = False


def merged(record: Record, shards: int, clock: ClockSpec) -> Sequence[NewRecord]:
    """Return what is to be written for one record of a public topic.

    Either the records of one event, or one dead letter. On a log of wall time
    an event came in when the broker got it, whatever it says itself; on a
    scenario's log when it says, for the scenario has a time of its own.
    """
    at = _stamped(record)
    try:
        found = _read(record, at, Whose.OURS if clock.kind == "wall" else Whose.THEIRS)
        if isinstance(found, Event):
            return placed(found, shards)
    except NEVER_POISON:
        raise
    except Exception as error:  # noqa: BLE001 - a bug of ours must not stop all that comes after
        found = _Refused(f"a fault of Rollcall: {type(error).__name__}", "", error)
    return [_letter(record, found, at or _EPOCH, clock)]


def is_letter(written: Sequence[NewRecord]) -> bool:
    """Return whether a record was refused, by what ``merged`` gave for it."""
    return written[0].topic == DEAD_LETTERS


def _read(record: Record, at: datetime | None, whose: Whose) -> Event | _Refused:
    """Return the event in a record, as it may enter, or why there is none."""
    taken = _TAKEN[record.topic]
    if record.name not in taken:
        said = record.name if record.name in BY_NAME else "something else"
        return _Refused(f"the header type says {said}; {record.topic} takes {', '.join(taken)}")
    if record.version != VERSION:
        what = f"version {record.version}" if record.version >= 0 else "no number"
        reason = f"the header version says {what}; this engine reads version {VERSION}"
        return _Refused(reason, later=record.version > VERSION)
    if not record.body:
        return _Refused("the record is empty; what was said is not taken back by deleting it")
    if len(record.body) > MAX_RECORD_BYTES:
        size = f"{len(record.body)} bytes; a record holds at most {MAX_RECORD_BYTES}"
        return _Refused(f"the record has {size}", withheld(record.body, ()))
    if at is None:
        return _Refused("the broker gave no time that can be", withheld(record.body, ()))
    found = read(record.body, at, whose, record.name)
    if isinstance(found, Unread):
        return _Refused(*found)
    try:
        return admit(found)
    except ValueError as error:
        shown = "" if LIKE_IDENTIFIER.search(found.event_id) else f"{found.event_id}: "
        return _Refused(f"{shown}{error}")


def _stamped(record: Record) -> datetime | None:
    """Return when the broker got a record; None for what is no time."""
    try:
        at = record.appended_at
    except (ValueError, OverflowError, OSError):
        return None
    return at if YEAR_MIN <= at.year <= YEAR_MAX and record.appended_ms > 0 else None


class _Peek(msgspec.Struct):
    """What a dead letter takes over of a statement that may not enter."""

    status: Status = Status.ACTUAL
    received_at: At | None = None


def _peek(record: Record) -> _Peek:
    if len(record.body) > MAX_RECORD_BYTES:
        return _Peek()
    try:
        return msgspec.json.decode(record.body, type=_Peek)
    except UNREADABLE:
        return _Peek()


def _letter(record: Record, refused: _Refused, at: datetime, clock: ClockSpec) -> NewRecord:
    """Return the dead letter; it holds nothing of headers and key, which may name people."""
    said = _peek(record)
    if clock.kind != "wall" and said.received_at is not None:
        with suppress(ValueError):
            at = as_utc(said.received_at, "received_at")
    event = MessageRejected(
        event_id=derive_id("reject", record.topic, record.partition, record.offset),
        source=SOURCE,
        occurred_at=at,
        received_at=at,
        # A transport test concerns nobody, its letter the one who runs this.
        status=Status.EXERCISE if said.status is Status.EXERCISE else Status.ACTUAL,
        reason=keepable(refused.reason, refused.body)[:MAX_REASON_CHARS],
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        message_type=record.name if record.name in BY_NAME else UNKNOWN,
        body=refused.body,
        retryable=refused.later or refused.error is not None,
        traceback=_trace(refused.error),
    )
    return NewRecord(DEAD_LETTERS, 0, record.topic, event)


def _trace(error: Exception | None) -> str | None:
    """Return where a bug is, without its words: they may quote the record."""
    if error is None:
        return None
    return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])
