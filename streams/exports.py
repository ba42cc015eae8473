"""Exports: rows of the state and of the journal as NDJSON, CSV or GeoJSON.

State comes from the stages, restored from the log; the journal from the
serving store. Rows are sorted by their keys and written canonically, so that
the same state is the same bytes.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from geo.areas import to_geojson
from schemas.place import Area
from streams.printable import no_formula

Row = Mapping[str, Any]

STAGE_OF = {
    "persons": "shard",
    "exposures": "shard",
    "ledger": "shard",
    "incidents": "desk",
    "zones": "desk",
    "advisories": "desk",
    "situations": "desk",
}
"""Exports of state, and the stage that gives them."""

JOURNALS = ("movements", "commands", "alerts", "deliveries", "deadletters")
"""Exports of what was said and when."""

KINDS = (*STAGE_OF, *JOURNALS)

WITHOUT_SITUATION = frozenset({"advisories", "deadletters"})
"""Exports whose rows belong to no situation."""

WITH_GEOMETRY = frozenset({"persons", "exposures", "zones"})
"""Exports that can be GeoJSON."""

_KEYS = ("person_id", "cause_id", "situation_id", "incident_id", "zone_id", "version",
         "advisory_id", "status")  # fmt: skip


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return rows of several partitions in one order, that of their keys."""
    return sorted(rows, key=lambda row: [(row.get(k) is not None, row.get(k)) for k in _KEYS])


def as_ndjson(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield one JSON object a line, keys sorted."""
    for row in rows:
        yield msgspec.json.encode(row, order="deterministic") + b"\n"


def as_csv(rows: Sequence[Row]) -> Iterator[bytes]:
    """Yield CSV: a heading and a line for each row; nested values as JSON.

    An empty cell is "not known"; the text NA (Namibia) stays text. A text that
    a spreadsheet would read as a formula gets an apostrophe before it.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if columns:
        yield _csv_line([no_formula(name) for name in columns])
    for row in rows:
        yield _csv_line([_cell(row.get(name)) for name in columns])


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO()
    # Python 3.11 and 3.12 quote only what ends their own lines: a CR would else begin a new one.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n").encode() + b"\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return no_formula(value)
    return msgspec.json.encode(value, order="deterministic").decode().strip('"')


def as_geojson(rows: Iterable[Row], points: Mapping[str, Row] | None = None) -> Iterator[bytes]:
    """Yield one feature collection (RFC 7946); the row stands in properties.

    Zones have ``areas``; of several the geometry is a collection. A row of a
    person has the point of ``points`` (presence by person_id), else its own;
    without a point the geometry is null.
    """
    yield b'{"type":"FeatureCollection","features":['
    separator = b"\n"
    for row in rows:
        geometry = geometry_of(row, points)
        properties = {name: value for name, value in row.items() if name != "areas"}
        feature = {"type": "Feature", "geometry": geometry, "properties": properties}
        yield separator + msgspec.json.encode(feature, order="deterministic")
        separator = b",\n"
    yield b"\n]}\n"


def geometry_of(row: Row, points: Mapping[str, Row] | None = None) -> dict[str, object] | None:
    """Return the GeoJSON geometry of a row, None where it has no place."""
    areas = row.get("areas")
    if areas is not None:
        return _area(areas)
    return _point(row if points is None else points.get(str(row["person_id"]), {}))


def _point(row: Row) -> dict[str, object] | None:
    if row.get("lon_deg") is None:
        return None
    return {"type": "Point", "coordinates": [row["lon_deg"], row["lat_deg"]]}


def _area(areas: Any) -> dict[str, object] | None:
    """Return the geometry of a zone's areas, given as built-in values."""
    said = msgspec.convert(areas, tuple[Area, ...])
    shapes = [to_geojson(area) for area in said]
    if not shapes:
        return None
    return shapes[0] if len(shapes) == 1 else {"type": "GeometryCollection", "geometries": shapes}


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the store with its times as RFC 3339 in UTC."""
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in row.items()
    }
