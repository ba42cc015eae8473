"""MERGE: what may enter, and where it goes; pure functions both modes call.

Validates nothing that the messages do not already: it clamps times from the
future, and gives each event the topic and partition of the stage it is for.
What a record of a public topic becomes stands in ``streams.merging``.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from geo.places import known_countries
from schemas.codec import encode
from schemas.codelists import Status, Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.operations import FeedHealthChanged, Tick
from schemas.person import LIKE_IDENTIFIER, CheckedIn, ContactRecorded, RegistrationFiled
from schemas.place import Countries
from schemas.report import AdvisoryIssued, IncidentReported
from streams.core.partition import partition_of
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT
from streams.ports import MAX_RECORD_BYTES, NewRecord
from streams.topology import OPERATIONS

FUTURE = timedelta(minutes=5)
"""An ``occurred_at`` or ``sent_at`` farther ahead of its arrival than this is clamped."""

ABOUT_PEOPLE = (RegistrationFiled, CheckedIn, ContactRecorded, CommandIssued)

_WRITTEN = frozenset({"name", "reason", "title"})
"""Fields in which people write; all others hold an id, a code or a figure."""

_STAFF = frozenset({"source", "by", "confirmed_by"})
"""Fields that name a system or who is on duty, by user id."""

CLAMPED = "clamped"
"""Last of the ``cause_ids`` of an event whose time was clamped."""


def admit(event: Event) -> Event:
    """Return the event as it may enter; ``ValueError`` says why it may not.

    A time from the future is clamped: neither a person's word nor a source's
    version may outrank all that will follow it. Test messages exercise the
    transport and concern nobody; they are refused here, so that no later place
    has to remember it. So is an area that names a country which the reference
    data does not know, what is said of people where it looks like an e-mail
    address or a telephone number, and what is larger than a log takes.
    """
    if event.status is Status.TEST:
        msg = "status Test: a transport test concerns nobody"
        raise ValueError(msg)
    linking = isinstance(event, CommandIssued) and event.verb in {Verb.LINK, Verb.UNLINK}
    if linking and event.status is not Status.ACTUAL:
        msg = "records are linked for good or not at all; an exercise cannot link them"
        raise ValueError(msg)
    if isinstance(event, ABOUT_PEOPLE):
        _refuse_identifiers(event)
    for area in getattr(event, "areas", ()):
        unknown = set(area.codes) - known_countries() if isinstance(area, Countries) else ()
        if unknown:
            msg = f"there is no country {', '.join(sorted(unknown))} in the reference data"
            raise ValueError(msg)
    ahead = {
        field: event.received_at
        for field in ("occurred_at", "sent_at")
        if getattr(event, field, event.received_at) - event.received_at > FUTURE
    }
    if isinstance(event, CommandIssued) and event.until == event.occurred_at and ahead:
        # What lifts a silence ends when it begins, also by a clock that is ahead.
        ahead["until"] = ahead["occurred_at"]
    if ahead:
        marked = (*event.cause_ids, CLAMPED)
        event = msgspec.structs.replace(event, cause_ids=marked, **ahead)
    size = len(encode(event))
    if size > MAX_RECORD_BYTES:
        msg = f"the message has {size} bytes; a record holds at most {MAX_RECORD_BYTES}"
        raise ValueError(msg)
    return event


_MAY_IDENTIFY = re.compile(rb"@|(?:\+|00)\d")
"""Without any of these in its JSON, no field of an event is LIKE_IDENTIFIER."""


def _refuse_identifiers(event: Event) -> None:
    """Raise ``ValueError`` naming the fields that look like a direct identifier."""
    if not _MAY_IDENTIFY.search(encode(event)):
        return
    found = {
        field
        for field, text in _texts("", msgspec.to_builtins(event))
        if (LIKE_IDENTIFIER.search if field in _WRITTEN else LIKE_IDENTIFIER.fullmatch)(text)
    }
    if found:
        msg = f"{', '.join(sorted(found))} looks like an e-mail address or a telephone number"
        raise ValueError(msg)


def _texts(field: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every text in a value with the name of its field."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _STAFF:
                yield from _texts(name, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(field, inner)


def route(event: Event, shards: int) -> list[tuple[str, int, str]]:
    """Return (topic, partition, key) of each copy of an event from outside.

    ``TypeError`` for an event that only the system itself may write.
    """
    if isinstance(event, RegistrationFiled | CheckedIn | ContactRecorded):
        return [(SHARD_INPUT, partition_of(event.person_id, shards), event.person_id)]
    if isinstance(event, IncidentReported):
        return [(DESK_INPUT, 0, event.chain_id)]
    if isinstance(event, AdvisoryIssued):
        return [(DESK_INPUT, 0, event.advisory_id)]
    if isinstance(event, Tick):
        return [(DESK_INPUT, 0, event.event_id)]
    if isinstance(event, FeedHealthChanged):
        return [(OPERATIONS, 0, event.feed)]
    if isinstance(event, CommandIssued):
        return [_place_of(event, shards)]
    msg = f"{type(event).__name__} is written by the system itself, not from outside"
    raise TypeError(msg)


def placed(event: Event, shards: int) -> list[NewRecord]:
    """Return the records that one event from outside becomes."""
    return [NewRecord(*place, event) for place in route(event, shards)]


def _place_of(command: CommandIssued, shards: int) -> tuple[str, int, str]:
    """Return (topic, partition, key) of an officer's command."""
    if command.verb is Verb.OVERRIDE and command.person_id is not None:
        return SHARD_INPUT, partition_of(command.person_id, shards), command.person_id
    if command.verb is Verb.ACKNOWLEDGE:
        return ROOM_INPUT, 0, command.alert_id or ""
    if command.verb is Verb.SILENCE:
        return ROOM_INPUT, 0, f"{command.rule or ''}/{command.situation_id or ''}"
    return DESK_INPUT, 0, command.event_id
