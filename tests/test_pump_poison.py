"""Poison and dead letters (design 3), told with toy stages."""

import json
from datetime import timedelta

import pytest

from schemas.codec import decode
from streams.core.stage import DESK_INPUT, ROOM_OUTPUT, SHARD_INPUT
from streams.errors import LogFailedError, RecoveryError
from streams.ports import Attempt, NewRecord, SkipKind
from streams.recovery import StageKey
from streams.topology import DEAD_LETTERS, OPERATIONS
from tests.backends.test_sqlite_log import change
from tests.support.toy import EVERYWHERE, START, at_desk, checked_in, tick
from tests.support.world import (
    CROWD,
    DESK,
    SHARDS,
    World,
    events,
    faults,
    said,
    undisturbed,
    worker,
)


def test_a_record_that_makes_a_stage_raise_is_put_aside_and_the_rest_goes_on(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2, "boom.1"), at_desk(3), at_desk(4)])
    world.run()
    with world.log() as log:
        assert said(log, ROOM_OUTPUT) == ["ana.1"] * 3
        (letter,) = events(log, DEAD_LETTERS)
        assert (letter.topic, letter.partition, letter.offset) == (DESK_INPUT, 0, 1)
        assert letter.reason == "KeyError('the toy cannot stand boom')"
        assert letter.traceback.startswith("Traceback (most recent call last):")
        assert "in _misbehave" in letter.traceback
        assert (letter.message_type, letter.retryable) == ("CheckedIn", True)
        assert json.loads(letter.body)["person_id"] == "boom.1"
        assert faults(log) == [
            ("batch_failed", "desk", 0, 0, False),
            ("record_quarantined", "desk", 0, 1, False),
        ]
        assert [(s.offset, s.kind, s.control) for s in log.skips(*DESK)] == [
            (1, SkipKind.RAISED, False)
        ]
        assert log.progress(*DESK) == (4, "v1", 0, None, 1, 0)


def test_the_others_see_nothing_of_a_poisoned_record(tmp_path):
    poisoned = [*CROWD[:20], at_desk(98, "boom.1"), *CROWD[20:]]
    world = World(tmp_path / "poisoned", batch_records=9)
    world.put(poisoned)
    world.run()
    assert world.all()[ROOM_OUTPUT, 0] == undisturbed(tmp_path, CROWD)[ROOM_OUTPUT, 0]


def test_a_replay_leaves_out_what_was_put_aside(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2, "boom.1"), at_desk(3)])
    with world.pump() as (_, pump):
        pump.run_until_idle()
        before = pump.stage(DESK).export("all")
    with world.pump() as (log, pump):
        assert pump.stage(DESK).export("all") == before
        assert log.progress(*DESK).skipped == 1


def test_a_batch_that_fails_though_no_record_does_is_a_fault_and_loses_nothing(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1, "together.1"), at_desk(2, "together.2")])
    world.run()
    with world.pump() as (log, _):
        assert said(log, ROOM_OUTPUT) == ["together.1", "together.2"]
        assert {fault[0] for fault in faults(log)} == {"batch_failed"}
        assert events(log, DEAD_LETTERS) == []
    world.settings = {"snapshot_every": 10_000}
    change(world.folder, "DELETE FROM snapshots")
    with world.pump() as (_, pump):
        assert pump.stage(DESK).export("all")[0]["count"] == 2


def test_an_output_for_a_place_that_does_not_exist_is_the_records_poison(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2, "stray.1"), at_desk(3)])
    world.run()
    with world.log() as log:
        assert said(log, ROOM_OUTPUT) == ["ana.1"] * 2
        (letter,) = events(log, DEAD_LETTERS)
        assert "topic shard-input has no partition 99" in letter.reason


