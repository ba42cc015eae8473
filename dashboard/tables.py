"""The list of a situation's people as table, map and file: pure, over rows.

A row is one member of a situation as ``streams.serving.people`` gives it. What
is not known stays empty (None), in the table as in the files.
"""

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from dashboard.figures import KINDS, glyph
from dashboard.words import Words
from streams.serving.narrow import no_formula
from streams.serving.people_answers import Member

FIELDS = (
    "person_id bucket tier area post by why at since place country "
    "band basis precision lon_deg lat_deg radius_m"
).split()
"""The columns of the files, in their order."""


def kind(bucket: str) -> str:
    """Return which of the four marks of the map a bucket has."""
    return bucket if bucket in KINDS else "other"


NOTHING = "—"
"""What a cell says where nothing is known: neither empty nor a value."""


def word(prefix: str, value: str | None, say: Words) -> str:
    """Return the page's word for a value of a code list, a dash for none."""
    return NOTHING if value is None else say(f"{prefix}_{value}")


def table(rows: Sequence[Member], say: Words) -> dict[str, list[Any]]:
    """Return the columns of the list, in the order and with the words shown."""
    return {
        "person": [row.person_id for row in rows],
        "bucket": [f"{glyph(row.bucket)} {say('bucket_' + row.bucket)}" for row in rows],
        "tier": [word("tier", row.tier, say) for row in rows],
        "area": [row.area or NOTHING for row in rows],
        "place": [row.place or NOTHING for row in rows],
        "band": [row.band or NOTHING for row in rows],
        "basis": [word("basis", row.basis, say) for row in rows],
        "at": [row.at for row in rows],
        "by": [word("by", row.by, say) for row in rows],
        "post": [row.post or NOTHING for row in rows],
        "precision": [word("precision", row.precision, say) for row in rows],
        "since": [row.since for row in rows],
    }


def marks(rows: Iterable[Member], chosen: Collection[str]) -> dict[str, list[Any]]:
    """Return the map's arrays: only rows that have a point, ``chosen`` outlined."""
    placed = [row for row in rows if row.lon_deg is not None and row.lat_deg is not None]
    wanted = set(chosen)
    return {
        "ids": [row.person_id for row in placed],
        "lon": [row.lon_deg for row in placed],
        "lat": [row.lat_deg for row in placed],
        "kind": [KINDS.index(kind(row.bucket)) for row in placed],
        "chosen": [row.person_id for row in placed if row.person_id in wanted],
    }


def count_by_bucket(rows: Iterable[Member]) -> dict[str, int]:
    """Return how many of the rows stand in each bucket, biggest first."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.bucket] = counts.get(row.bucket, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def as_csv(rows: Iterable[Member]) -> bytes:
    """Return the list as CSV (RFC 4180, UTF-8 with a mark, for spreadsheets).

    A text that a spreadsheet would read as a formula gets an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow([_cell(getattr(row, field)) for field in FIELDS])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return _instant(value)
    return no_formula(value) if isinstance(value, str) else value


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def as_geojson(rows: Iterable[Member], *, status: str, as_of: datetime | None) -> bytes:
    """Return the list as GeoJSON (RFC 7946); who has no point has no geometry."""
    features = []
    for row in rows:
        point = None
        if row.lon_deg is not None and row.lat_deg is not None:
            point = {"type": "Point", "coordinates": [row.lon_deg, row.lat_deg]}
        values = {field: getattr(row, field) for field in FIELDS[:-3] + FIELDS[-1:]}
        shown = {k: _instant(v) if isinstance(v, datetime) else v for k, v in values.items()}
        features.append(
            {"type": "Feature", "id": row.person_id, "geometry": point, "properties": shown}
        )
    whole = {
        "type": "FeatureCollection",
        "status": status,
        "as_of": None if as_of is None else _instant(as_of),
        "features": features,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
