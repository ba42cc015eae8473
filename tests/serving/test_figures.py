"""Figures of the wall: how they have moved, and feeds that are late by the clock."""

from datetime import timedelta

import pytest

from streams.serving.figures import (
    MOVING,
    Minute,
    area_name,
    as_of,
    changes,
    feed_by_now,
    trend,
)
from streams.serving.wall_answers import Change, TrendPoint, WallFeed
from tests.serving.builders import AT

NOW = AT + timedelta(hours=2)


def at(minutes, known, *, safe=0, complete=True):
    return Minute(AT + timedelta(minutes=minutes), complete, known, known - safe, 0, safe, 0)


HISTORY = [at(0, 100), at(61, 110, safe=4), at(106, 120, safe=10), at(119, 125, safe=20)]


def test_a_sum_holds_until_the_next_one():
    assert as_of(HISTORY, AT - timedelta(seconds=1)) is None
    assert as_of(HISTORY, AT) == HISTORY[0]
    assert as_of(HISTORY, AT + timedelta(minutes=60, seconds=59)) == HISTORY[0]
    assert as_of(HISTORY, NOW) == HISTORY[3]


def test_a_change_is_against_what_held_then():
    # 15 minutes ago, at 105, that of minute 61 held; an hour ago that of the beginning.
    found = changes(HISTORY, NOW)
    assert found["known"] == Change(minutes_15=15, hour=25)
    assert found["safe"] == Change(minutes_15=16, hour=20)
    assert found["unaccounted"] == Change(minutes_15=-1, hour=5)
    assert found["other"] == Change(minutes_15=0, hour=0)
    assert tuple(found) == MOVING


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ([], Change()),
        ([at(100, 7), at(119, 9)], Change(minutes_15=2, hour=None)),
        ([at(0, 7), at(119, 9, complete=False)], Change()),
        ([at(0, 7), at(61, 9, complete=False), at(119, 9)], Change(minutes_15=None, hour=2)),
    ],
)
def test_a_change_is_unknown_where_history_or_shards_do_not_reach(history, wanted):
    assert changes(history, NOW)["known"] == wanted


def test_before_the_first_tick_nothing_has_moved_that_is_known():
    assert changes(HISTORY, None)["known"] == Change()
    assert trend(HISTORY, None) == ()


def test_the_trend_is_every_five_minutes_and_now():
    now = AT + timedelta(minutes=12, seconds=30)
    points = trend([at(1, 5), at(11, 8, safe=2)], now)
    assert [(point.at, point.unaccounted, point.safe) for point in points] == [
        (AT + timedelta(minutes=5), 5, 0),
        (AT + timedelta(minutes=10), 5, 0),
        (now, 6, 2),
    ]


def test_the_trend_goes_back_three_hours_and_has_no_incomplete_point():
    now = AT + timedelta(hours=4)
    history = [at(0, 5), at(150, 6, complete=False), at(170, 7)]
    points = trend(history, now)
    minutes = [int((point.at - AT).total_seconds()) // 60 for point in points]
    assert minutes == [*range(65, 150, 5), *range(170, 241, 5)]
    assert points[0] == TrendPoint(
        at=AT + timedelta(minutes=65), unaccounted=5, needs_help=0, safe=0, other=0
    )


def feed(state="ok", success=0, interval=60):
    return WallFeed(
        feed="usgs", state=state, reason="", since=AT, items=3, usual_items=3,
        last_success_at=None if success is None else AT - timedelta(seconds=success),
        expected_interval_s=interval,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (feed(success=120), "ok"),
        (feed(success=121), "late"),
        (feed("down", success=900), "down"),
        (feed("suspect", success=900), "suspect"),
        (feed("unknown", success=None), "unknown"),
        (feed(success=None), "ok"),
        (feed(success=900, interval=None), "ok"),
    ],
)
def test_a_feed_is_late_by_the_clock_and_what_is_worse_stays(said, wanted):
    assert feed_by_now(said, AT).state == wanted


def test_a_late_feed_says_since_when_and_what_was_expected():
    late = feed_by_now(feed(success=300), AT)
    assert late.since == AT - timedelta(seconds=180)
    assert late.reason == "no success since 2023-02-06 01:20:00Z; one is expected every 60 s"
    assert late.items == 3


def test_areas_have_the_names_of_the_code_list():
    names = [area_name(code) for code in ("TR-31", "SY", "XK", "", "ZZ-99")]
    assert names == ["Hatay", "Syrian Arab Republic", "Kosovo", "", "ZZ-99"]
