"""The wall's snapshot: of one moment, in words and figures that agree with the store."""

from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import Engine

from schemas.alert import AlertAcknowledged, AreaSum, BucketSum
from schemas.codelists import Bucket, ContactChannel, ContactOutcome, FeedState, Status
from schemas.operations import FaultRaised, FeedHealthChanged
from schemas.person import ContactRecorded
from schemas.place import Position
from streams.backends.sqlite import SqliteLog
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT, SHARD_INPUT, SHARD_OUTPUT
from streams.ports import NewRecord
from streams.serving import tables as t
from streams.serving import third_figure
from streams.serving.answers import Imbalance
from streams.serving.queries import status
from streams.serving.runtime import ConfiguredFeed, Runtime, note_runtime
from streams.serving.store import open_store
from streams.serving.wall import snapshot, zones
from streams.serving.wall_answers import Cell, WallClock, WallContacts, WallInput
from streams.serving.writer import Writer
from streams.topology import OPERATIONS
from tests.serving.builders import (
    ALERT,
    AT,
    INCIDENT,
    SHARDS,
    SITUATION,
    TOTALS,
    ZONE,
    base,
    moved,
    story,
    summed,
)

changed = msgspec.structs.replace
DRAWN = changed(ZONE, event_id="z0", situation_id="sit-1")


class Said(NamedTuple):
    """A log and its store: what is said in the one is written to the other."""

    log: SqliteLog
    engine: Engine
    writer: Writer

    def __call__(self, *events, topic=ROOM_OUTPUT):
        self.log.append([NewRecord(topic, 0, "x", event) for event in events])
        self.writer.drain()

    def surplus(self):
        """Return the rows too many, as the wall shows them."""
        found = snapshot(self.engine).situations[0].imbalance
        return None if found is None else found.store


@pytest.fixture
def say(tmp_path, place):
    """Return how to say something in a log and have it written to the store."""
    log = SqliteLog.open(tmp_path, shards=SHARDS)
    engine = open_store(place)
    yield Said(log, engine, Writer(log, engine))
    engine.dispose()
    log.close()


@pytest.fixture
def crisis(say):
    """Return the same with the small crisis of the builders said already."""
    say.log.append(story())
    say(DRAWN, topic=DESK_OUTPUT)
    return say


def test_an_empty_store_knows_nothing_and_says_so(say):
    now = snapshot(say.engine)
    assert (now.as_of, now.affected, now.people, now.feeds) == (None, None, None, None)
    assert (now.situations, now.quiet, now.pipeline.skipped, now.pipeline.lag) == (
        (),
        0,
        None,
        None,
    )
    assert now.clock == WallClock(mode="live", phase="running")
    assert [one.last_at for one in now.inputs] == [None, None, None]


def test_the_parts_add_up_to_the_known_and_agree_with_status(crisis):
    now, told = snapshot(crisis.engine), status(crisis.engine)
    assert (now.as_of, now.affected, now.people) == (AT, 2, 5) == (told.as_of, told.affected, 5)
    (one,) = now.situations
    assert (one.known, one.unaccounted, one.needs_help, one.safe, one.other) == (2, 1, 0, 1, 0)
    assert (one.live, one.closed, one.at_least, one.inbound) == (True, False, False, 1)
    assert one.imbalance == told.situations[0].imbalance
    assert one.imbalance == Imbalance(room=0, buckets=0, store=0)
    assert now.alerts.open == len(told.alerts) == 1
    assert [band.band for band in one.bands] == ["VI"]
    assert one.incidents[0].headline_source == "usgs"


def test_the_third_figure_is_looked_at_again_and_shows_a_lost_row(crisis, monkeypatch):
    snapshot(crisis.engine)
    with crisis.engine.begin() as connection:
        connection.execute(t.ledger.delete().where(t.ledger.c.person_id == "b.1"))
    monkeypatch.setattr(third_figure, "RECOUNT_S", 0.0)
    assert crisis.surplus() == -1
    monkeypatch.setattr(third_figure, "RECOUNT_S", 3600.0)
    crisis(moved("m9", "b.1", Bucket.SAFE), topic=SHARD_OUTPUT)
    # A count that did not agree is never kept.
    assert crisis.surplus() == 0


def test_what_not_all_shards_stand_behind_is_at_least(crisis):
    crisis(changed(TOTALS, event_id="t2", tick_at=AT + timedelta(minutes=1), reached=1))
    now = snapshot(crisis.engine)
    assert now.situations[0].at_least
    assert now.completeness is not None
    assert (now.completeness.reached, now.completeness.complete) == (1, False)
    crisis(changed(TOTALS, event_id="t3", tick_at=AT + timedelta(minutes=2), skipped=1))
    assert snapshot(crisis.engine).situations[0].at_least


