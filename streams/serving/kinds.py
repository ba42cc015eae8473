"""The exports that the analyst's page serves: columns, choices, places."""

from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Boolean, Column, Float, Integer, Table

from streams.serving import tables as t

INSTANT = pa.timestamp("us", "UTC")


class Kind(NamedTuple):
    """One export: where its rows come from and what can be done with them.

    ``at`` is the column of its time, ``choices`` those worth choosing values
    of. ``place`` is point (``lon_deg``, ``lat_deg``), area, or empty.
    """

    name: str
    table: Table
    at: str
    choices: tuple[str, ...]
    place: str = ""
    more: tuple[tuple[str, pa.DataType], ...] = ()

    @property
    def own(self) -> list[str]:
        """Return the columns that are those of its table."""
        if self.name == "persons":
            return []
        return [one.name for one in self.table.columns if one.name not in {"body", "traceback"}]

    def columns(self, *, area: bool = False) -> dict[str, pa.DataType]:
        """Return its columns and their types; ``area`` with the areas of zones."""
        areas = {"areas": pa.string()} if area and self.place == "area" else {}
        own = {name: type_of(self.table.c[name]) for name in self.own}
        return own | dict(self.more) | areas


_TEXT, _REAL, _WHOLE, _TRUTH = pa.string(), pa.float64(), pa.int64(), pa.bool_()

PRESENCE = (
    ("basis", _TEXT), ("precision", _TEXT), ("country", _TEXT), ("admin1", _TEXT),
    ("place", _TEXT), ("lon_deg", _REAL), ("lat_deg", _REAL), ("radius_m", _REAL),
    ("as_of", INSTANT),
)  # fmt: skip
"""Columns of where somebody is believed to be."""

_REASON = (
    *PRESENCE, ("distance_m", _REAL), ("p_inside", _REAL), ("from_date", pa.date32()),
    ("to_date", pa.date32()), ("cause_title", _TEXT), ("zone_id", _TEXT),
    ("zone_version", _WHOLE), ("model", _TEXT), ("estimated", _TRUTH),
)  # fmt: skip

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "persons",
            t.exposures,
            "as_of",
            ("status", "basis", "precision", "country", "admin1"),
            "point",
            (("person_id", _TEXT), ("status", _TEXT), *PRESENCE, ("exposures", _WHOLE)),
        ),
        Kind(
            "exposures",
            t.exposures,
            "since",
            ("situation_id", "status", "tier", "band", "country", "admin1", "basis", "post"),
            "point",
            _REASON,
        ),
        Kind(
            "ledger",
            t.ledger,
            "at",
            ("situation_id", "status", "bucket", "tier", "by", "country", "admin1", "post"),
            "point",
            PRESENCE,
        ),
        Kind(
            "movements",
            t.movements,
            "at",
            ("situation_id", "status", "from_bucket", "to_bucket", "by", "why", "tier", "post"),
        ),
        Kind(
            "incidents",
            t.incidents,
            "onset_at",
            ("situation_id", "status", "hazard", "life", "headline_source"),
            "point",
            (("depth_m", _REAL), ("severity", _TEXT), ("lon_deg", _REAL), ("lat_deg", _REAL)),
        ),
        Kind(
            "zones",
            t.zones,
            "valid_from",
            ("situation_id", "status", "cause_id", "band", "hazard", "corrected"),
            "area",
            (("title", _TEXT), ("hazard", _TEXT), ("rank", _WHOLE), ("model", _TEXT),
             ("estimated", _TRUTH), ("possible_only", _TRUTH)),
        ),
        Kind(
            "advisories",
            t.advisories,
            "sent_at",
            ("status", "issuer", "level", "scope", "change"),
            more=(("previous_level", _WHOLE),),
        ),
        Kind(
            "situations",
            t.situations,
            "onset_at",
            ("status", "hazard", "closed"),
            more=(("incident_ids", _TEXT), ("reason", _TEXT)),
        ),
        Kind(
            "alerts",
            t.alerts,
            "raised_at",
            ("situation_id", "status", "rule", "severity", "audience", "intent"),
            more=(("acknowledged_by", _TEXT), ("acknowledged_at", INSTANT),
                  ("acknowledged_reason", _TEXT)),
        ),
        Kind(
            "deadletters",
            t.deadletters,
            "at",
            ("topic", "message_type", "retryable"),
        ),
    )
}  # fmt: skip
"""The exports that the store can serve, by name."""

BESIDE = (t.sums, t.totals, t.feed_health, t.faults)
"""Tables of the store that are no export; SQL can ask them too."""


def type_of(column: Column[Any]) -> pa.DataType:
    """Return the Arrow type of a column of the store."""
    if isinstance(column.type, t.Utc):
        return INSTANT
    if isinstance(column.type, Boolean):
        return _TRUTH
    if isinstance(column.type, Integer):
        return _WHOLE
    return _REAL if isinstance(column.type, Float) else _TEXT
