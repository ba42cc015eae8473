"""Choosing rows of an export, and writing those chosen to a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # as above: no types

from streams.exports import as_csv, as_geojson, geometry_of, plain
from streams.printable import no_formula
from streams.serving.kinds import Kind

__all__ = [
    "FORMATS",
    "MOST_CHOICES",
    "Narrow",
    "as_file",
    "choices_of",
    "features",
    "narrowed",
    "no_formula",
    "parquet_of",
    "table_as_file",
]

MOST_CHOICES = 200
"""A column with more different values is searched by text, not chosen from."""

FORMATS = ("csv", "geojson", "parquet")


class Narrow(NamedTuple):
    """Which rows are wanted; what is empty narrows nothing.

    ``from_at`` is included, ``to_at`` is not. ``text`` is looked for in every
    column of text, upper and lower case alike.
    """

    choices: Mapping[str, Sequence[str | int | bool]] = {}
    text: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None


def narrowed(table: pa.Table, kind: Kind, wanted: Narrow) -> pa.Table:
    """Return the rows that are wanted, in their order."""
    masks = [
        pc.is_in(table[name], pa.array(list(values), table.schema.field(name).type))
        for name, values in wanted.choices.items()
        if values
    ]
    at = table[kind.at]
    if wanted.from_at is not None:
        masks.append(pc.greater_equal(at, pa.scalar(wanted.from_at, at.type)))
    if wanted.to_at is not None:
        masks.append(pc.less(at, pa.scalar(wanted.to_at, at.type)))
    if wanted.text.strip():
        masks.append(_has(table, wanted.text.strip()))
    for number, mask in enumerate(masks):
        both = pc.fill_null(mask, fill_value=False)
        masks[number] = both if number == 0 else pc.and_(masks[number - 1], both)
    return table.filter(masks[-1]) if masks else table


def choices_of(table: pa.Table, kind: Kind) -> dict[str, list[str | int | bool]]:
    """Return the values that can be chosen, of columns that have a few."""
    found = {}
    for name in kind.choices:
        values = [one for one in pc.unique(table[name]).to_pylist() if one is not None]
        if 1 < len(values) <= MOST_CHOICES:
            found[name] = sorted(values)
    return found


def as_file(table: pa.Table, kind: Kind, form: str) -> bytes:
    """Return rows as ``rollcall export`` would write them."""
    rows = [plain(row) for row in table.to_pylist()]
    if "areas" in table.column_names:
        for row in rows:
            row["areas"] = msgspec.json.decode(row["areas"])
    if form == "csv":
        return b"".join(as_csv(rows))
    if form == "geojson":
        return b"".join(as_geojson(rows))
    return parquet_of(rows, place=bool(kind.place))


def table_as_file(table: pa.Table, form: str) -> bytes:
    """Return the rows of a query as CSV or Parquet."""
    rows = [plain(row) for row in table.to_pylist()]
    return b"".join(as_csv(rows)) if form == "csv" else parquet_of(rows, place=False)


def parquet_of(rows: Sequence[Mapping[str, object]], *, place: bool) -> bytes:
    """Return rows as Parquet; its libraries load when the first file is asked for."""
    from streams.parquet import as_parquet  # noqa: PLC0415 - most visits ask for none

    return as_parquet(rows, place=place)


def _has(table: pa.Table, text: str) -> pa.ChunkedArray:
    """Return in which rows a text stands."""
    found = None
    for column in table.columns:
        if pa.types.is_string(column.type):
            has = pc.fill_null(pc.match_substring(column, text, ignore_case=True), fill_value=False)
            found = has if found is None else pc.or_(found, has)
    return found


def features(zones: pa.Table) -> dict[str, object]:
    """Return zones as a feature collection for a map, the worst last.

    Each carries ``title`` (what and which band), ``band``, ``rank`` and
    ``possible_only``.
    """
    rows = sorted(zones.to_pylist(), key=lambda row: row["rank"])
    return {"type": "FeatureCollection", "features": [_feature(row) for row in rows]}


def _feature(row: Mapping[str, Any]) -> dict[str, object]:
    geometry = geometry_of({"areas": msgspec.json.decode(row["areas"])})
    title = f"{row['title']} · {row['band']}"
    properties = {name: row[name] for name in ("band", "rank", "possible_only")}
    return {"type": "Feature", "geometry": geometry, "properties": properties | {"title": title}}
