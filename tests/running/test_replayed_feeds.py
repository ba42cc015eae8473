"""Feeds in a replay: what a scenario says of them, at every tick."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.operations import FeedHealthChanged
from streams.errors import BadInputError
from streams.player import load_scenario, plan
from streams.replayed_feeds import Poll, Silence, healths

START = datetime(2024, 5, 1, 10, tzinfo=UTC)
SILENT = Silence(
    begin=START + timedelta(minutes=10),
    end=START + timedelta(minutes=20),
    state="down",
    reason="answered HTTP 503",
)
POLL = Poll(feed="usgs", interval_s=120, silent=(SILENT,))


def minutes(at):
    return None if at is None else (at - START).total_seconds() / 60


def said(after, at):
    start = START
    (one,) = healths([POLL], start, after, START + timedelta(minutes=at))
    return (one.state, one.reason, minutes(one.occurred_at), minutes(one.last_success_at))


def test_the_last_poll_before_a_tick_speaks():
    assert said(None, 0) == ("ok", "not modified", 0, 0)
    assert said(START, 5) == ("ok", "not modified", 4, 4)
    assert (
        list(healths([POLL], START, START + timedelta(minutes=4), START + timedelta(minutes=5)))
        == []
    )


def test_in_a_silent_span_the_last_success_stays_where_it_was():
    assert said(None, 10) == ("down", "answered HTTP 503", 10, 8)
    assert said(None, 19) == ("down", "answered HTTP 503", 18, 8)
    assert said(None, 20) == ("ok", "not modified", 20, 20)


def test_a_feed_silent_from_the_start_never_succeeded():
    silent = Silence(begin=START, end=START + timedelta(hours=1), state="down", reason="x")
    poll = Poll(feed="usgs", interval_s=60, silent=(silent,))
    (one,) = healths([poll], START, None, START + timedelta(minutes=5))
    assert (one.state, one.last_success_at) == ("down", None)


HEAD = """
title = "A drill of an hour"
start = 2024-05-01T10:00:00Z
end = 2024-05-01T10:20:00Z
status = "Actual"
"""
QUIET = """
[[poll]]
feed = "usgs"
interval_s = 300
silent = [
  { from = 2024-05-01T10:04:00Z, to = 2024-05-01T10:11:00Z, state = "late", reason = "timed out" },
]
"""
ENTRY = """
[[entry]]
at = 2024-05-01T10:05:00Z
feed = "usgs"
file = "some.geojson"
"""


@pytest.fixture
def folder(tmp_path):
    def write(text):
        (tmp_path / "scenario.toml").write_text(text)
        (tmp_path / "some.geojson").write_bytes(b'{"type":"FeatureCollection","features":[]}')
        return tmp_path

    return write


def test_a_replay_publishes_health_before_every_tick(folder):
    steps = list(plan(load_scenario(folder(HEAD + QUIET))))
    spoken = [
        (f"{event.occurred_at:%H:%M}", str(event.state), event.expected_interval_s)
        for step in steps
        for event in step.events
        if isinstance(event, FeedHealthChanged)
    ]
    assert [step.what for step in steps] == ["feeds", "tick"] * 3
    assert spoken == [("10:00", "ok", 300), ("10:10", "late", 300), ("10:20", "ok", 300)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD + QUIET.replace("usgs", "emsc"), "poll of emsc: no feed 'emsc'"),
        (HEAD + QUIET + QUIET, "poll of usgs: stands twice"),
        (HEAD + QUIET.replace("10:11", "10:04"), "not after it begins"),
        (
            HEAD
            + QUIET
            + '[[entry]]\nat = 2024-05-01T10:05:00Z\nfeed = "usgs"\nfile = "some.geojson"\n',
            "poll of usgs: is silent at 2024-05-01T10:05:00Z, yet gives some.geojson",
        ),
        (HEAD + "fast_until = 2024-05-01T11:00:00Z\n", "fast_until 2024-05-01T11:00:00Z is not"),
    ],
)
def test_what_cannot_be_is_refused(folder, text, sentence):
    with pytest.raises(BadInputError, match="scenario.toml") as raised:
        load_scenario(folder(text))
    assert sentence in str(raised.value)