def test_a_skipped_control_record_degrades_its_shard_visibly(tmp_path):
    world = World(tmp_path)
    world.put([tick(START)])
    change(world.folder, "UPDATE log SET body = ?", b'{"at": "noon"}')
    world.run()
    with world.log() as log:
        assert log.progress(*DESK)[4:] == (1, 1)
        assert faults(log) == [("control_skipped", "desk", 0, 0, False)]
        (fault,) = events(log, OPERATIONS)
        assert fault.detail.startswith("desk 0 is degraded: it has not seen a Tick (")


def test_a_degraded_shard_is_told_so_in_its_own_input(tmp_path):
    world = World(tmp_path)
    world.put([tick(START, SHARD_INPUT)])
    change(world.folder, "UPDATE log SET body = ? WHERE partition = 1", b"noon")
    world.run()
    with world.log() as log:
        names = [[r.name for r in log.read(SHARD_INPUT, p, 0, 9)] for p in range(SHARDS)]
        assert names == [["Tick"], ["Tick", "FaultRaised"], ["Tick"]]
        assert log.committed("shard", 1) == 2
        assert faults(log) == [("control_skipped", "shard", 1, 0, False)]


def test_a_refused_record_is_a_dead_letter_with_its_place_and_status(tmp_path):
    world = World(tmp_path)
    drill = checked_in(2, "refuse.1", status="Exercise")
    world.put([at_desk(1), NewRecord(DESK_INPUT, 0, "refuse.1", drill), at_desk(3)])
    world.run()
    with world.log() as log:
        (letter,) = events(log, DEAD_LETTERS)
        assert (letter.reason, letter.offset, letter.status) == (
            "refused by the toy",
            1,
            "Exercise",
        )
        assert decode(letter.message_type, letter.body.encode()) == drill
        assert letter.retryable is False
        assert log.progress(*DESK).skipped == 0


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\xff not json", "\ufffd not json"),
        (b'{"person_id": "ana.1"}', '{"person_id": "ana.1"}'),
        (b'{"person_id": "ana.1", "phone": "+32 2 501 81 11"}', "person_id, phone"),
    ],
)
def test_an_undecodable_record_is_a_dead_letter_without_direct_identifiers(tmp_path, body, shown):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2), at_desk(3)])
    change(world.folder, "UPDATE log SET body = ? WHERE off = 1", body)
    world.run()
    with world.log() as log:
        (letter,) = events(log, DEAD_LETTERS)
        assert (letter.body, letter.offset, letter.retryable) == (shown, 1, False)
        assert said(log, ROOM_OUTPUT) == ["ana.1"] * 2
        assert log.skips(*DESK)[0].kind is SkipKind.UNDECODABLE


def test_dead_letters_stand_in_the_order_of_their_records(tmp_path):
    records = [at_desk(n, "refuse.1") for n in range(6)]
    for size in (1, 6):
        world = World(tmp_path / str(size), batch_records=size)
        world.put(records)
        change(world.folder, "UPDATE log SET body = CAST('{}' AS BLOB) WHERE off IN (1, 4)")
        world.run()
        with world.log() as log:
            letters = events(log, DEAD_LETTERS)
            assert [letter.offset for letter in letters] == [0, 1, 2, 3, 4, 5]
            assert [n for n in range(6) if letters[n].reason != "refused by the toy"] == [1, 4]


def test_no_number_of_undecodable_records_stops_a_partition(tmp_path):
    world = World(tmp_path)
    world.put(CROWD)
    change(world.folder, "UPDATE log SET body = ? WHERE off < 30", b"{}")
    with world.pump() as (log, pump):
        pump.run_until_idle()
        assert pump.stopped == {}
        assert log.progress(*DESK)[4:] == (30, 0)
        assert [letter.offset for letter in events(log, DEAD_LETTERS)] == list(range(30))


