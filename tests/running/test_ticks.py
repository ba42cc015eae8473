"""Ticks of the wall clock: one a second, and what a gap means."""

from datetime import UTC, datetime, timedelta

from streams.ticks import due, tick_of

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_a_tick_is_owed_once_a_second_and_named_by_it():
    tick = due(NOON + timedelta(seconds=1.25), NOON, "engine")
    assert tick is not None
    assert tick.event_id == "tick:2024-05-01T12:00:01Z"
    assert (tick.at, tick.resume) == (NOON + timedelta(seconds=1), False)
    assert due(NOON + timedelta(seconds=1.9), tick.at, "engine") is None


def test_a_clock_set_back_owes_nothing():
    assert due(NOON - timedelta(hours=1), NOON, "engine") is None


def test_only_a_jump_of_more_than_ten_minutes_is_marked():
    assert not tick_of(NOON + timedelta(minutes=10), NOON, "x").resume
    assert tick_of(NOON + timedelta(minutes=10, seconds=1), NOON, "x").resume
    assert not tick_of(NOON, None, "x").resume
