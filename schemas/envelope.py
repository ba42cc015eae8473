"""The base of every message, and the checks all of them share."""

import functools
import math
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from schemas.codelists import Status

MAX_TEXT_CHARS = 20_000
"""Longest free text kept of a report; CAP sets no limit, a screen does."""

At = Annotated[datetime, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time in a message: aware, kept in UTC, RFC 3339 on the wire."""

YEAR_MIN, YEAR_MAX = 1900, 2200
"""Times outside these years are typing errors or sentinels, never facts."""


def as_utc(at: datetime, field: str) -> datetime:
    """Return ``at`` in UTC; a naive or absurd time raises ``ValueError``."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            msg = f"{field} has no time zone; write it as 2023-02-06T01:17:34Z"
            raise ValueError(msg)
        if YEAR_MIN <= at.year <= YEAR_MAX:
            at = at.astimezone(UTC)
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        msg = f"{field} is in the year {at.year}; expected {YEAR_MIN} to {YEAR_MAX}"
        raise ValueError(msg)
    return at


def check_lonlat(lon_deg: float, lat_deg: float) -> None:
    """Raise ``ValueError`` unless the coordinates are finite and on Earth."""
    if not (math.isfinite(lon_deg) and -180.0 <= lon_deg <= 180.0):
        msg = f"lon_deg {lon_deg} is not between -180 and 180"
        raise ValueError(msg)
    if not (math.isfinite(lat_deg) and -90.0 <= lat_deg <= 90.0):
        msg = f"lat_deg {lat_deg} is not between -90 and 90"
        raise ValueError(msg)


def check_positive_m(value_m: float, field: str, *, zero: bool = False) -> None:
    """Raise ``ValueError`` unless ``value_m`` is finite and above zero."""
    if not math.isfinite(value_m) or value_m < 0.0 or (value_m == 0.0 and not zero):
        msg = f"{field} is {value_m}; expected metres above 0"
        raise ValueError(msg)


def check_id(value: str, field: str) -> None:
    """Raise ``ValueError`` unless ``value`` is 1 to 200 printable characters."""
    if not 0 < len(value) <= 200 or not value.isprintable():
        msg = f"{field} must be 1 to 200 printable characters"
        raise ValueError(msg)


class Value(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of values inside messages: immutable, no unknown fields."""


@functools.cache
def _time_fields(cls: type[Value]) -> tuple[str, ...]:
    """Return the names of the fields of ``cls`` that hold a time."""
    times = (At, At | None)
    return tuple(f.name for f in msgspec.structs.fields(cls) if f.type in times)


def normalise_times(value: Value) -> None:
    """Put every time of a value in UTC; ``ValueError`` as of ``as_utc``."""
    for field in _time_fields(type(value)):
        at = getattr(value, field)
        if at is not None:
            at_utc = as_utc(at, field)
            if at_utc is not at:
                msgspec.structs.force_setattr(value, field, at_utc)


class Event(Value, frozen=True, kw_only=True):
    """What every message carries.

    ``event_id`` is the idempotency key: the same id twice is one event.
    ``cause_ids`` are the events this one follows from. ``occurred_at`` is when
    it happened, ``observed_at`` when the source says it saw it,
    ``received_at`` when Rollcall got it; all aware UTC.
    """

    event_id: str
    source: str
    occurred_at: At
    received_at: At
    observed_at: At | None = None
    cause_ids: tuple[str, ...] = ()
    status: Status = Status.ACTUAL

    def __post_init__(self) -> None:
        """Normalise times to UTC and refuse what no message may hold."""
        check_id(self.event_id, "event_id")
        normalise_times(self)
