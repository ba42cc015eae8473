"""Exports as Parquet, and as GeoParquet 1.1 where rows have a place.

The same rows give the same bytes with the same versions of the libraries,
which write their names into the file. The type of a time, a measure or a
count follows the name of its column, so that files of two days fit together
also where one has nothing but unknowns in it.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import geopandas  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # as above: no types
from pyarrow import parquet
from shapely.geometry import shape

from streams.exports import Row, geometry_of

INSTANTS = frozenset({"at", "as_of", "minute", "since", "until", "valid_from", "valid_to"})
"""Columns of time whose names do not end in ``_at``."""

REALS = ("_deg", "_m", "magnitude", "p_inside")
WHOLES = frozenset(
    "late_s level offset partition previous_level rank seq version zone_version".split()
)


def as_parquet(
    rows: Sequence[Row], *, place: bool, points: Mapping[str, Row] | None = None
) -> bytes:
    """Return rows as a Parquet file; with ``place`` as GeoParquet in EPSG:4326.

    Nested values are JSON texts, as in CSV. A row without a place stays, with
    no geometry. ``points`` is as in ``exports.as_geojson``.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    shapes = [geometry_of(row, points) for row in rows] if place else []
    if place:
        names = [name for name in names if name != "areas"]
    table = pa.table({name: _column(name, [row.get(name) for row in rows]) for name in names})
    return _with_places(table, shapes) if place else _plain(table)


def _column(name: str, values: list[Any]) -> pa.Array:
    kind = _type(name, values)
    if kind == pa.string():
        return pa.array([_text(value) for value in values], kind)
    if pa.types.is_timestamp(kind):
        return pa.array([_instant(value) for value in values], kind)
    return pa.array(values, kind)


def _type(name: str, values: list[Any]) -> pa.DataType:
    if name in INSTANTS or name.endswith("_at"):
        return pa.timestamp("us", "UTC")
    if name.endswith(REALS):
        return pa.float64()
    if name in WHOLES:
        return pa.int64()
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds in ({float}, {int, float}) else pa.string()


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value, order="deterministic").decode().strip('"')


def _instant(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _plain(table: pa.Table) -> bytes:
    body = io.BytesIO()
    parquet.write_table(table, body, compression="zstd")
    return body.getvalue()


def _with_places(table: pa.Table, shapes: Sequence[dict[str, object] | None]) -> bytes:
    geometry = geopandas.GeoSeries(
        [None if one is None else shape(one) for one in shapes], crs="EPSG:4326"
    )
    # By name, so that whole numbers stay whole and texts stay texts also where all are unknown.
    kinds = {field.name: f"{field.type}[pyarrow]" for field in table.schema}
    frame = geopandas.GeoDataFrame(table.to_pandas().astype(kinds), geometry=geometry)
    body = io.BytesIO()
    frame.to_parquet(
        body, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True
    )
    return body.getvalue()
