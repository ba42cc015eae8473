"""Journals of the store: inputs, sums by the minute, changes, the engine's own row."""

from contextlib import closing
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from schemas.alert import SilenceChanged
from schemas.codelists import (
    AdviceScope,
    CheckInState,
    ContactChannel,
    ContactOutcome,
    Role,
    Verb,
)
from schemas.command import CommandIssued
from schemas.incident import AdvisoryChanged
from schemas.operations import Tick
from schemas.person import CheckedIn, ContactRecorded
from streams.backends.sqlite import SqliteLog
from streams.core.stage import DESK_INPUT, DESK_OUTPUT, ROOM_INPUT, ROOM_OUTPUT, SHARD_INPUT
from streams.ports import NewRecord
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.runtime import ConfiguredFeed, Runtime, note_runtime, read_runtime
from streams.serving.writer import Writer
from tests.serving.builders import AT, INCIDENT, SHARDS, SITUATION, TOTALS, base, story, summed


@pytest.fixture
def log(tmp_path):
    with closing(SqliteLog.open(tmp_path, shards=SHARDS)) as one:
        yield one


def rows(engine, table, *names):
    columns = [table.c[name] for name in names]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]


def versions():
    """Return what the desk says while a magnitude is revised and taken back."""
    later = {"received_at": AT + timedelta(minutes=30)}
    changed = msgspec.structs.replace
    return [
        changed(INCIDENT, event_id="i1", magnitude=7.9),
        changed(INCIDENT, event_id="i2", magnitude=7.9, headline_source="emsc"),
        changed(INCIDENT, event_id="i3", magnitude=7.8, version=2, **later),
        changed(INCIDENT, event_id="i4", magnitude=7.8, version=2, life="cancelled", **later),
        changed(INCIDENT, event_id="i5", magnitude=7.8, version=2, **later),
        SITUATION,
        changed(SITUATION, event_id="s2", incident_ids=("inc-1", "inc-2")),
        changed(SITUATION, event_id="s3", closed=True),
    ]


CHANGES = [
    ("i1", "opened", None, 7.9),
    ("i3", "revised", 7.9, 7.8),
    ("i4", "cancelled", 7.8, 7.8),
    ("i5", "reopened", 7.8, 7.8),
    ("s1", "opened", None, None),
    ("s3", "closed", None, None),
]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_change_knows_what_was_before_in_any_batches_and_read_twice(log, store, batch):
    log.append([NewRecord(DESK_OUTPUT, 0, "x", one) for one in versions()])
    Writer(log, store, batch=batch).drain()
    assert rows(store, j.changes, "event_id", "change", "before", "after") == CHANGES
    with store.begin() as connection:
        connection.execute(t.writer_offsets.update().values(next_offset=0))
    Writer(log, store, batch=2).drain()
    assert rows(store, j.changes, "event_id", "change", "before", "after") == CHANGES


def test_an_incident_that_became_part_of_another_has_merged(log, store):
    void = msgspec.structs.replace(INCIDENT, event_id="i2", void=True)
    log.append([NewRecord(DESK_OUTPUT, 0, "x", one) for one in (INCIDENT, void)])
    Writer(log, store).drain()
    assert rows(store, j.changes, "event_id", "change") == [("i1", "opened"), ("i2", "merged")]


def test_advice_that_was_only_edited_is_no_change(log, store):
    advice = AdvisoryChanged(
        **base("ad1"), advisory_id="de_aa:SD", issuer="de_aa", title="Sudan", level=4,
        native_level="warning", scope=AdviceScope.WHOLE, change="raised", sent_at=AT, version=2,
        previous_level=2,
    )  # fmt: skip
    edited = msgspec.structs.replace(advice, event_id="ad2", change="editorial")
    log.append([NewRecord(DESK_OUTPUT, 0, "x", one) for one in (advice, edited)])
    Writer(log, store).drain()
    assert rows(store, j.changes, "kind", "about_id", "before", "after", "scope") == [
        ("advice", "de_aa:SD", 2.0, 4.0, "whole")
    ]


