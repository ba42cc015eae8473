"""The exports that the analyst's page serves: columns, choices, places."""

from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Boolean, Column, Float, Integer, Table

from streams.serving import deliveries as d
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.column_types import Utc

INSTANT = pa.timestamp("us", "UTC")
_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()

NEVER_SHOWN = frozenset({"body", "traceback"})
"""Columns of the store that no export has: messages as they came."""


class Kind(NamedTuple):
    """One export: where its rows come from and what can be done with them.

    ``at`` is the column of its time, ``choices`` those worth choosing values
    of. ``place`` is point (``lon_deg``, ``lat_deg``), area, or empty. ``more``
    are the columns that are not those of its table.
    """

    name: str
    table: Table
    at: str
    choices: tuple[str, ...]
    place: str = ""
    more: tuple[tuple[str, pa.DataType], ...] = ()
    leave: frozenset[str] = frozenset()

    @property
    def own(self) -> list[str]:
        """Return the columns that are those of its table."""
        left = self.leave | NEVER_SHOWN
        return [one.name for one in self.table.columns if one.name not in left]

    def columns(self, *, area: bool = False) -> dict[str, pa.DataType]:
        """Return its columns and their types; ``area`` with the areas of zones."""
        areas = {"areas": _TEXT} if area and self.place == "area" else {}
        own = {name: type_of(self.table.c[name]) for name in self.own}
        return own | dict(self.more) | areas


def type_of(column: Column[Any]) -> pa.DataType:
    """Return the Arrow type of a column of the store."""
    if isinstance(column.type, Utc):
        return INSTANT
    if isinstance(column.type, Boolean):
        return pa.bool_()
    if isinstance(column.type, Integer):
        return _WHOLE
    return _REAL if isinstance(column.type, Float) else _TEXT


PRESENCE = tuple(
    (name, type_of(t.exposures.c[name]))
    for name in "basis precision country place lon_deg lat_deg radius_m as_of".split()
)
"""Columns of where somebody is believed to be."""

_NOT_OF_A_PERSON = frozenset(t.exposures.columns.keys()) - {"person_id", "status"}

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "persons", t.exposures, "as_of",
            ("status", "basis", "precision", "country", "admin1"), "point",
            (*PRESENCE, ("admin1", _TEXT), ("open_exposures", _WHOLE)),
            _NOT_OF_A_PERSON,
        ),
        Kind(
            "exposures", t.exposures, "since",
            ("situation_id", "status", "tier", "band", "country", "admin1", "basis", "post"),
            "point",
            (("admin1", _TEXT), ("distance_m", _REAL), ("p_inside", _REAL),
             ("from_date", pa.date32()), ("to_date", pa.date32()), ("cause_title", _TEXT),
             ("zone_id", _TEXT), ("zone_version", _WHOLE), ("model", _TEXT)),
            frozenset({"closed", "until"}),
        ),
        Kind(
            "ledger", t.ledger, "at",
            ("situation_id", "status", "bucket", "tier", "by", "area", "country", "post"),
            "point", PRESENCE,
        ),
        Kind(
            "movements", t.movements, "at",
            ("situation_id", "status", "from_bucket", "to_bucket", "by", "why", "tier", "post"),
        ),
        Kind(
            "commands", j.inputs, "occurred_at",
            ("situation_id", "status", "verb", "role", "by"),
            more=tuple(
                (name, INSTANT if name == "until" else _TEXT)
                for name in
                "verb by role reason situation_id person_id bucket confirmed_by title hazard"
                " incident_id incident_ids alert_id rule until other_id link_id".split()
            ),
            leave=frozenset(
                {"topic", "partition", "offset", "name", "about", "also", "what", "trigger_id"}
            ),
        ),
        Kind(
            "incidents", t.incidents, "onset_at",
            ("situation_id", "status", "hazard", "life", "headline_source"), "point",
            (("severity", _TEXT),),
        ),
        Kind(
            "zones", t.zones, "valid_from",
            ("situation_id", "status", "cause_id", "band", "hazard", "corrected"), "area",
            (("title", _TEXT), ("hazard", _TEXT)),
        ),
        Kind(
            "advisories", t.advisories, "sent_at",
            ("status", "issuer", "level", "scope", "change"),
            more=(("previous_level", _WHOLE),),
        ),
        Kind(
            "situations", t.situations, "onset_at", ("status", "hazard", "closed"),
            more=(("incident_ids", _TEXT), ("reason", _TEXT)),
        ),
        Kind(
            "alerts", t.alerts, "raised_at",
            ("situation_id", "status", "rule", "severity", "audience", "intent"),
            more=(("acknowledged_by", _TEXT), ("acknowledged_at", INSTANT),
                  ("acknowledged_reason", _TEXT)),
        ),
        Kind(
            "deliveries", d.deliveries, "raised_at",
            ("situation_id", "status", "channel", "state", "rule", "intent"), leave=d.INSIDE,
        ),
        Kind("deadletters", t.deadletters, "at", ("topic", "message_type", "retryable")),
    )
}  # fmt: skip
"""The exports that can be served, by name; deliveries from a file of their own."""

BESIDE = (
    t.sums, t.totals, t.feed_health, t.faults, t.silences, j.sum_history, j.versions, j.changes,
    j.exposure_changes,
)  # fmt: skip
"""Tables of the store that are no export; SQL can ask them too."""

NEWEST_INPUTS = 200_000
"""So many of what came in can be asked with SQL; it grows without end."""


def asked_columns() -> dict[str, dict[str, pa.DataType]]:
    """Return every table that SQL may ask with its columns and types."""
    found = {name: kind.columns() for name, kind in KINDS.items()}
    closed = KINDS["exposures"]._replace(leave=frozenset(), more=())
    found["closed_exposures"] = closed.columns()
    for table in (*BESIDE, j.inputs):
        found[table.name] = Kind(table.name, table, "", ()).columns()
    return found
