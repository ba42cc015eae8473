"""The contract of a feed, and what every parser needs: bytes, times, refusals.

A feed is a value, ``Feed``; its ``parse`` is a pure function of the bytes and
of the time they came in. It never raises: what it cannot read comes back as
an ``ItemReject`` beside what it could. One bad item never costs the batch.
"""

import hashlib
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec

from schemas.codec import encode
from schemas.codelists import Revision
from schemas.envelope import YEAR_MAX, YEAR_MIN, Event, check_id
from schemas.place import Position
from streams.statement import MAX_BODY_CHARS, UNREADABLE

PAYLOAD = "payload"
"""The ``item`` of a refusal that concerns the whole payload."""

# The UTF-8 byte-order mark, and the same mark encoded twice (GDACS, December 2024).
_MARKS = (b"\xc3\xaf\xc2\xbb\xc2\xbf", b"\xef\xbb\xbf")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 10**11
"""As seconds this is the year 5138, as milliseconds March 1973."""

_T = TypeVar("_T")


class ItemReject(NamedTuple):
    """What could not be read, and why, in words.

    ``item`` is the item's identity, else its place in the payload ("item
    17"), else ``payload``. ``body`` is at most ``MAX_BODY_CHARS`` of it.
    """

    item: str
    reason: str
    body: str


Parsed = list[Event | ItemReject]
"""What one payload gives, in its order."""


class Feed(NamedTuple):
    """One source: where it is, how often, under what terms, how it is read.

    ``revision``: what a newer version does to the earlier one, where the
    source has one rule for all it sends. ``absence_means_ended`` is False for
    every feed here: leaving a list is not a retraction. A good answer of fewer
    than ``count_floor`` times the usual events makes the feed suspect; 0.0
    says that an empty answer is normal. ``kinds`` are the message names that
    ``parse`` can give. A feed without ``url`` only reads files; ``enabled``
    says whether it is polled unless the settings say otherwise.
    """

    name: str
    about: str
    url: str
    interval_s: int
    licence: str
    attribution: str
    revision: Revision
    kinds: tuple[str, ...]
    parse: Callable[[bytes, datetime], Parsed]
    enabled: bool
    absence_means_ended: bool = False
    count_floor: float = 0.8


class PayloadError(ValueError):
    """The payload as a whole is unreadable; says why."""


def refuse(item: str, reason: object, raw: bytes | str) -> ItemReject:
    """Return the refusal of ``raw``, its body cut to what is kept."""
    text = raw if isinstance(raw, str) else raw[: 4 * MAX_BODY_CHARS].decode("utf-8", "replace")
    return ItemReject(item, str(reason) or type(reason).__name__, text[:MAX_BODY_CHARS])


def without_mark(payload: bytes) -> bytes:
    """Return ``payload`` without the white space and byte-order marks before it."""
    payload = payload.lstrip()
    for mark in _MARKS:
        if payload.startswith(mark):
            return payload[len(mark) :].lstrip()
    return payload


def sniff(payload: bytes) -> str | None:
    """Return in words what else than data a payload is; None if it may be data."""
    start = without_mark(payload[:1000])[:100].lower()
    if not start:
        return "the payload is empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "the payload is an HTML page, not data"
    return None


def read_json(payload: bytes, shape: type[_T]) -> _T:
    """Return ``payload`` read as ``shape``; ``PayloadError`` says why it is not."""
    what_else = sniff(payload)
    if what_else is not None:
        raise PayloadError(what_else)
    try:
        return msgspec.json.decode(without_mark(payload), type=shape)
    except UNREADABLE as error:
        msg = f"not the JSON this feed reads: {error}"
        raise PayloadError(msg) from error


def read_items(
    items: Iterable[tuple[str, bytes]],
    identity: Callable[[bytes], str],
    build: Callable[[bytes], Event],
) -> Parsed:
    """Return one event or refusal per (place, bytes), each read on its own."""
    parsed: Parsed = []
    for place, raw in items:
        try:
            parsed.append(build(raw))
        except UNREADABLE as error:
            try:
                item = identity(raw)
            except UNREADABLE:
                item = place
            parsed.append(refuse(item, error, raw))
    return parsed


def utc_of_text(text: str, field: str, *, assume_utc: bool = False) -> datetime:
    """Return an ISO 8601 time in UTC; naive ones only where the source means UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = f"{field} {text.strip()[:50]!r} is not an ISO 8601 time"
        raise ValueError(msg) from error
    if at.tzinfo is None:
        if not assume_utc:
            msg = f"{field} {text.strip()[:50]!r} has no time zone"
            raise ValueError(msg)
        at = at.replace(tzinfo=UTC)
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        msg = f"{field} is in the year {at.year}; expected {YEAR_MIN} to {YEAR_MAX}"
        raise ValueError(msg)
    return at.astimezone(UTC)


def utc_of_epoch_ms(value_ms: int) -> datetime:
    """Return the UTC time of milliseconds since 1970, exact to the millisecond."""
    return _EPOCH + timedelta(milliseconds=value_ms)


def utc_of_epoch(value: float) -> datetime:
    """Return the UTC time of seconds or milliseconds, told apart by magnitude."""
    if not math.isfinite(value):
        msg = f"{value} is not a time"
        raise ValueError(msg)
    ms = value if abs(value) >= _MILLISECONDS_FROM else value * 1000
    return utc_of_epoch_ms(round(ms))


def position_of(coordinates: list[float | None]) -> Position:
    """Return the point of a GeoJSON position, longitudes past 180 wrapped.

    Feeds write both 181.2 and -178.8 at the antimeridian; past 360 it is not
    a longitude any more but a mistake, which ``Position`` refuses.
    """
    if len(coordinates) < 2 or coordinates[0] is None or coordinates[1] is None:
        msg = f"coordinates {coordinates} are not a longitude and a latitude"
        raise ValueError(msg)
    lon_deg, lat_deg = coordinates[0], coordinates[1]
    if 180.0 < abs(lon_deg) <= 360.0:
        lon_deg = round(lon_deg - math.copysign(360.0, lon_deg), 9)
    return Position(lon_deg=lon_deg, lat_deg=lat_deg)


def content_hash(event: Event) -> str:
    """Return 48 bits of hash of what an event says, its id and arrival left out."""
    said = msgspec.structs.replace(event, event_id="-", received_at=_EPOCH)
    return hashlib.blake2b(encode(said), digest_size=6).hexdigest()


def bounded_id(text: str) -> str:
    """Return ``text`` as a valid id: as it is, or cut and made unique by a hash."""
    try:
        check_id(text, "id")
    except ValueError:
        kept = "".join(c for c in text[:150] if c.isprintable())
        return f"{kept}~{hashlib.blake2b(text.encode(errors='replace'), digest_size=8).hexdigest()}"
    return text