def test_a_situation_of_nobody_is_counted_as_quiet_only_when_that_is_certain(say):
    empty = changed(summed("s", 0), inbound=0, tiers={})
    say(SITUATION, topic=DESK_OUTPUT)
    assert (len(snapshot(say.engine).situations), snapshot(say.engine).quiet) == (1, 0)
    say(changed(empty, reached=1))
    assert (len(snapshot(say.engine).situations), snapshot(say.engine).quiet) == (1, 0)
    say(empty)
    assert (len(snapshot(say.engine).situations), snapshot(say.engine).quiet) == (0, 1)


def test_an_exercise_is_shown_and_marked(crisis):
    drill = {"status": Status.EXERCISE, "situation_id": "sit-x"}
    crisis(changed(SITUATION, event_id="x", **drill), topic=DESK_OUTPUT)
    crisis(
        changed(summed("sx", 1, safe=1), **drill),
        changed(ALERT, alert_id="ax", event_id="ax", **drill),
    )
    now = snapshot(crisis.engine)
    assert {(one.situation_id, one.status) for one in now.situations} == {
        ("sit-1", "Actual"), ("sit-x", "Exercise"),
    }  # fmt: skip
    assert {one.status for one in now.alerts.items} == {"Actual", "Exercise"}


def test_areas_show_no_small_figure_nor_what_gives_one_away(crisis):
    def area(code, **counts):
        buckets = tuple(BucketSum(bucket=Bucket(b), count=n) for b, n in counts.items())
        return AreaSum(area=code, buckets=buckets)

    sums = changed(
        summed("s2", 122, unaccounted=90, safe=17, needs_help=3, left_area=12, duplicate=9),
        areas=(
            area("", duplicate=9),
            area("SY", unaccounted=30, safe=10, left_area=6),
            area("TR-31", unaccounted=60, safe=7, needs_help=3, left_area=6),
        ),
    )
    crisis(sums)
    hatay, syria = snapshot(crisis.engine).situations[0].areas
    assert (hatay.code, hatay.name, hatay.country) == ("TR-31", "Hatay", "TR")
    assert (hatay.lon_deg, hatay.lat_deg) == (36.2, 36.4)
    assert (syria.name, syria.country) == ("Syrian Arab Republic", "SY")
    few, hidden = Cell(mark="few"), Cell(mark="hidden")
    # None in Syria and three in Hatay look alike; the totals of the rows would tell them apart.
    assert (hatay.known, hatay.unaccounted) == (hidden, Cell(count=60))
    assert (hatay.needs_help, hatay.safe, hatay.other) == (few, Cell(count=7), Cell(count=6))
    assert (syria.known, syria.unaccounted) == (hidden, Cell(count=30))
    assert (syria.needs_help, syria.safe, syria.other) == (few, Cell(count=10), Cell(count=6))


def test_of_a_persons_alert_the_wall_does_not_say_whose(crisis):
    help_ = changed(
        ALERT, event_id="a2", alert_id="a2", rule="help_requested", title="b.1 needs help",
        facts={"person_id": "b.1"}, raised_at=AT + timedelta(minutes=1),
    )  # fmt: skip
    muted = changed(ALERT, event_id="a3", alert_id="a3", silence_id="silence-1")
    taken = AlertAcknowledged(**base("k"), alert_id="alert-1", by="officer7", reason="seen")
    crisis(help_, muted)
    found = snapshot(crisis.engine).alerts
    assert (found.open, found.acknowledged, found.silenced, found.oldest_at) == (2, 0, 1, AT)
    assert len(status(crisis.engine).alerts) == 2  # the same as the wall
    assert [one.title for one in found.items] == ["2 of ours", None]
    assert b"b.1" not in msgspec.json.encode(found)
    crisis(taken)
    found = snapshot(crisis.engine).alerts
    assert (found.open, found.acknowledged, found.silenced) == (1, 1, 1)


def test_feeds_that_should_speak_and_never_did_are_unknown(crisis):
    spoke = FeedHealthChanged(
        **base("f1"), feed="usgs", state=FeedState.OK, reason="fine",
        last_success_at=AT - timedelta(minutes=10), expected_interval_s=60,
    )  # fmt: skip
    crisis(spoke, topic=OPERATIONS)
    feeds = (
        ConfiguredFeed(name="gdacs", interval_s=300),
        ConfiguredFeed(name="usgs", interval_s=60),
    )
    note_runtime(
        crisis.engine,
        Runtime(
            mode="replay", phase="running", beat_wall_at=AT, title="Drill", speed=60.0, lag=7,
            feeds=feeds,
        ),
    )  # fmt: skip
    now = snapshot(crisis.engine)
    assert [(one.feed, one.state) for one in now.feeds or ()] == [
        ("gdacs", "unknown"),
        ("usgs", "late"),
    ]
    assert (now.clock.mode, now.clock.title, now.clock.speed, now.pipeline.lag) == (
        "replay", "Drill", 60.0, 7,
    )  # fmt: skip


