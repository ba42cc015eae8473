"""Parquet: what goes in comes out again, for a stranger's reader too."""

import io
from datetime import UTC, datetime

import geopandas  # type: ignore[import-untyped]  # it ships no types
import pytest
from pyarrow import parquet  # type: ignore[import-untyped]  # as above: no types

from streams.parquet import as_parquet
from tests.cli import crisis

ROWS: list[dict[str, object]] = [
    {"person_id": "a.1", "country": "NA", "lon_deg": 17.08, "lat_deg": -22.57, "radius_m": 2000,
     "as_of": "2023-02-06T01:25:00Z", "held": True},
    {"person_id": "b.1", "country": None, "lon_deg": None, "lat_deg": None, "radius_m": None,
     "as_of": None, "held": None},
]  # fmt: skip


def test_plain_rows_come_back_with_their_types_and_unknowns():
    rows = [{"level": None, "sent_at": None, "areas": [{"kind": "circle"}], "n": 3,
             "depth_m": None}]  # fmt: skip
    table = parquet.read_table(io.BytesIO(as_parquet(rows, place=False)))
    assert table.to_pylist() == [
        {"level": None, "sent_at": None, "areas": '[{"kind":"circle"}]', "n": 3, "depth_m": None}
    ]
    assert [str(kind) for kind in table.schema.types] == [
        "int64", "timestamp[us, tz=UTC]", "string", "int64", "double",
    ]  # fmt: skip


def test_people_come_back_as_points_and_those_of_no_place_stay():
    frame = geopandas.read_parquet(io.BytesIO(as_parquet(ROWS, place=True)))
    assert frame.crs.to_epsg() == 4326
    assert [point and (point.x, point.y) for point in frame.geometry] == [(17.08, -22.57), None]
    assert list(frame["person_id"]) == ["a.1", "b.1"]
    assert frame["as_of"][0] == datetime(2023, 2, 6, 1, 25, tzinfo=UTC)
    assert frame["country"].isna().tolist() == [False, True]
    assert frame["held"].isna().tolist() == [False, True]
    schema = parquet.read_schema(io.BytesIO(as_parquet(ROWS[1:], place=True)))
    kinds = {name: str(schema.field(name).type) for name in ROWS[0]}
    assert kinds == {
        "person_id": "large_string",
        "country": "large_string",
        "lon_deg": "double",
        "lat_deg": "double",
        "radius_m": "double",
        "as_of": "timestamp[us, tz=UTC]",
        "held": "large_string",
    }


def test_the_same_rows_are_the_same_bytes():
    assert as_parquet(ROWS, place=True) == as_parquet(ROWS, place=True)
    assert as_parquet(ROWS, place=False) == as_parquet(ROWS, place=False)


@pytest.mark.parametrize("place", [True, False])
def test_nobody_is_a_file_too(place):
    table = parquet.read_table(io.BytesIO(as_parquet([], place=place)))
    assert table.num_rows == 0


def test_the_command_writes_what_a_reader_of_geoparquet_reads(rollcall):
    crisis.happened(rollcall)
    out = rollcall.folder / "persons.parquet"
    rollcall("export", "persons", "--format", "parquet", "--out", out)
    frame = geopandas.read_parquet(out)
    assert list(frame["person_id"]) == ["ana.1", "ben.1", "cem.1"]
    assert [(point.x, point.y) for point in frame.geometry] == [
        (37.38, 37.07), (37.38, 37.07), (12.48, 41.89),
    ]  # fmt: skip
    rollcall("export", "zones", "--format", "parquet", "--out", out)
    zones = geopandas.read_parquet(out)
    assert "areas" not in zones.columns
    assert zones.geometry.geom_type.unique().tolist() == ["MultiPolygon"]
    assert zones.geometry.is_valid.all()
    rollcall("export", "exposures", "--format", "parquet", "--out", out)
    assert geopandas.read_parquet(out).geometry.notna().tolist() == [True, True]
    rollcall("export", "ledger", "--format", "parquet", "--out", out)
    ledger = parquet.read_table(out)
    assert ledger["bucket"].to_pylist() == ["safe", "needs_help"]
    assert str(ledger.schema.field("since").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize(
    "kind", ["incidents", "advisories", "situations", "movements", "alerts", "deadletters"]
)
def test_every_other_export_can_be_parquet(rollcall, kind):
    crisis.happened(rollcall)
    out = rollcall.folder / "rows.parquet"
    rollcall("export", kind, "--format", "parquet", "--out", out)
    rows = rollcall("export", kind).rows
    assert parquet.read_table(out).num_rows == len(rows)


def test_geojson_without_geometry_names_parquet_as_a_way_out(rollcall):
    crisis.happened(rollcall)
    answer = rollcall("export", "ledger", "--format", "geojson", code=2)
    assert "use --format ndjson, csv or parquet" in answer.err
