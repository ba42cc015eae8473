"""Members of a situation as the store answers them, made by hand."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

AT = datetime(2023, 2, 6, 4, 30, tzinfo=UTC)


def row(person_id: str, **more: Any) -> Any:
    """Return a member in Adana nobody has heard of; ``more`` says otherwise."""
    known: dict[str, Any] = {
        "person_id": person_id,
        "bucket": "unaccounted",
        "tier": "probable",
        "area": "TR-01",
        "post": "Ankara",
        "by": "nobody",
        "why": "exposed",
        "at": AT,
        "since": AT,
        "lon_deg": 35.32,
        "lat_deg": 37.0,
        "radius_m": 10_000,
        "basis": "stay",
        "precision": "city",
        "place": "Adana",
        "country": "TR",
        "band": "VI",
    }
    return SimpleNamespace(**(known | more))
