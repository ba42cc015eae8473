"""Every recorded payload is read or refused with a reason, counted by eye."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from schemas.codelists import AdviceScope, Hazard, MsgType, Status
from streams.feeds import feed_named
from streams.feeds.base import ItemReject

NOW = datetime(2026, 11, 20, tzinfo=UTC)

INDEX = "index entry without the CAP message itself"
NOT_JSON = "not the JSON this feed reads"
GEOMETRY = "geometry, not an event"

# file: (events, refused, what every refusal's reason contains)
COUNTS = {
    "usgs": {
        "aio_fixture_missing_fields.json": (3, 0, ""),
        "detail_us6000pi9w.geojson": (1, 0, ""),
        "pager.xml": (0, 1, NOT_JSON),
        "pager_losses_us6000pi9w.json": (0, 1, NOT_JSON),
        "shakemap_cont_mmi_montana2017.json": (0, 11, "missing required field `time`"),
        "summary_2.5_week_2016-04-12.geojson": (247, 0, ""),
    },
    "gdacs": {
        "1102983-1-geteventdata-source.json": (1, 0, ""),
        "api_eventlist_2026-04-17.json": (83, 0, ""),
        "api_eventlist_2026-04-18.json": (82, 0, ""),
        "api_eventlist_2026-04-20.json": (83, 0, ""),
        "api_eventlist_2026-04-21.json": (83, 0, ""),
        "dr-1016449-ep1-geometry.json": (1, 1, GEOMETRY),
        "dr-1016449-ep6-geometry.json": (1, 1, GEOMETRY),
        "dr-1016449-event.json": (1, 0, ""),
        "fl-1102983-ep2-event.json": (1, 0, ""),
        "fl-1102983-ep2-geometry.json": (1, 2, GEOMETRY),
        "rss_2024-12-10_double_encoded_bom.xml": (0, 1, NOT_JSON),
        "rss_24h_2020.xml": (0, 1, NOT_JSON),
        "tc-1001253-ep1-geometry.json": (1, 22, GEOMETRY),
        "tc-1001253-event.json": (1, 0, ""),
        "wf-1028649-ep1-geometry.json": (1, 1, GEOMETRY),
        "wf-1028649-event.json": (1, 0, ""),
    },
    "cap": {
        "CanadaNaad.xml": (1, 0, ""),
        "alberta_emergency_alert_2026-08.atom": (0, 1, INDEX),
        "amber.atom": (1, 0, ""),
        "australia.cap": (1, 0, ""),
        "australia_bom.cap": (1, 0, ""),
        "canada.cap": (1, 0, ""),
        "earthquake.cap": (1, 0, ""),
        "earthquake_index.atom": (0, 1, INDEX),
        "empty_weather_index.atom": (0, 0, ""),
        "iceland_met_office.cap": (1, 0, ""),
        "ipaws_cancel_severity_extreme.cap.xml": (1, 0, ""),
        "mexico.xml": (1, 0, ""),
        "no_info_tag.cap": (1, 0, ""),
        "oasis_amber_alert_example.xml": (1, 0, ""),
        "pelmorex.atom": (0, 1, INDEX),
        "rfs.xml": (1, 0, ""),
        "saskalert_cap_active.json": (1, 0, ""),
        "saskalert_feed.json": (0, 2, INDEX),
        "sweden.cap": (1, 0, ""),
        "taiwan.cap": (1, 0, ""),
        "us_nws_weather.atom": (0, 2, INDEX),
        "usgs_alerthub.atom": (0, 1, INDEX),
        "weather.cap": (1, 0, ""),
        "weather_index.atom": (0, 2, INDEX),
    },
    "de_aa": {
        "travelwarning_2026-04-30.json": (199, 0, ""),
        "travelwarning_2026-05-01.json": (199, 0, ""),
    },
}
FILES = [(feed, name) for feed, files in COUNTS.items() for name in files]


def read(samples, feed, name):
    parsed = feed_named(feed).parse((samples / feed / name).read_bytes(), NOW)
    refused = [item for item in parsed if isinstance(item, ItemReject)]
    return [item for item in parsed if not isinstance(item, ItemReject)], refused


@pytest.mark.parametrize("feed", COUNTS)
def test_no_recorded_payload_is_left_out(samples, feed):
    assert {path.name for path in (samples / feed).iterdir()} == set(COUNTS[feed])


@pytest.mark.parametrize(("feed", "name"), FILES)
def test_a_recorded_payload_gives_its_events_and_refusals(samples, feed, name):
    events, refused = read(samples, feed, name)
    n_events, n_refused, reason = COUNTS[feed][name]
    assert (len(events), len(refused)) == (n_events, n_refused)
    assert all(reason in item.reason for item in refused)
    assert {type(event).__name__ for event in events} <= set(feed_named(feed).kinds)
    assert len({event.event_id for event in events}) == len(events)


def test_the_week_of_april_2016_holds_245_earthquakes_and_two_blasts(samples):
    events, _ = read(samples, "usgs", "summary_2.5_week_2016-04-12.geojson")
    assert Counter(event.hazard for event in events) == {Hazard.EARTHQUAKE: 245, Hazard.OTHER: 2}
    above_sea = sorted(e.depth_m for e in events if e.depth_m is not None and e.depth_m < 0)
    assert above_sea == [-820.0, -740.0, -660.0, -500.0]
    both_sides = [e.position.lon_deg for e in events if abs(e.position.lon_deg) > 179]
    assert both_sides == [179.7398, 179.6762, 179.6211, 179.7415, -179.0184]


def test_the_gdacs_week_of_april_2026_holds_six_new_statements_after_its_first_list(samples):
    seen, new = set(), []
    for day in (17, 18, 20, 21):
        events, _ = read(samples, "gdacs", f"api_eventlist_2026-04-{day}.json")
        new.append([e.event_id.rpartition(":")[0] for e in events if e.event_id not in seen])
        seen |= {event.event_id for event in events}
    assert len(new[0]) == 83
    assert new[1:] == [
        [
            "gdacs:TC1001270:37:2026-04-18T06:00:09:current",
            "gdacs:FL1103815:1:2026-04-08T15:01:29:ended",
        ],
        [
            "gdacs:EQ1536386:1701062:2026-04-20T08:08:42:current",
            "gdacs:TC1001270:44:2026-04-20T06:00:09:current",
        ],
        [
            "gdacs:EQ1536386:1701063:2026-04-20T20:01:46:current",
            "gdacs:TC1001270:44:2026-04-20T18:00:09:current",
        ],
    ]


def test_the_german_lists_end_six_warnings_and_soften_one(samples):
    before, after = (
        {a.advisory_id: a for a in read(samples, "de_aa", f"travelwarning_2026-{day}.json")[0]}
        for day in ("04-30", "05-01")
    )
    assert before.keys() == after.keys()
    changed = {key for key in before if before[key].event_id != after[key].event_id}
    assert len(changed) == 15
    assert all(before[key].sent_at < after[key].sent_at for key in changed)
    levels = {key: (before[key].level, after[key].level) for key in changed}
    levels = {key: (old, new) for key, (old, new) in levels.items() if old != new}
    assert levels == {
        "de_aa:QA": (4, 1), "de_aa:SA": (4, 1), "de_aa:AE": (4, 1), "de_aa:BH": (4, 1),
        "de_aa:OM": (4, 1), "de_aa:JO": (4, 1), "de_aa:IL": (4, 3),
    }  # fmt: skip
    assert (after["de_aa:IL"].scope, after["de_aa:IL"].areas) == (AdviceScope.PART, ())
    assert Counter(a.level for a in after.values()) == {1: 153, 3: 27, 4: 19}
    assert "de_aa:XK" in after


def test_a_real_cancel_of_severity_extreme_is_a_cancel_of_a_test(samples):
    ((cancel,), _) = read(samples, "cap", "ipaws_cancel_severity_extreme.cap.xml")
    assert (cancel.msg_type, cancel.status) == (MsgType.CANCEL, Status.TEST)
    assert cancel.severity.value == "Extreme"


def test_a_real_all_clear_ends_when_it_was_sent_and_not_an_hour_later(samples):
    ((update,), _) = read(samples, "cap", "canada.cap")
    assert update.msg_type is MsgType.UPDATE
    assert update.expires_at == update.sent_at == datetime(2012, 5, 2, 23, 21, 4, tzinfo=UTC)
    assert len(update.areas) == 2
