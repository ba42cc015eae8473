"""The poller's judgement: what an answer means, without a network or a clock."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from schemas.codelists import FeedState
from schemas.envelope import Event
from streams.feeds import feed_named
from streams.feeds.base import ItemReject
from streams.feeds.poller import Answer, State, judge, plan

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
USGS = feed_named("usgs")  # asks every 60 s
HTML = b"<!DOCTYPE html><html><body>We are busy</body></html>"


def quakes(count, *, bad=0):
    good = [
        {
            "id": f"us{n}",
            "properties": {"time": 1675646254342, "updated": 1675650000123, "mag": 5.0},
        }
        for n in range(count)
    ]
    return msgspec.json.encode({"features": good + [{"id": f"bad{n}"} for n in range(bad)]})


def story(*steps, feed=USGS, state=State()):  # noqa: B008 - State is immutable
    """Judge answers one after the other, each so many seconds after NOW."""
    judged = None
    for after_s, answer in steps:
        judged = judge(feed, state, answer, NOW + timedelta(seconds=after_s), 0.0)
        state = judged.state
    return judged


def ok(body, **headers):
    return Answer(status=200, body=body, **headers)


# ------------------------------------------------------------------ good answers


def test_the_first_good_answer_gives_its_events_and_says_that_the_feed_is_ok():
    judged = story((0, ok(quakes(10, bad=1))))
    assert sum(isinstance(item, Event) for item in judged.items) == 10
    assert sum(isinstance(item, ItemReject) for item in judged.items) == 1
    health = judged.health
    assert (health.feed, health.state) == ("usgs", FeedState.OK)
    assert health.reason == "10 events, 1 items refused"
    assert (health.items, health.usual_items, health.last_success_at) == (10, 10, NOW)
    assert health.expected_interval_s == 60
    assert judged.next_poll_at == NOW + timedelta(seconds=60)


def test_jitter_delays_the_next_poll_by_up_to_a_tenth():
    judged = judge(USGS, State(), ok(quakes(1)), NOW, 0.5)
    assert judged.next_poll_at == NOW + timedelta(seconds=63)


def test_the_next_request_is_conditional_on_what_the_good_answer_said():
    judged = story((0, ok(quakes(10), etag='"v1"', last_modified="Sat, 02 May 2026 11:59:00 GMT")))
    assert plan(USGS, judged.state, "duty@example.org").headers == {
        "User-Agent": "Rollcall/0.2 (+duty@example.org)",
        "Accept-Encoding": "gzip",
        "If-None-Match": '"v1"',
        "If-Modified-Since": "Sat, 02 May 2026 11:59:00 GMT",
    }


def test_not_modified_and_the_same_bytes_again_are_success_without_events():
    for again in (Answer(status=304), ok(quakes(10))):
        judged = story((0, ok(quakes(10))), (60, again))
        assert (judged.items, judged.health) == ([], None)
        assert judged.state.last_success_at == NOW + timedelta(seconds=60)
        assert judged.state.health is FeedState.OK


def test_health_is_said_again_every_ten_minutes_so_that_its_freshness_travels():
    same = Answer(status=304)
    assert story((0, ok(quakes(10))), (599, same)).health is None
    repeated = story((0, ok(quakes(10))), (599, same), (600, same)).health
    assert (repeated.state, repeated.last_success_at) == (
        FeedState.OK,
        NOW + timedelta(seconds=600),
    )


# ------------------------------------------------------------------ suspect answers


def test_under_four_fifths_of_the_usual_is_suspect_and_its_events_still_count():
    judged = story((0, ok(quakes(100), etag='"v1"')), (60, ok(quakes(79), etag='"v2"')))
    assert len(judged.items) == 79
    assert judged.health.state is FeedState.SUSPECT
    assert judged.health.reason == "79 events where 100 are usual; nothing is ended by that"
    # Neither the count nor the validators of a suspect answer become the good ones.
    assert (judged.state.usual_items, judged.state.etag) == (100, '"v1"')
    assert judged.health.last_success_at == NOW


def test_exactly_four_fifths_is_good():
    judged = story((0, ok(quakes(100))), (60, ok(quakes(80))))
    assert (judged.state.health, judged.state.usual_items) == (FeedState.OK, 80)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the payload is empty"),
        (b'{"features": []}', "the answer holds no events; nothing is ended by that"),
        (HTML, "the payload is an HTML page, not data"),
        (b"[]", "not the JSON this feed reads: Expected `object`, got `array`"),
    ],
)
@pytest.mark.parametrize("before", [[], [(0, ok(quakes(10)))]])
def test_an_answer_of_200_that_is_no_list_is_suspect_and_ends_nothing(before, body, reason):
    judged = story(*before, (60, ok(body)))
    assert judged.health.state is FeedState.SUSPECT
    assert judged.health.reason == reason
    assert not any(isinstance(item, Event) for item in judged.items)


def test_a_feed_that_may_be_empty_is_fine_when_it_is():
    cap = feed_named("cap")
    judged = story((0, ok(b'<feed xmlns="http://www.w3.org/2005/Atom"/>')), feed=cap)
    assert (judged.items, judged.health.state) == ([], FeedState.OK)


def test_a_full_answer_clears_the_suspicion():
    judged = story((0, ok(quakes(100))), (60, ok(quakes(10))), (120, ok(quakes(99))))
    assert (judged.health.state, judged.state.usual_items) == (FeedState.OK, 99)


def test_a_short_list_that_stays_for_a_day_becomes_the_usual_one_and_an_empty_one_never():
    day = 86_400
    short = [(0, ok(quakes(100))), (60, ok(quakes(10))), (day, ok(quakes(11)))]
    assert story(*short).state.health is FeedState.SUSPECT
    judged = story(*short, (day + 60, ok(quakes(12))))
    assert (judged.health.state, judged.state.usual_items) == (FeedState.OK, 12)
    assert judged.health.reason == "12 events, as for a day now: taken as usual"
    empty = [(0, ok(quakes(100))), (60, ok(quakes(0))), (5 * day, ok(quakes(0)))]
    assert story(*empty).state.health is FeedState.SUSPECT


# ------------------------------------------------------------------ failures


def test_a_failing_feed_is_late_for_five_intervals_and_then_down():
    gone = Answer(error="ConnectError: refused")
    late = story((0, ok(quakes(10))), (60, gone))
    assert (late.health.state, late.health.reason) == (FeedState.LATE, "ConnectError: refused")
    assert late.health.last_success_at == NOW
    down = story((0, ok(quakes(10))), (60, gone), (300, gone))
    assert down.health.state is FeedState.DOWN
    assert story((0, gone)).health.state is FeedState.DOWN
    assert story((0, gone), (60, ok(quakes(1)))).health.state is FeedState.OK


def test_back_off_doubles_to_half_an_hour_and_success_resets_it():
    state, pauses = State(), []
    for _ in range(7):
        judged = judge(USGS, state, Answer(status=503), NOW, 0.0)
        state = judged.state
        pauses.append((judged.next_poll_at - NOW).total_seconds())
    assert pauses == [120, 240, 480, 960, 1800, 1800, 1800]
    assert judge(USGS, state, ok(quakes(1)), NOW, 0.0).next_poll_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("retry_after", "pause_s"),
    [
        ("3600", 3600),
        ("1", 120),
        ("Sat, 02 May 2026 14:00:00 GMT", 7200),
        ("Sat, 02 May 2026 11:00:00 GMT", 120),
        ("soon", 120),
        ("999999999", 86_400),
        ("9" * 400, 120),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", 120),
        ("Mon, 01 Jan 2024 00:00:00 +9999", 120),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(retry_after, pause_s):
    judged = story((0, Answer(status=429, retry_after=retry_after)))
    assert judged.health.reason == "answered HTTP 429"
    assert judged.next_poll_at == NOW + timedelta(seconds=pause_s)
