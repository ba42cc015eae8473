"""Instants as whole microseconds since 1970, so that every comparison is exact."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

Fact = Mapping[str, Any]
"""One message as it stands in JSON, with its type's name under ``type``."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
ALWAYS = -(10**18)
"""The beginning of time."""
NEVER = 10**18
"""The end of time."""


def instant(text: str | datetime) -> int:
    """Return the microseconds since 1970 of an ISO time with a zone."""
    at = datetime.fromisoformat(text) if isinstance(text, str) else text
    return (at - EPOCH) // timedelta(microseconds=1)


def iso(at: int) -> str:
    """Return the ISO form, in UTC, of microseconds since 1970."""
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def happened(fact: Fact) -> int:
    """Return when a fact counts from: semantics.md, the clamp of 5 minutes."""
    occurred, received = instant(fact["occurred_at"]), instant(fact["received_at"])
    return received if occurred > received + 5 * MINUTE else occurred


def local_start(day: date, lon_deg: float | None) -> int:
    """Return the local start of a day: 00:00 UTC minus round(lon / 15) hours."""
    midnight = instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
    return midnight - (0 if lon_deg is None else round(lon_deg / 15.0) * HOUR)
