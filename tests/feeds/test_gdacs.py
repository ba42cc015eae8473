"""GDACS: each trap of reference/feeds.md in one hand-made list."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.codelists import Hazard, Revision
from streams.feeds import gdacs

NOW = datetime(2026, 5, 2, tzinfo=UTC)
TRAPS = (Path(__file__).parent / "data/gdacs/traps.json").read_bytes()


def parse(payload) -> list[Any]:
    return list(gdacs.parse(payload, NOW))


@pytest.fixture
def parsed():
    return parse(TRAPS)


def test_an_earthquake_has_utc_times_a_depth_from_the_text_and_no_expiry(parsed):
    quake = parsed[0]
    assert quake.chain_id == "gdacs:EQ1"
    assert quake.event_id.startswith("gdacs:EQ1:11:2026-04-20T08:08:42:current:")
    assert (quake.hazard, quake.revision) == (Hazard.EARTHQUAKE, Revision.CORRECTS)
    assert quake.onset_at == datetime(2026, 4, 20, 7, 53, tzinfo=UTC)
    assert quake.sent_at == datetime(2026, 4, 20, 8, 8, 42, tzinfo=UTC)
    assert (quake.magnitude, quake.depth_m) == (7.4, 9751.0)
    assert quake.expires_at is None
    # The event's level, not the milder one of the episode.
    assert (quake.native_level, quake.area_text) == ("Orange", None)
    assert quake.url == "https://example.org/report?eventid=1"


def test_a_cyclone_names_all_its_countries_and_its_wind_is_no_magnitude(parsed):
    storm = parsed[1]
    assert (storm.hazard, storm.revision) == (Hazard.CYCLONE, Revision.EVOLVES)
    assert storm.magnitude is None
    assert storm.native_level == "Red; Tropical Storm (maximum wind speed of 287 km/h)"
    assert storm.area_text == "Fiji, Tonga, Samoa"
    assert (storm.position.lon_deg, storm.position.lat_deg) == (178.8, -16.5)
    assert storm.sent_at == datetime(2026, 4, 20, 18, 0, 9, 250_000, tzinfo=UTC)


def test_a_current_event_whose_todate_is_past_has_not_ended(parsed):
    assert parsed[1].expires_at is None
    assert parsed[2].expires_at is None


def test_one_version_that_turns_not_current_is_another_event_and_sorts_later(parsed):
    current, ended = parsed[2], parsed[3]
    assert current.sent_at == ended.sent_at
    assert current.event_id < ended.event_id
    assert ended.expires_at == datetime(2026, 4, 14, 1, tzinfo=UTC)
    assert (ended.title, ended.area_text) == ("Flood in Afghanistan", "Afghanistan")
    assert (ended.native_level, ended.magnitude) == ("Orange", None)


def test_an_eruption_no_longer_current_ended_with_its_last_statement(parsed):
    assert parsed[4].hazard is Hazard.VOLCANO
    assert parsed[4].expires_at == datetime(2026, 3, 16, 8, 6, 16, 423_000, tzinfo=UTC)


def test_geometry_features_and_guessable_dates_are_refused_alone(parsed):
    assert [(item.item, item.reason) for item in parsed[5:7]] == [
        ("gdacs:TC2", "a Polygon of class Poly_Red: geometry, not an event"),
        ("gdacs:WF5", "fromdate '04/20/2026 07:53' is not an ISO 8601 time"),
    ]


def test_a_type_gdacs_may_add_one_day_is_kept_as_other(parsed):
    assert len(parsed) == 8
    assert (parsed[7].hazard, parsed[7].title) == (Hazard.OTHER, "Something new")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xc3\xaf\xc2\xbb\xc2\xbf"])
def test_a_byte_order_mark_once_or_doubly_encoded_changes_nothing(parsed, mark):
    assert parse(mark + TRAPS) == parsed


def test_the_rss_of_gdacs_is_another_feed():
    (refused,) = parse(b"\xef\xbb\xbf<?xml version='1.0'?><rss/>")
    assert refused.item == "payload"
    assert refused.reason.startswith("not the JSON this feed reads: JSON is malformed")
