"""What processes say of themselves: one of them embedded, several in a cluster."""

from datetime import UTC, datetime, timedelta

from streams.serving.runtime import (
    ConfiguredFeed,
    Runtime,
    beats,
    forget_runtime,
    note_runtime,
    process_name,
)
from streams.serving.wall import snapshot
from tests.support.running import runtime_of

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def beat(later_s=0, phase="running", **more):
    at = AT + timedelta(seconds=later_s)
    return Runtime(mode="live", phase=phase, beat_wall_at=at, **more)


def feed(name):
    return ConfiguredFeed(name=name, interval_s=60)


def test_embedded_the_engine_speaks_for_itself(store):
    assert runtime_of(store) is None
    note_runtime(store, beat(lag=3, feeds=(feed("usgs"), feed("emsc"))))
    assert runtime_of(store) == beat(lag=3, feeds=(feed("usgs"), feed("emsc")))
    note_runtime(store, beat(1))
    assert runtime_of(store) == beat(1)


def test_in_a_cluster_every_process_has_its_row_and_the_wall_hears_them_as_one(store):
    note_runtime(store, beat(0, done=10, of=10), "worker/1")
    note_runtime(store, beat(1, "loading", done=4, of=10), "worker/2")
    note_runtime(store, beat(2, lag=5), "write/1")
    note_runtime(store, beat(1, feeds=(feed("usgs"),)), "poll/1")
    said = runtime_of(store)
    assert said == beat(2, "loading", done=14, of=20, lag=5, feeds=(feed("usgs"),))
    wall = snapshot(store)
    assert (wall.clock.phase, wall.pipeline.lag) == ("loading", 5)
    assert [one.name for one in beats(store)] == ["poll/1", "worker/1", "worker/2", "write/1"]


def test_who_fell_silent_while_others_went_on_is_not_asked_any_more(store):
    note_runtime(store, beat(0, "loading"), "worker/1")
    note_runtime(store, beat(61), "worker/2")
    assert runtime_of(store) == beat(61)
    assert [(one.name, one.gone) for one in beats(store)] == [
        ("worker/1", True),
        ("worker/2", False),
    ]


def test_all_silent_together_are_still_what_was_heard_last(store):
    note_runtime(store, beat(0), "worker/1")
    note_runtime(store, beat(5), "worker/2")
    assert runtime_of(store) == beat(5)


def test_who_ends_in_order_takes_its_row_along_and_the_dead_are_forgotten_after_a_day(store):
    note_runtime(store, beat(0), "worker/a/17")
    note_runtime(store, beat(0), "worker/b/18")
    forget_runtime(store, "worker/b/18")
    assert [one.name for one in beats(store)] == ["worker/a/17"]
    note_runtime(store, beat(86_401), "worker/a/19")
    assert [one.name for one in beats(store)] == ["worker/a/19"]


def test_a_name_says_role_and_which_one():
    assert process_name("worker", "w1") == "worker/w1"
    role, _, pid = process_name("merge").split("/")
    assert (role, pid.isdigit()) == ("merge", True)
