"""Commit and recovery, poison, engine versions (design 3), told with toy stages."""

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode
from schemas.person import CheckedIn
from streams.backends.sqlite import SqliteLog
from streams.core.stage import DESK_INPUT, ROOM_OUTPUT, SHARD_INPUT
from streams.errors import EngineMismatchError, LogFailedError, RecoveryError
from streams.ports import Attempt, NewRecord, SkipKind
from streams.pump import Pump
from streams.recovery import StageKey, recover
from streams.topology import DEAD_LETTERS, OPERATIONS, partition_of
from tests.backends.test_sqlite_log import change
from tests.support.toy import EVERYWHERE, START, Crash, Hand, at_desk, checked_in, dump, tick, toys

SHARDS = 3
DESK, ROOM = StageKey("desk", 0), StageKey("room", 0)
ROOT = Path(__file__).parents[1]
CROWD = [at_desk(n, f"h{n % 5}.1") for n in range(40)] + [at_desk(40, EVERYWHERE)]


class World:
    """A log in a folder, pumped by toys, dying and starting again."""

    def __init__(self, folder, engine="v1", **settings):
        self.folder = folder
        self.engine = engine
        self.settings = settings
        self.hand = Hand()

    @contextmanager
    def log(self, abort=None):
        extra = {} if abort is None else {"abort": abort}
        log = SqliteLog.open(self.folder, shards=SHARDS, wall=self.hand, **extra)
        try:
            yield log
        finally:
            log.close()

    @contextmanager
    def pump(self, abort=None):
        with self.log(abort) as log:
            yield log, self.on(log, abort)

    def on(self, log, abort=None):
        extra = {} if abort is None else {"abort": abort}
        return Pump(log, toys(SHARDS), self.engine, self.hand, **self.settings, **extra)

    def put(self, records):
        with self.log() as log:
            log.append(records)

    def run(self):
        """Run until idle and stop cleanly; return the records dealt with."""
        with self.pump() as (_, pump), pump:
            return pump.run_until_idle()

    def die(self, point, times=1):
        """Run until the n-th passing of a crash point; return whether it died there."""
        passed = 0

        def abort(at):
            nonlocal passed
            passed += point in {at, "any"}
            if passed == times:
                raise Crash

        try:
            with self.pump(abort) as (_, pump), pump:
                pump.run_until_idle()
        except Crash:
            return True
        return False

    def all(self):
        with self.log() as log:
            return dump(log)


def events(log, topic, partition=0):
    return [decode(r.name, r.body) for r in log.read(topic, partition, 0, 1000)]


def faults(log):
    return [(f.fault, f.stage, f.partition, f.offset, f.cleared) for f in events(log, OPERATIONS)]


def said(log, topic, partition=0):
    """Return whom the toy check-ins of a topic are about."""
    return [e.person_id for e in events(log, topic, partition) if isinstance(e, CheckedIn)]


def undisturbed(tmp_path, *parts, **settings):
    """Return all that stands in a log whose pump ran once after each part, unharmed."""
    world = World(tmp_path / "undisturbed", **settings)
    for records in parts:
        world.put(records)
        world.run()
    return world.all()


# ---------------------------------------------------------------------- the loop


def test_what_the_desk_says_reaches_the_room_through_the_shards(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1, "ana.1"), at_desk(2, EVERYWHERE), at_desk(3, "ana.1")])
    # 3 at the desk; ana twice in one shard and a copy in each of 3; all 5 of it in the room.
    assert world.run() == 3 + 5 + 5
    home = partition_of("ana.1", SHARDS)
    with world.log() as log:
        assert said(log, SHARD_INPUT, home) == ["ana.1", EVERYWHERE, "ana.1"]
        assert sorted(said(log, ROOM_OUTPUT)) == ["ana.1"] * 2 + [EVERYWHERE] * 3
        assert log.committed(*DESK) == 3
        assert log.committed("shard", home) == 3
        assert log.committed(*ROOM) == 5
    assert world.run() == 0


def test_the_size_of_batches_changes_nothing(tmp_path):
    expected = undisturbed(tmp_path, CROWD)
    for size in (1, 7, 41):
        assert undisturbed(tmp_path / str(size), CROWD, batch_records=size) == expected