def test_of_the_inputs_what_people_said_is_kept_and_ticks_are_not(log, store):
    said = CheckedIn(**base("c1"), person_id="a.1", state=CheckInState.SAFE)
    tried = ContactRecorded(
        **base("k1"), person_id="a.1", outcome=ContactOutcome.NO_ANSWER,
        channel=ContactChannel.PHONE, by="agent3",
    )  # fmt: skip
    ack = CommandIssued(
        **base("d1", by="officer7", reason="seen"),
        role=Role.OFFICER, verb=Verb.ACKNOWLEDGE, alert_id="alert-1",
    )  # fmt: skip
    link = CommandIssued(
        **base("d2", by="officer7", reason="seen"),
        role=Role.OFFICER, verb=Verb.LINK, person_id="a.1", other_id="b.1",
    )  # fmt: skip
    log.append(
        [
            NewRecord(SHARD_INPUT, 1, "a.1", said),
            NewRecord(SHARD_INPUT, 1, "t", Tick(**base("t1"), at=AT)),
            NewRecord(SHARD_INPUT, 1, "s", SITUATION),
            NewRecord(SHARD_INPUT, 1, "a.1", tried),
            NewRecord(ROOM_INPUT, 0, "alert-1", ack),
            NewRecord(DESK_INPUT, 0, "d2", link),
        ]
    )
    assert Writer(log, store).drain() == 6
    assert rows(store, j.inputs, "topic", "offset", "event_id", "about", "also", "what") == [
        ("desk-input", 0, "d2", "a.1", "b.1", "link"),
        ("room-input", 0, "d1", "alert-1", None, "acknowledge"),
        ("shard-input", 0, "c1", "a.1", None, "safe"),
        ("shard-input", 3, "k1", "a.1", None, "no_answer"),
    ]


def test_a_closed_exposure_stays_with_why_and_until(log, store):
    log.append(story())
    Writer(log, store).drain()
    assert rows(store, t.exposures, "person_id", "closed", "until") == [
        ("a.1", None, None), ("b.1", None, None), ("c.1", "withdrawn", AT),
    ]  # fmt: skip


def test_of_a_minute_the_last_sum_is_kept(log, store):
    sums = [
        msgspec.structs.replace(
            summed(name, known, unaccounted=known - 3, left_area=2, deceased=1, duplicate=4),
            tick_at=AT + timedelta(seconds=second),
            reached=reached,
        )
        for name, known, second, reached in (("1", 5, 0, 2), ("2", 6, 59, 1), ("3", 9, 60, 2))
    ]
    log.append([NewRecord(ROOM_OUTPUT, 0, "x", one) for one in sums])
    Writer(log, store).drain()
    names = ("minute", "tick_at", "complete", "known", "unaccounted", "safe", "other")
    assert rows(store, j.sum_history, *names) == [
        (AT, AT + timedelta(seconds=59), False, 6, 3, 0, 3),
        (AT + timedelta(seconds=60), AT + timedelta(seconds=60), True, 9, 6, 0, 3),
    ]


def test_silences_and_what_was_heard_are_rows(log, store):
    silence = SilenceChanged(
        **base("q1"), silence_id="silence-1", by="officer7", reason="drill", until=AT, rule="x"
    )
    total = msgspec.structs.replace(TOTALS, heard={"CheckedIn": AT})
    log.append([NewRecord(ROOM_OUTPUT, 0, "x", one) for one in (silence, total)])
    Writer(log, store).drain()
    assert rows(store, t.silences, "silence_id", "rule", "situation_id", "until") == [
        ("silence-1", "x", None, AT)
    ]
    assert rows(store, t.totals, "heard") == [('{"CheckedIn":"2023-02-06T01:25:00Z"}',)]


def test_the_engine_says_what_it_is_doing_in_one_row(store):
    with store.connect() as connection:
        assert read_runtime(connection) is None
    first = Runtime(mode="live", phase="loading", beat_wall_at=AT)
    second = Runtime(
        mode="replay", phase="running", beat_wall_at=AT, title="Drill", status="Exercise",
        start_at=AT, end_at=AT, speed=60.0, done=3, of=3, lag=0,
        feeds=(ConfiguredFeed(name="usgs", interval_s=60),),
    )  # fmt: skip
    note_runtime(store, first)
    note_runtime(store, second)
    with store.connect() as connection:
        assert read_runtime(connection) == second