def test_what_changed_is_told_of_what_is_shown(crisis):
    others = changed(INCIDENT, event_id="i9", incident_id="inc-9", situation_id="sit-9")
    revised = changed(
        INCIDENT, event_id="i2", version=2, magnitude=7.8, received_at=AT + timedelta(minutes=5)
    )
    crisis(others, revised, topic=DESK_OUTPUT)
    found = snapshot(crisis.engine).changes
    assert [(one.kind, one.change, one.before, one.after) for one in found] == [
        ("incident", "revised", None, 7.8),
        ("incident", "opened", None, None),
        ("situation", "opened", None, None),
    ]


def test_contacts_of_the_hour_and_what_was_heard_last(crisis):
    outcomes = [ContactOutcome.NO_ANSWER, ContactOutcome.REACHED_SAFE, ContactOutcome.REACHED_SAFE]
    calls = [
        ContactRecorded(
            **base(f"k{n}") | {"received_at": AT - timedelta(minutes=40 * n)},
            person_id="a.1", outcome=outcome, channel=ContactChannel.PHONE, by="agent3",
        )
        for n, outcome in enumerate(outcomes)
    ]  # fmt: skip
    crisis(*calls, topic=SHARD_INPUT)
    crisis(changed(TOTALS, event_id="t2", heard={"CheckedIn": AT}))
    now = snapshot(crisis.engine)
    assert now.contacts == WallContacts(hour=2, reached=1)
    assert now.inputs[1] == WallInput(kind="check_ins", last_at=AT)


def test_an_incident_whose_area_is_unknown_stands_apart_with_its_place(crisis):
    lost = changed(
        INCIDENT, event_id="i7", incident_id="inc-7", situation_id=None, area_known=False,
        life="reported", position=Position(lon_deg=37.0, lat_deg=37.2), depth_m=10_000.0,
    )  # fmt: skip
    over = changed(lost, event_id="i8", incident_id="inc-8", life="cancelled")
    crisis(lost, over, topic=DESK_OUTPUT)
    (one,) = snapshot(crisis.engine).unplaced
    assert (one.incident_id, one.lon_deg, one.depth_m, one.area_known) == (
        "inc-7", 37.0, 10_000.0, False,
    )  # fmt: skip


def test_a_fault_is_told_once_by_what_it_is_and_not_by_the_error_that_it_quotes(crisis):
    words = "CheckedIn put aside: ValueError('h3f9a.1 is at 37.0661, 37.3781')"
    for number in (0, 1):
        crisis(
            FaultRaised(
                **base(f"f{number}"),
                fault="record_quarantined", stage="shard", partition=number, detail=words,
            ),
            topic=OPERATIONS,
        )  # fmt: skip
    now = snapshot(crisis.engine)
    assert now.pipeline.faults == ("record_quarantined",)
    assert b"h3f9a" not in msgspec.json.encode(now)


def test_zones_are_those_in_force_and_their_key_is_the_snapshots(crisis):
    key = snapshot(crisis.engine).situations[0].zones_key
    drawn = zones(crisis.engine, "sit-1")
    assert drawn["zones_key"] == key
    (feature,) = drawn["features"]
    assert feature["properties"] == {
        "zone_id": "inc-1/VI", "version": 1, "band": "VI", "rank": 6,
        "possible_only": False, "estimated": False, "model": "test",
    }  # fmt: skip
    assert feature["geometry"]["type"] == "MultiPolygon"
    later = {"version": 2, "seq": 9, "rank": 7, "band": "VII", "zone_id": "inc-1/VII"}
    crisis(
        changed(DRAWN, event_id="z2", **later),
        changed(DRAWN, event_id="z3", version=3, seq=10, valid_from=AT + timedelta(hours=1)),
        changed(DRAWN, event_id="z4", seq=11, corrected=True),
        topic=DESK_OUTPUT,
    )
    drawn = zones(crisis.engine, "sit-1")
    assert [one["properties"]["band"] for one in drawn["features"]] == ["VII"]
    assert drawn["zones_key"] == snapshot(crisis.engine).situations[0].zones_key != key
