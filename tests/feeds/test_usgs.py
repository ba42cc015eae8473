"""USGS: each trap of reference/feeds.md in one hand-made list."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.codelists import Hazard, MsgType, Revision
from streams.feeds import usgs

NOW = datetime(2026, 5, 2, tzinfo=UTC)
TRAPS = (Path(__file__).parent / "data/usgs/traps.geojson").read_bytes()


def parse(payload) -> list[Any]:
    return list(usgs.parse(payload, NOW))


@pytest.fixture
def parsed():
    return parse(TRAPS)


def test_a_list_whose_count_is_wrong_still_gives_its_four_good_events(parsed):
    assert [type(item).__name__ for item in parsed] == ["IncidentReported"] * 4 + ["ItemReject"] * 5


def test_a_quake_keeps_every_number_with_its_unit(parsed):
    quake = parsed[0]
    assert quake.event_id == "usgs:us7000aaaa:1675650000123"
    assert quake.chain_id == "usgs:us7000aaaa"
    assert quake.same_as == ("usgs:at456", "usgs:ci123")
    assert quake.onset_at == datetime(2023, 2, 6, 1, 17, 34, 342_000, tzinfo=UTC)
    assert quake.sent_at == datetime(2023, 2, 6, 2, 20, 0, 123_000, tzinfo=UTC)
    assert (quake.occurred_at, quake.observed_at) == (quake.onset_at, quake.sent_at)
    assert (quake.magnitude, quake.magnitude_type, quake.depth_m) == (7.8, "mww", 17_900.0)
    assert (quake.position.lon_deg, quake.position.lat_deg) == (37.0143, 37.2256)
    assert (quake.hazard, quake.revision) == (Hazard.EARTHQUAKE, Revision.CORRECTS)
    assert (quake.native_level, quake.url) == ("red", "https://example.org/us7000aaaa")
    assert quake.title == "M 7.8 - 10 km E of Testville"
    assert quake.received_at == NOW


def test_no_magnitude_yet_a_longitude_past_180_and_a_hypocentre_above_the_sea(parsed):
    quake = parsed[1]
    assert (quake.magnitude, quake.magnitude_type, quake.native_level) == (None, None, None)
    assert (quake.position.lon_deg, quake.depth_m) == (-178.5, -740.0)
    assert quake.title == "no magnitude yet"
    assert quake.same_as == ()


def test_a_quarry_blast_is_no_earthquake_and_its_unknown_depth_stays_unknown(parsed):
    assert (parsed[2].hazard, parsed[2].depth_m) == (Hazard.OTHER, None)


def test_deleted_in_any_case_is_a_cancel_that_sorts_behind_what_it_deletes(parsed):
    deleted = parsed[3]
    assert (deleted.msg_type, deleted.position) == (MsgType.CANCEL, None)
    assert deleted.event_id == "usgs:us7000cccc:1675646300000:deleted"
    assert deleted.event_id > "usgs:us7000cccc:1675646300000"


def test_each_bad_item_is_refused_alone_with_its_reason(parsed):
    assert [(item.item, item.reason) for item in parsed[4:]] == [
        ("usgs:us7000dddd", "lat_deg 137.1 is not between -90 and 90"),
        ("usgs:us7000eeee", "magnitude 55.0 is not between -5 and 10.5"),
        ("usgs:us7000ffff", _json("Object missing required field `time` - at `$.properties`")),
        ("usgs:us7000gggg", "date value out of range"),
        ("item 9", _json("Expected `object`, got `int`")),
    ]
    assert '"place": "swapped"' in parsed[4].body


def test_the_detail_of_one_event_reads_like_its_line_in_the_list(parsed):
    feature = msgspec.json.decode(TRAPS)["features"][0]
    feature["properties"]["products"] = {"shakemap": []}
    assert parse(msgspec.json.encode(feature)) == [parsed[0]]


def test_json_that_is_neither_list_nor_event_is_refused_whole():
    (refused,) = parse(b'{"type": "FeatureCollection", "features": null}')
    assert refused[:2] == ("payload", "neither a USGS event list (features) nor one event (id)")


def _json(reason):
    return f"not the JSON this feed reads: {reason}"
