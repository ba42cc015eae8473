"""One statement from outside, read from its JSON: what every way in refuses alike.

A line of a file, an item of a request and a record of a public topic are the
same: the fields of one message. What cannot be read comes back with as much of
it as may be kept, which is never a value where there may be a direct identifier.
"""

import re
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from schemas.codec import BY_NAME, UndecodableError, decode
from schemas.envelope import Event
from schemas.person import LIKE_IDENTIFIER, WITHHELD, Stay, names_identifier, withheld
from schemas.place import Circle, Countries, Place, Polygons, Position

KINDS = (
    "RegistrationFiled",
    "CheckedIn",
    "ContactRecorded",
    "IncidentReported",
    "AdvisoryIssued",
    "CommandIssued",
)
"""Messages that outside sources may send."""

MAX_BODY_CHARS = 2000
"""Most of a refused statement that the quarantine keeps."""

UNREADABLE = (ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What bad input makes the libraries raise; anything else is a bug of ours."""

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

_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)
"""A value in a reason: shown to whoever brought it, not kept if the rest is not."""


class Unread(NamedTuple):
    """Why a statement could not be read, in words, and what may be kept of it."""

    reason: str
    body: str


class Whose(Enum):
    """Who says when a statement came in, given when its bytes did.

    ``OURS``: always when its bytes did. ``EARLIER``: as the statement says, but
    never after that. ``THEIRS``: as the statement says, past or future; a
    scenario has a time of its own. Where it says nothing, when its bytes did.
    """

    OURS = auto()
    EARLIER = auto()
    THEIRS = auto()


def read(body: bytes, at: datetime, whose: Whose, name: str | None = None) -> Event | Unread:
    """Return the event in one JSON object, or why there is none; never raises.

    ``at`` is when the bytes came in. ``name`` is the message it must be; None
    where its field ``type`` says so. Everything else that a message needs must
    stand in it.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        return _unread(error, withheld(body, ()))
    names = _names(fields)
    found = {name for name in names - _KNOWN if names_identifier(name)} | _own_names(fields)
    if found:
        reason = "direct identifiers belong in the vault, not in a topic"
        return _unread(reason, withheld(body, map(_shown, found)))
    try:
        return _event(dict(fields), at, whose, name)
    except UNREADABLE as error:
        kept = msgspec.json.encode(fields).decode()
        about_nobody = (name or fields.get("type")) in _OF_THE_WORLD and names <= _KNOWN
        if not about_nobody or LIKE_IDENTIFIER.search(kept):
            kept = withheld(body, map(_shown, names))
        return _unread(_told(str(error), names), kept)


def keepable(reason: str, body: str) -> str:
    """Return a reason as a dead letter may keep it beside that body."""
    return _QUOTED.sub("...", reason) if body.startswith(WITHHELD) else reason


def _unread(reason: object, body: str) -> Unread:
    return Unread(str(reason) or type(reason).__name__, body[:MAX_BODY_CHARS])


def _event(fields: dict[str, Any], at: datetime, whose: Whose, wanted: str | None) -> Event:
    name = fields.pop("type", wanted)
    if wanted is not None and name != wanted:
        msg = f"its field type says something else than {wanted}"
        raise UndecodableError(msg)
    if name not in KINDS:
        msg = f"type {name!r} is not one of {', '.join(KINDS)}"
        raise UndecodableError(msg)
    if whose is Whose.OURS:
        fields["received_at"] = at
    else:
        fields.setdefault("received_at", at)
    event = decode(name, msgspec.json.encode(fields))
    if whose is Whose.EARLIER and event.received_at > at:
        return msgspec.structs.replace(event, received_at=at)
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
