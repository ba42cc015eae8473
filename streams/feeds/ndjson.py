"""Events as NDJSON: one line, one message, ``{"type": <message name>, ...}``.

For reports of agencies without a connector (EMSC, AFAD, GFZ and others), and
for events about people. Only what an outside source may say is read; what the
stages say of themselves never comes in by file.
"""

import re
from datetime import datetime
from typing import Any

import msgspec

from schemas.codec import BY_NAME, UndecodableError, decode
from schemas.codelists import Revision
from schemas.envelope import Event
from schemas.person import LIKE_IDENTIFIER, Stay, names_identifier, withheld
from schemas.place import Circle, Countries, Place, Polygons, Position
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

_OF_THE_WORLD = ("IncidentReported", "AdvisoryIssued")
"""Messages about nobody: if every field is known, a refused one may be kept."""

_PARTS = (Stay, Place, Position, Circle, Polygons, Countries)
_MESSAGES = tuple(BY_NAME[kind] for kind in KINDS)
_KNOWN = {"type", "kind"}.union(
    *(cls.__struct_fields__ for cls in _MESSAGES), *(cls.__struct_fields__ for cls in _PARTS)
)
"""Every field that a message from outside may have, at any depth."""

_FIELD_NAME = re.compile(r"[^\W\d](?:[\w-](?!\d{7})){0,39}")
"""What a field may be called; anything else may itself be about somebody."""


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one event or refusal per line that is not blank; never raises.

    ``received_at`` is when the payload arrived: it fills the field where a
    line leaves it out, and nothing arrived later than that. Everything else
    that a message needs must stand in the line.
    """
    what_else = sniff(payload)
    if what_else is None and b"\0" in payload[:4]:
        what_else = "not UTF-8 but UTF-16; save the file as UTF-8"
    if what_else is not None:
        return [refuse(PAYLOAD, what_else, withheld(payload, ()))]
    return [
        _line(number, line, received_at)
        for number, line in enumerate(without_mark(payload).split(b"\n"), start=1)
        if line.strip()
    ]


def _line(number: int, line: bytes, received_at: datetime) -> Event | ItemReject:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except UNREADABLE as error:
        return refuse(f"line {number}", error, withheld(line, ()))
    names = _names(fields)
    found = {name for name in names - _KNOWN if names_identifier(name)} | _own_names(fields)
    if found:
        reason = "direct identifiers belong in the vault, not in a topic"
        return refuse(f"line {number}", reason, withheld(line, map(_shown, found)))
    try:
        return _event(dict(fields), received_at)
    except UNREADABLE as error:
        kept = msgspec.json.encode(fields).decode()
        about_nobody = fields.get("type") in _OF_THE_WORLD and names <= _KNOWN
        if not about_nobody or LIKE_IDENTIFIER.search(kept):
            kept = withheld(line, map(_shown, names))
        return refuse(f"line {number}", _told(str(error), names), kept)


def _event(fields: dict[str, Any], received_at: datetime) -> Event:
    name = fields.pop("type", None)
    if name not in KINDS:
        msg = f"type {name!r} is not one of {', '.join(KINDS)}"
        raise UndecodableError(msg)
    fields.setdefault("received_at", received_at)
    event = decode(name, msgspec.json.encode(fields))
    if event.received_at > received_at:
        return msgspec.structs.replace(event, received_at=received_at)
    return event


def _shown(name: str) -> str:
    """Return the name of a field as it may be kept."""
    return name.lower() if _FIELD_NAME.fullmatch(name) else "..."


def _told(reason: str, names: set[str]) -> str:
    """Return a reason without such names of fields as may be about somebody."""
    for name in names:
        if _shown(name) == "...":
            reason = reason.replace(f"`{name}`", "`...`")
    return reason


def _names(value: object) -> set[str]:
    """Return the names of fields at any depth."""
    if isinstance(value, list):
        return set().union(*map(_names, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*map(_names, value.values()))


def _own_names(value: object) -> set[str]:
    """Return "name" if it stands anywhere but in a place ("Adana" is nobody's)."""
    if isinstance(value, list):
        return set().union(*map(_own_names, value))
    if not isinstance(value, dict):
        return set()
    own = {"name"} if "name" in value and "precision" not in value else set()
    return own.union(*map(_own_names, value.values()))


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
