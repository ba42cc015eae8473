"""Formats of exports: nothing turns into something else on the way out."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from streams.exports import as_csv, as_geojson, as_ndjson, in_order, plain

ROW = {"person_id": "h1.1", "country": "NA", "place": None, "title": "=1+1", "n": 3, "held": True}


def test_in_csv_namibia_is_text_unknown_is_empty_and_no_text_is_a_formula():
    assert b"".join(as_csv([ROW])).decode() == (
        "person_id,country,place,title,n,held\nh1.1,NA,,'=1+1,3,true\n"
    )


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
def test_no_heading_and_no_text_begins_a_formula(begin):
    text = f"{begin}cmd|' /C calc'!A0\r=1"
    heading, cells = csv.reader(io.StringIO(b"".join(as_csv([{text: text}])).decode(), newline=""))
    assert (heading, cells) == ([f"'{text}"], [f"'{text}"])


def test_numbers_stay_numbers():
    row = {"whole": -3, "part": -2.5, "exact": Decimal("-0.1"), "text": "-3"}
    (line,) = csv.DictReader(io.StringIO(b"".join(as_csv([row])).decode()))
    assert line == {"whole": "-3", "part": "-2.5", "exact": "-0.1", "text": "'-3"}


def test_csv_has_every_column_of_every_row_and_keeps_lists_readable():
    rows: list[dict[str, object]] = [{"a": "x,\ny"}, {"b": ["VI", "VII"], "c": -2.5}]
    table = list(csv.DictReader(io.StringIO(b"".join(as_csv(rows)).decode())))
    assert table == [
        {"a": "x,\ny", "b": "", "c": ""},
        {"a": "", "b": '["VI","VII"]', "c": "-2.5"},
    ]
    assert list(as_csv([])) == []


def test_ndjson_sorts_its_keys_and_keeps_what_is_unknown():
    assert list(as_ndjson([ROW])) == [
        b'{"country":"NA","held":true,"n":3,"person_id":"h1.1","place":null,"title":"=1+1"}\n'
    ]


def test_rows_of_several_shards_come_in_one_order():
    rows = [
        {"person_id": "b.1", "cause_id": "inc-1"},
        {"person_id": "a.2", "cause_id": "inc-2"},
        {"person_id": "a.2", "cause_id": "inc-1"},
    ]
    assert [(r["person_id"], r["cause_id"]) for r in in_order(rows)] == [
        ("a.2", "inc-1"),
        ("a.2", "inc-2"),
        ("b.1", "inc-1"),
    ]


def test_geojson_of_nobody_is_a_collection_and_a_person_without_a_point_has_none():
    assert json.loads(b"".join(as_geojson([]))) == {"type": "FeatureCollection", "features": []}
    (feature,) = json.loads(b"".join(as_geojson([ROW])))["features"]
    assert feature["geometry"] is None
    points = {"h1.1": {"lon_deg": 15.0, "lat_deg": -22.0}}
    (feature,) = json.loads(b"".join(as_geojson([ROW], points)))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [15.0, -22.0]}


def test_a_zone_of_two_areas_is_a_collection_of_two():
    circle = {"kind": "circle", "lon_deg": 37.0, "lat_deg": 37.0, "radius_m": 1000.0}
    zone = {"zone_id": "z", "areas": [circle, {**circle, "lon_deg": 38.0}]}
    (feature,) = json.loads(b"".join(as_geojson([zone])))["features"]
    assert [one["type"] for one in feature["geometry"]["geometries"]] == ["MultiPolygon"] * 2
    assert feature["properties"] == {"zone_id": "z"}


def test_times_of_the_store_are_written_in_utc():
    assert plain({"at": datetime(2023, 2, 6, tzinfo=UTC), "n": 1}) == {
        "at": "2023-02-06T00:00:00Z", "n": 1,
    }  # fmt: skip
