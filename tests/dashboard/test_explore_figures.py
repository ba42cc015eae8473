"""Figures of rows: exact counts, the wall's colours, and what is left out."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pytest

from dashboard.explore import figures
from schemas.codelists import Bucket

AT = datetime(2023, 2, 6, 1, 25, tzinfo=UTC)
BASEMAP = Path(figures.__file__).parents[1] / "static" / "js/basemap.mjs"


def label(column, value):
    return "unknown" if value is None else f"{column}:{value}"


def table(**columns):
    return pa.table(columns)


PEOPLE = table(
    area=["TR-27", "TR-31", "TR-27", None, "TR-27"],
    bucket=["safe", "unaccounted", "unaccounted", "safe", "needs_help"],
    n=[1, 2, None, 4, 8],
)


def test_rows_are_counted_by_group_and_part_biggest_first():
    found = figures.counted(PEOPLE, "area", "bucket")
    assert found.groups == ["TR-27", None, "TR-31"]
    assert found.parts == ["unaccounted", "needs_help", "safe"]
    assert found.values == {
        ("TR-27", "safe"): 1,
        ("TR-27", "unaccounted"): 1,
        ("TR-27", "needs_help"): 1,
        ("TR-31", "unaccounted"): 1,
        (None, "safe"): 1,
    }
    assert found.left == 0


def test_a_column_of_numbers_is_summed():
    found = figures.counted(PEOPLE, "bucket", None, "n")
    assert found.groups == ["needs_help", "safe", "unaccounted"]
    assert found.values == {("needs_help", None): 8, ("safe", None): 5, ("unaccounted", None): 2}


def test_bars_have_the_walls_colours_its_marks_and_the_words_of_the_page():
    found = figures.counted(PEOPLE, "area", "bucket")
    option = figures.bars(found, "area", "bucket", label, "rows")
    assert option["yAxis"]["data"] == ["area:TR-27", "unknown", "area:TR-31"]
    assert [(one["name"], one["itemStyle"]["color"], one["data"]) for one in option["series"]] == [
        ("? bucket:unaccounted", "#FFC533", [1, 0, 1]),
        ("▲ bucket:needs_help", "#FF6A5B", [1, 0, 0]),
        ("✓ bucket:safe", "#4FB3F6", [1, 1, 0]),
    ]


def test_every_bucket_has_a_colour_and_the_walls_are_the_walls():
    assert list(figures.BUCKET_COLORS)[:3] == ["unaccounted", "needs_help", "safe"]
    assert set(figures.BUCKET_COLORS) == {str(bucket) for bucket in Bucket}
    wall = dict(
        re.findall(r"^  (\w+): '(#\w+)',$", BASEMAP.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {
        name: figures.BUCKET_COLORS[name] for name in ("unaccounted", "needs_help", "safe")
    } == {name: wall[name] for name in ("unaccounted", "needs_help", "safe")}


def test_what_is_beyond_the_bars_and_the_parts_is_counted():
    many = table(
        place=[f"p{i:02}" for i in range(40) for _ in range(2)],
        by=[f"b{i % 20:02}" for i in range(80)],
    )
    found = figures.counted(many, "place", "by")
    assert (len(found.groups), found.left) == (30, 10)
    assert (len(found.parts), found.parts[-1]) == (13, figures.OTHERS)
    assert sum(found.values.values()) == 80


def test_a_histogram_has_every_bin_also_the_empty_ones():
    times = [AT, AT + timedelta(seconds=59), AT + timedelta(minutes=3), None]
    option = figures.over_time(table(at=times, bucket=["safe"] * 4), "at", "bucket", label, "rows")
    assert option is not None
    assert option["xAxis"]["data"] == [
        "06 Feb 01:25", "06 Feb 01:26", "06 Feb 01:27", "06 Feb 01:28",
    ]  # fmt: skip
    assert [one["data"] for one in option["series"]] == [[2, 0, 0, 1]]


def test_a_histogram_of_more_bins_than_bars_leaves_none_out():
    times = [AT + timedelta(minutes=i) for i in range(45)]
    option = figures.over_time(table(at=times), "at", None, label, "rows")
    assert option is not None
    assert option["series"][0]["name"] == "rows"
    assert option["series"][0]["data"] == [1] * 45


def test_without_a_time_there_is_no_histogram():
    empty = pa.table({"at": pa.array([None], pa.timestamp("us", "UTC"))})
    assert figures.over_time(empty, "at", None, label, "rows") is None


@pytest.mark.parametrize(
    ("span", "step_s"),
    [
        (timedelta(0), 60),
        (timedelta(minutes=48), 60),
        (timedelta(minutes=49), 300),
        (timedelta(days=2), 3_600),
        (timedelta(days=40), 86_400),
        (timedelta(days=40_000), 31_536_000),
    ],
)
def test_bins_are_as_narrow_as_they_fit(span, step_s):
    assert figures.step_s(AT, AT + span) == step_s


def test_points_are_columns_and_say_what_is_not_on_the_map():
    people = table(
        person_id=["a.1", "b.1", "c.1", "d.1"],
        lon_deg=[37.4, None, 36.2, 35.3],
        lat_deg=[37.1, None, 36.3, 37.0],
        bucket=["safe", "safe", "unaccounted", None],
    )
    assert figures.points(people, "bucket", "person_id", label, most=2) == {
        "lon": [37.4, 36.2],
        "lat": [37.1, 36.3],
        "group": [1, 0],
        "name": ["a.1", "c.1"],
        "groups": [
            {"name": "? bucket:unaccounted", "color": "#FFC533"},
            {"name": "✓ bucket:safe", "color": "#4FB3F6"},
        ],
        "without": 1,
        "left": 1,
    }
    assert figures.points(people, "bucket", "person_id", label)["groups"][2] == {
        "name": "unknown", "color": figures.NOT_KNOWN,
    }  # fmt: skip
