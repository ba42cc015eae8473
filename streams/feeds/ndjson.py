"""Events as NDJSON: one line, one message, ``{"type": <message name>, ...}``.

For reports of agencies without a connector (EMSC, AFAD, GFZ and others), and
for events about people. Only what an outside source may say is read; what the
stages say of themselves never comes in by file.
"""

from datetime import datetime
from typing import Any

import msgspec

from schemas.codec import UndecodableError, decode
from schemas.codelists import Revision
from schemas.envelope import Event
from schemas.person import DIRECT_IDENTIFIERS
from streams.feeds.base import (
    PAYLOAD,
    UNREADABLE,
    Feed,
    ItemReject,
    Parsed,
    refuse,
    sniff,
    without_mark,
)

KINDS = (
    "RegistrationFiled",
    "CheckedIn",
    "ContactRecorded",
    "IncidentReported",
    "AdvisoryIssued",
    "CommandIssued",
)
"""Messages that outside sources may send."""


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one event or refusal per line that is not blank; never raises.

    ``received_at`` fills the field where a line leaves it out; everything
    else that a message needs must stand in the line.
    """
    what_else = sniff(payload)
    if what_else is not None:
        return [refuse(PAYLOAD, what_else, payload)]
    return [
        _line(number, line, received_at)
        for number, line in enumerate(without_mark(payload).split(b"\n"), start=1)
        if line.strip()
    ]


def _line(number: int, line: bytes, received_at: datetime) -> Event | ItemReject:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except UNREADABLE as error:
        return _refuse(number, error, line, _quoted(line))
    found = _direct_identifiers(fields)
    if found:
        reason = "direct identifiers belong in the vault, not in a topic"
        return _refuse(number, reason, line, found)
    try:
        return _event(fields, received_at)
    except UNREADABLE as error:
        return _refuse(number, error, line, found)


def _event(fields: dict[str, Any], received_at: datetime) -> Event:
    name = fields.pop("type", None)
    if name not in KINDS:
        msg = f"type {name!r} is not one of {', '.join(KINDS)}"
        raise UndecodableError(msg)
    fields.setdefault("received_at", received_at)
    return decode(name, msgspec.json.encode(fields))


def _refuse(number: int, reason: object, line: bytes, identifiers: set[str]) -> ItemReject:
    """Return the refusal; of direct identifiers it keeps the names, never the values."""
    body = f"withheld, it holds {', '.join(sorted(identifiers))}" if identifiers else line
    return refuse(f"line {number}", reason, body)


def _direct_identifiers(value: object) -> set[str]:
    """Return the direct identifiers among the field names at any depth."""
    if isinstance(value, list):
        return set().union(*map(_direct_identifiers, value))
    if not isinstance(value, dict):
        return set()
    names = DIRECT_IDENTIFIERS & {name.lower() for name in value}
    if "precision" in value:
        names -= {"name"}  # a place's own name ("Adana") is nobody's
    return set(names).union(*map(_direct_identifiers, value.values()))


def _quoted(line: bytes) -> set[str]:
    """Return the direct identifiers that stand in quotes in a line that is no JSON."""
    text = line.lower()
    return {name for name in DIRECT_IDENTIFIERS if f'"{name}"'.encode() in text}


FEED = Feed(
    name="ndjson",
    about="events as NDJSON: reports of any agency, advice, people, commands",
    url="",
    interval_s=60,
    licence="as its source",
    attribution="as each event's source",
    revision=Revision.CORRECTS,
    kinds=KINDS,
    parse=parse,
    enabled=False,
    count_floor=0.0,
)
