"""Commit, recovery and engine versions (design 3), told with toy stages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.stage import DESK_INPUT, ROOM_OUTPUT, SHARD_INPUT
from streams.errors import EngineMismatchError, RecoveryError
from streams.recovery import recover
from streams.topology import OPERATIONS, partition_of
from tests.backends.test_sqlite_log import change
from tests.support.toy import EVERYWHERE, at_desk, dump, toys
from tests.support.world import (
    CROWD,
    DESK,
    ROOM,
    SHARDS,
    World,
    events,
    faults,
    said,
    undisturbed,
    worker,
)


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


def test_a_lane_without_state_does_not_keep_the_others_from_their_snapshots(tmp_path):
    world = World(tmp_path, snapshot_every=10)
    world.put(CROWD)
    with world.pump() as (log, pump):
        halted = pump._lanes["shard", 1]
        halted.stopped, halted._stage, halted._offset = "it could not be recovered", None, 1000
        pump.run_until_idle()
        assert next(log.snapshots(*DESK)).offset == 41
        assert list(log.snapshots("shard", 1)) == []


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