def test_a_fourth_skip_within_a_minute_stops_the_partition_and_no_other(tmp_path):
    world = World(tmp_path)
    bad = [NewRecord(SHARD_INPUT, 1, "boom.1", checked_in(n, "boom.1")) for n in range(4)]
    world.put([*bad, NewRecord(SHARD_INPUT, 1, "x", checked_in(5)), *CROWD])
    with world.pump() as (log, pump), pump:
        pump.run_until_idle()
        words = "more than 3 records to put aside within a minute; now: KeyError("
        assert list(pump.stopped) == [StageKey("shard", 1)]
        assert pump.stopped["shard", 1].startswith(words)
        assert log.committed("shard", 1) == 3
        assert [log.committed("shard", p) for p in (0, 2)] == [
            log.end(SHARD_INPUT, p) for p in (0, 2)
        ]
        assert faults(log)[-1] == ("partition_stopped", "shard", 1, 3, False)
        assert log.progress("shard", 1).stopped == pump.stopped["shard", 1]
    world.hand.at += timedelta(seconds=61)
    with world.pump() as (log, pump):
        assert next(log.snapshots("shard", 1)).offset == 3
        pump.run_until_idle()
        assert pump.stopped == {}
        assert log.committed("shard", 1) == log.end(SHARD_INPUT, 1)
        assert ("partition_stopped", "shard", 1, None, True) in faults(log)
        assert log.progress("shard", 1).stopped is None


def test_skips_that_are_further_apart_stop_nothing(tmp_path):
    world = World(tmp_path)
    with world.pump() as (log, pump):
        for n in range(6):
            log.append([at_desk(n, "boom.1")])
            pump.run_until_idle()
            world.hand.at += timedelta(seconds=20)
        assert pump.stopped == {}
        assert log.progress(*DESK).skipped == 6


def test_an_error_of_the_machine_is_nobodys_poison(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1, "full.1")])
    for _ in range(5):
        with pytest.raises(OSError, match="No space left"):
            world.run()
    with world.log() as log:
        assert log.committed(*DESK) == 0
        assert log.last_attempt(*DESK) is None
        assert events(log, DEAD_LETTERS) == []


def test_a_failing_log_is_nobodys_poison(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(n) for n in range(500)])
    with world.pump() as (log, pump):
        (pages,) = log._db.execute("PRAGMA page_count").fetchone()
        log._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LogFailedError, match="full"):
            pump.run_until_idle()
        with pytest.raises(RecoveryError, match="its pump has failed"):
            pump.stage(DESK)
    world.run()
    with world.log() as log:
        assert len(said(log, ROOM_OUTPUT)) == 500
        assert events(log, OPERATIONS) == []


def test_a_record_that_kills_the_process_three_times_alone_is_put_aside(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2, "kill.1"), at_desk(3)])
    # First all three together; then singly, where only the second one kills.
    attempts = []
    for _ in range(4):
        assert worker(world.folder) == -9
        with world.log() as log:
            attempts.append(log.last_attempt(*DESK))
    assert attempts == [Attempt(0, 3, 1), Attempt(1, 2, 1), Attempt(1, 2, 2), Attempt(1, 2, 3)]
    assert worker(world.folder) == 0
    with world.log() as log:
        (letter,) = events(log, DEAD_LETTERS)
        assert (letter.reason, letter.offset) == ("killed the process 3 times", 1)
        assert letter.traceback is None
        assert said(log, ROOM_OUTPUT) == ["ana.1"] * 2
        assert log.skips(*DESK)[0].kind is SkipKind.KILLED
        assert ("record_quarantined", "desk", 0, 1, False) in faults(log)


def test_a_stage_that_cannot_be_snapshotted_goes_on_with_a_fault(tmp_path, monkeypatch):
    world = World(tmp_path, snapshot_every=10, batch_records=5)
    world.put(CROWD)
    with world.pump() as (log, pump):
        monkeypatch.setattr(pump.stage(DESK), "snapshot", lambda: 1 / 0)
        pump.run_until_idle()
        assert said(log, ROOM_OUTPUT)[-1] == EVERYWHERE
        assert faults(log)[0] == ("snapshot_failed", "desk", 0, None, False)
        assert list(log.snapshots(*DESK)) == []
