"""The registry: every feed module is in it, every feed says what it must."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import streams.feeds
from schemas.codec import BY_NAME, encode
from schemas.envelope import Event
from streams.feeds import FEEDS, feed_named
from streams.feeds.base import ItemReject

NOW = datetime(2026, 5, 2, tzinfo=UTC)
DATA = Path(__file__).parent / "data"
FIXTURES = [
    pytest.param(feed, path, id=f"{feed.name}/{path.name}")
    for feed in FEEDS
    for path in sorted((DATA / feed.name).iterdir())
]


def test_every_module_with_a_feed_is_registered_once():
    modules = {path.stem for path in Path(streams.feeds.__path__[0]).glob("*.py")}
    registered = {feed.parse.__module__.rpartition(".")[2] for feed in FEEDS}
    assert modules - registered == {"__init__", "base", "markup", "poller"}
    assert len({feed.name for feed in FEEDS}) == len(FEEDS)


def test_feeds_are_found_by_name_and_an_unknown_name_lists_those_there_are():
    assert [feed.name for feed in FEEDS] == ["usgs", "gdacs", "cap", "de_aa", "ndjson"]
    assert feed_named("gdacs").interval_s == 360
    with pytest.raises(KeyError, match="no feed 'gdax'; there are usgs, gdacs, cap, de_aa, ndjson"):
        feed_named("gdax")


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_feed_states_its_terms_and_never_takes_absence_for_an_end(feed):
    assert feed.about
    assert feed.licence
    assert feed.attribution
    assert feed.interval_s >= 60
    assert not feed.absence_means_ended
    assert set(feed.kinds) <= set(BY_NAME)
    assert feed.enabled == bool(feed.url)
    assert any((DATA / feed.name).iterdir()), "a feed needs hand-made payloads"


@pytest.mark.parametrize(("feed", "path"), FIXTURES)
def test_the_same_bytes_give_the_same_events_whenever_they_come(feed, path):
    payload = path.read_bytes()
    first, again = feed.parse(payload, NOW), feed.parse(payload, NOW)
    later = feed.parse(payload, datetime(2026, 5, 3, tzinfo=UTC))
    assert first == again
    for one, other in zip(first, later, strict=True):
        if isinstance(one, ItemReject):
            assert one == other
        elif feed.name != "ndjson":  # a line of NDJSON may carry its own received_at
            assert one.received_at == NOW
            assert _said(one) == _said(other)


def _said(event: Event) -> bytes:
    return re.sub(rb'"received_at":"[^"]*"', b"", encode(event))


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "the payload is empty"),
        (b" \r\n\t ", "the payload is empty"),
        (b"\xef\xbb\xbf", "the payload is empty"),
        (b"<!DOCTYPE html><html><body>503</body></html>", "an HTML page, not data"),
        (b"\xef\xbb\xbf <HTML>\n<body>busy</body></HTML>", "an HTML page, not data"),
    ],
)
def test_what_is_no_data_is_one_refusal_of_the_payload(feed, payload, reason):
    (refused,) = feed.parse(payload, NOW)
    assert refused.item == "payload"
    assert reason in refused.reason
