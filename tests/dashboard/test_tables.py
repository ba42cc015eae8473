"""The list as table, map and file: what is not known stays empty."""

import csv
import io
import json

from dashboard.tables import FIELDS, as_csv, as_geojson, count_by_bucket, marks, table
from dashboard.words import words
from tests.dashboard.people_rows import AT, row

EN = words("en", "officer")
NOWHERE = {"lon_deg": None, "lat_deg": None, "radius_m": None, "place": None, "area": ""}
ROWS = [
    row("a.1"),
    row("b.1", bucket="needs_help", by="person", why="needs_help"),
    row("c.1", bucket="unreachable", tier="country_only", basis=None, **NOWHERE),
]


def test_the_table_says_each_bucket_by_sign_and_word() -> None:
    columns = table(ROWS, EN)
    assert columns["person"] == ["a.1", "b.1", "c.1"]
    assert columns["bucket"] == ["? Unaccounted for", "▲ Needs help", "● Unreachable"]
    assert columns["tier"] == ["Probable", "Probable", "Country only"]
    assert columns["basis"] == ["Registered stay", "Registered stay", "—"]
    assert columns["place"] == ["Adana", "Adana", "—"]
    assert columns["area"] == ["TR-01", "TR-01", "—"]
    assert columns["at"] == [AT, AT, AT]


def test_the_map_gets_only_whom_it_can_place() -> None:
    assert marks(ROWS, ["b.1", "c.1"]) == {
        "ids": ["a.1", "b.1"],
        "lon": [35.32, 35.32],
        "lat": [37.0, 37.0],
        "kind": [0, 1],
        "chosen": ["b.1"],
    }


def test_buckets_are_counted_biggest_first() -> None:
    assert count_by_bucket([*ROWS, row("d.1")]) == {
        "unaccounted": 2,
        "needs_help": 1,
        "unreachable": 1,
    }


def test_csv_has_empty_cells_and_no_formulas() -> None:
    said = as_csv([row("a.1", place="=1+1"), ROWS[2]]).decode("utf-8-sig").split("\r\n")
    rest = "'=1+1,TR,VI,stay,city,35.32,37.0,10000"
    at = "2023-02-06T04:30:00Z"
    assert said == [
        ",".join(FIELDS),
        f"a.1,unaccounted,probable,TR-01,Ankara,nobody,exposed,{at},{at},{rest}",
        f"c.1,unreachable,country_only,,Ankara,nobody,exposed,{at},{at},,TR,VI,,city,,,",
        "",
    ]


def test_the_list_and_the_exports_have_one_guard_against_formulas() -> None:
    place = "\nHYPERLINK"
    (_, line) = csv.reader(io.StringIO(as_csv([row("a.1", place=place)]).decode("utf-8-sig")))
    assert line[FIELDS.index("place")] == f"'{place}"
    assert float(line[FIELDS.index("lon_deg")]) == 35.32


def test_geojson_has_no_geometry_for_whom_nobody_can_place() -> None:
    said = json.loads(as_geojson(ROWS, status="Exercise", as_of=AT))
    assert (said["type"], said["status"], said["as_of"]) == (
        "FeatureCollection",
        "Exercise",
        "2023-02-06T04:30:00Z",
    )
    first, _, last = said["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [35.32, 37.0]}
    assert first["id"] == "a.1"
    assert first["properties"]["radius_m"] == 10_000
    assert first["properties"]["at"] == "2023-02-06T04:30:00Z"
    assert last["geometry"] is None
    assert last["properties"]["place"] is None