def test_a_step_gives_every_stage_one_batch(tmp_path):
    world = World(tmp_path, batch_records=10)
    world.put([at_desk(n, EVERYWHERE) for n in range(15)])
    with world.pump() as (log, pump):
        assert pump.step() == 10 + 3 * 10 + 10
        assert log.committed(*DESK) == 10
        assert pump.step() == 5 + 3 * 5 + 10
        assert [pump.step() for _ in range(5)] == [10, 10, 5, 0, 0]


def test_a_running_pump_works_until_told_to_stop_and_leaves_snapshots(tmp_path):
    world = World(tmp_path)
    world.put(CROWD)

    class Stop:
        """Set once there is nothing left to do, instead of after a while."""

        idle = False

        def is_set(self):
            return self.idle

        def wait(self, _seconds):
            self.idle = True

    with world.pump() as (log, pump):
        pump.run(Stop())
        assert log.committed(*ROOM) == log.end("room-input", 0) == 40 + 3
        assert next(log.snapshots(*ROOM)).offset == 43
    assert world.all() == undisturbed(tmp_path, CROWD)


# ---------------------------------------------------------------------- crashes


@pytest.mark.parametrize("point", ["attempted", "applied", "committing", "writing", "committed"])
@pytest.mark.parametrize("times", [1, 3, 5])
def test_a_death_at_any_point_loses_and_doubles_nothing(tmp_path, point, times):
    world = World(tmp_path / "dying", batch_records=11)
    world.put(CROWD)
    assert world.die(point, times)
    world.run()
    assert world.all() == undisturbed(tmp_path, CROWD)


@settings(max_examples=settings().max_examples // 2)  # many starts in each
@given(
    people=st.lists(st.sampled_from(["a.1", "b.1", "c.1", "d.1", EVERYWHERE, "refuse.1"])),
    deaths=st.lists(st.integers(1, 40), max_size=4),
    batch=st.integers(1, 12),
    every=st.integers(1, 20),
)
def test_any_series_of_deaths_loses_and_doubles_nothing(
    tmp_path_factory, people, deaths, batch, every
):
    tmp_path = tmp_path_factory.mktemp("deaths")
    records = [at_desk(n, person) for n, person in enumerate(people)]
    world = World(tmp_path / "dying", batch_records=batch, snapshot_every=every)
    world.put(records)
    for number, death in enumerate(deaths):
        if number % 2:
            # A third death in a row at one record would, by design, put that record aside.
            world.die("committed")
        world.die("any", death)
    world.run()
    assert world.all() == undisturbed(tmp_path, records)


def worker(folder, death_at=0):
    command = [sys.executable, "-m", "tests.support.toy_worker", str(folder), str(death_at)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode


def test_kill_9_at_seeded_moments_loses_and_doubles_nothing(tmp_path):
    world = World(tmp_path / "killed")
    world.put(CROWD)
    for death_at in (3, 11, 24, 8, 31, 17):
        assert worker(world.folder, death_at) == -9
    assert worker(world.folder) == 0
    assert world.all() == undisturbed(tmp_path, CROWD)


def test_recovery_begins_at_the_snapshot_and_replays_the_tail_in_silence(tmp_path):
    world = World(tmp_path, batch_records=4, snapshot_every=10)
    world.put(CROWD[:21])
    with world.pump() as (log, pump):
        pump.run_until_idle()
        before = dump(log), pump.stage(DESK).export("all")
    with world.pump() as (log, pump):
        assert [s.offset for s in log.snapshots(*DESK)] == [12]
        recovered = recover(log, DESK, toys(SHARDS)[DESK], "v1")
        assert (recovered.offset, recovered.snapshot_offset) == (21, 12)
        assert (dump(log), pump.stage(DESK).export("all")) == before


def test_a_clean_stop_leaves_a_snapshot_of_every_stage_where_it_stands(tmp_path):
    world = World(tmp_path)
    world.put(CROWD)
    world.run()
    with world.log() as log:
        for key in toys(SHARDS):
            assert next(log.snapshots(*key)).offset == log.committed(*key) > 0


def test_a_death_leaves_no_snapshot(tmp_path):
    world = World(tmp_path)
    world.put(CROWD)
    assert world.die("committed", times=5)
    with world.log() as log:
        assert list(log.snapshots(*DESK)) == []


def test_a_damaged_snapshot_falls_back_to_the_older_and_the_wall_hears_of_it(tmp_path):
    parts = [CROWD[:10], CROWD[10:20], CROWD[20:30], CROWD[30:]]
    world = World(tmp_path)
    for records in parts[:3]:
        world.put(records)
        world.run()
    change(world.folder, "UPDATE snapshots SET body = ? WHERE stage = 'desk' AND off = 30", b"?")
    with world.pump() as (log, pump):
        assert recover(log, DESK, toys(SHARDS)[DESK], "v1").snapshot_offset == 20
        assert ("snapshot_damaged", "desk", 0, None, False) in faults(log)
        log.append(parts[3])
        pump.run_until_idle()
        faulty = dump(log)
    assert faulty.pop((OPERATIONS, 0)) != []
    expected = undisturbed(tmp_path, *parts)
    assert expected.pop((OPERATIONS, 0)) == []
    assert faulty == expected


def test_without_any_usable_snapshot_all_is_replayed_from_the_beginning(tmp_path):
    world = World(tmp_path)
    world.put(CROWD[:20])
    world.run()
    change(world.folder, "UPDATE snapshots SET body = ?", b"?")
    world.put(CROWD[20:])
    world.run()
    expected = undisturbed(tmp_path, CROWD[:20], CROWD[20:])
    assert world.all()[ROOM_OUTPUT, 0] == expected[ROOM_OUTPUT, 0]


# ---------------------------------------------------------------------- engine versions


def test_a_new_engine_starts_where_the_old_one_stopped_and_is_told(tmp_path):
    world = World(tmp_path)
    world.put([at_desk(1), at_desk(2)])
    world.run()
    world.engine = "v2"
    world.put([at_desk(3)])
    world.run()
    with world.log() as log:
        last = events(log, DESK_INPUT)[-1]
        assert (type(last).__name__, last.version, last.previous) == ("EngineChanged", "v2", "v1")
        assert [len(events(log, DESK_INPUT)), log.committed(*DESK)] == [4, 4]
        assert log.progress(*DESK)[:3] == (4, "v2", 2)
        assert said(log, ROOM_OUTPUT) == ["ana.1"] * 3
    world.run()
    with world.log() as log:
        assert len(events(log, DESK_INPUT)) == 4


def test_a_tail_of_another_engine_is_refused_with_what_to_do(tmp_path):
    world = World(tmp_path)
    world.put(CROWD)
    assert world.die("committed", times=2)
    world.engine = "v2"
    with pytest.raises(EngineMismatchError, match="desk 0 stands at 41 under engine v1") as refusal:
        world.run()
    assert "start once with engine v1 and stop it cleanly" in refusal.value.hint
    world.engine = "v1"
    world.run()
    world.engine = "v2"
    world.run()
    with world.log() as log:
        assert log.progress(*DESK).engine == "v2"


def test_a_damaged_snapshot_at_the_change_of_engines_is_not_guessed_around(tmp_path):
    world = World(tmp_path)
    for part in (CROWD[:20], CROWD[20:]):
        world.put(part)
        world.run()
    change(world.folder, "UPDATE snapshots SET body = ? WHERE stage = 'desk' AND off = 41", b"?")
    world.engine = "v2"
    with pytest.raises(EngineMismatchError, match="snapshot at 41: wrong checksum"):
        world.run()


def test_a_new_engine_goes_back_to_where_it_took_over_but_not_further(tmp_path):
    world = World(tmp_path)
    for engine, records in (("v1", CROWD[:20]), ("v2", CROWD[20:])):
        world.engine = engine
        world.put(records)
        world.run()
    # The desk: 20 records under v1, then 21 and EngineChanged under v2.
    change(world.folder, "UPDATE snapshots SET body = ? WHERE off = 42", b"?")
    with world.pump() as (log, _):
        assert log.progress(*DESK)[:3] == (42, "v2", 20)
        assert recover(log, DESK, toys(SHARDS)[DESK], "v2").snapshot_offset == 20
    change(world.folder, "UPDATE snapshots SET body = ? WHERE off = 20", b"?")
    with pytest.raises(RecoveryError, match="desk 0 at 42 cannot be rebuilt") as refusal:
        world.run()
    assert "rollcall restore" in refusal.value.hint


# ---------------------------------------------------------------------- poison


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
