"""What every log must do, whatever it is built on.

A backend's tests subclass ``EventLogContract`` and say how to open one.
"""

import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from schemas.codec import decode
from schemas.envelope import Event
from schemas.operations import MessageRejected
from streams.clock import WALL, scenario
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT, TO_ALL
from streams.errors import CommitConflictError, InvalidRecordError
from streams.ports import (
    MAX_RECORD_BYTES,
    Attempt,
    Commit,
    EventLog,
    IntakeLog,
    NewRecord,
    Receipt,
    Record,
    Skip,
    SkipKind,
    Snapshot,
)
from streams.topology import DEAD_LETTERS
from tests.support.toy import START, Crash, Hand, at_desk, checked_in, tick

NEW, KNOWN, OTHER = Receipt.ACCEPTED, Receipt.DUPLICATE, Receipt.CONFLICT
LATER = START + timedelta(seconds=90)


class Whisper(Event, frozen=True, kw_only=True):
    """An event that is not among the messages."""


WHISPER = Whisper(event_id="e2", source="test", occurred_at=START, received_at=START)


def in_shard(partition, number):
    return NewRecord(SHARD_INPUT, partition, "ana.1", checked_in(number))


def everything(log, topic, partition=0):
    """All records of a partition: a read may return fewer than there are."""
    records: list[Record] = []
    while more := log.read(topic, partition, records[-1].offset + 1 if records else 0, 1000):
        records += more
    return records


def ids(log, topic, partition=0):
    return [decode(r.name, r.body, r.version).event_id for r in everything(log, topic, partition)]


def places(log, topic, partition=0):
    """The offsets of a partition's records, and the end behind them."""
    return [r.offset for r in everything(log, topic, partition)], log.end(topic, partition)


def done(log, first, upto, **fields):
    log.commit(Commit("desk", 0, first, upto, fields.pop("engine", "v1"), **fields))


def large(event_id, chars):
    event = MessageRejected(
        event_id=event_id,
        source="test",
        occurred_at=START,
        received_at=START,
        reason="large",
        topic=DESK_INPUT,
        partition=0,
        offset=0,
        message_type="CheckedIn",
        body="x" * chars,
    )
    return NewRecord(DEAD_LETTERS, 0, "large", event)


class EventLogContract:
    """The conformance suite of ``streams.ports.EventLog``."""

    def open(self, directory: Path, **settings: object) -> EventLog:
        """Open (and create) a log: shards, clock, wall, abort as in SqliteLog."""
        raise NotImplementedError

    @pytest.fixture
    def log(self, tmp_path):
        log = self.open(tmp_path, shards=4, wall=Hand())
        yield log
        log.close()

    # ------------------------------------------------------------------ records

    def test_records_are_read_in_the_order_they_were_appended(self, log):
        log.append([at_desk(1), in_shard(2, 2), at_desk(3)])
        log.append([in_shard(2, 4), in_shard(0, 5)], durable=False)
        assert ids(log, DESK_INPUT) == ["e1", "e3"]
        assert ids(log, SHARD_INPUT, 2) == ["e2", "e4"]
        assert ids(log, SHARD_INPUT, 0) == ["e5"]
        offsets, end = places(log, SHARD_INPUT, 2)
        assert 0 <= offsets[0] < offsets[1] < end
        assert [places(log, SHARD_INPUT, p) for p in (1, 3)] == [([], 0), ([], 0)]

    def test_a_record_says_what_it_is_and_when_it_came(self, log):
        log.append([at_desk(1, "ben.2")])
        (record,) = log.read(DESK_INPUT, 0, 0, 1)
        assert record[:6] == (DESK_INPUT, 0, 0, "ben.2", "CheckedIn", 1)
        assert decode(record.name, record.body) == checked_in(1, "ben.2")
        assert record.appended_at == START

    def test_a_read_begins_where_it_is_told_and_ends_at_the_limit(self, log):
        log.append([at_desk(n) for n in range(10)])
        offsets, end = places(log, DESK_INPUT)
        assert [r.offset for r in log.read(DESK_INPUT, 0, offsets[3], 4)] == offsets[3:7]
        assert [r.offset for r in log.read(DESK_INPUT, 0, offsets[8], 4)] == offsets[8:]
        assert [r.offset for r in log.read(DESK_INPUT, 0, offsets[2] + 1, 1)] == offsets[3:4]
        assert log.read(DESK_INPUT, 0, end, 4) == []
        assert log.read(DESK_INPUT, 0, end + 89, 4) == []

    def test_a_read_of_large_records_fits_in_memory_and_still_moves_on(self, log):
        log.append([large(f"r{n}", 3_900_000) for n in range(6)])
        read, offset = [], 0
        while records := log.read(DEAD_LETTERS, 0, offset, 1000):
            assert len(records) <= 4
            read += [decode(r.name, r.body, r.version).event_id for r in records]
            offset = records[-1].offset + 1
        assert read == ["r0", "r1", "r2", "r3", "r4", "r5"]

    def test_to_all_is_a_copy_in_every_partition(self, log):
        log.append([in_shard(1, 1), in_shard(TO_ALL, 2), in_shard(1, 3)])
        assert [ids(log, SHARD_INPUT, p) for p in range(4)] == [
            ["e2"],
            ["e1", "e2", "e3"],
            ["e2"],
            ["e2"],
        ]
        log.append([NewRecord(ROOM_INPUT, TO_ALL, "ana.1", checked_in(4))])
        assert ids(log, ROOM_INPUT) == ["e4"]

    @pytest.mark.parametrize(
        "bad",
        [
            NewRecord("gossip", 0, "ana.1", checked_in(2)),
            NewRecord("gossip", TO_ALL, "ana.1", checked_in(2)),
            NewRecord(SHARD_INPUT, 4, "ana.1", checked_in(2)),
            NewRecord(SHARD_INPUT, -2, "ana.1", checked_in(2)),
            NewRecord(DESK_INPUT, 1, "ana.1", checked_in(2)),
            NewRecord(DESK_INPUT, 0, "ana.1", WHISPER),
            large("too-large", MAX_RECORD_BYTES),
        ],
        ids=["topic", "topic-all", "shard", "negative", "unsharded", "no-message", "size"],
    )
    def test_a_bad_record_is_refused_and_nothing_of_the_call_is_written(self, log, bad):
        with pytest.raises(InvalidRecordError):
            log.append([at_desk(1), bad])
        with pytest.raises(InvalidRecordError):
            done(log, 0, 1, outputs=[at_desk(1), bad])
        assert log.read(DESK_INPUT, 0, 0, 9) == []
        assert log.committed("desk", 0) == 0

    @pytest.mark.parametrize("place", [("gossip", 0), (SHARD_INPUT, 4), (SHARD_INPUT, TO_ALL)])
    def test_reading_what_does_not_exist_is_refused(self, log, place):
        with pytest.raises(InvalidRecordError):
            log.read(*place, 0, 1)
        with pytest.raises(InvalidRecordError):
            log.end(*place)

    def test_what_was_written_is_there_after_reopening(self, tmp_path):
        log = self.open(tmp_path, shards=4)
        log.append([at_desk(1)], durable=False)
        log.sync()
        log.append([in_shard(3, 2)])
        done(log, 0, 1, outputs=[in_shard(3, 3)])
        log.close()
        log.close()
        log = self.open(tmp_path)
        assert log.shards == 4
        assert ids(log, DESK_INPUT) == ["e1"]
        assert ids(log, SHARD_INPUT, 3) == ["e2", "e3"]
        assert log.committed("desk", 0) == 1
        log.append([in_shard(3, 4)])
        assert ids(log, SHARD_INPUT, 3) == ["e2", "e3", "e4"]
        log.close()

    def test_threads_may_append_at_once(self, log):
        def work(name):
            for n in range(25):
                log.append([in_shard(0, f"{name}{n}")], durable=False)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        read = ids(log, SHARD_INPUT)
        assert sorted(read) == sorted(f"e{x}{n}" for x in "abcd" for n in range(25))
        for name in "abcd":
            assert [e for e in read if e[1] == name] == [f"e{name}{n}" for n in range(25)]

    # ------------------------------------------------------------------ stages

    def test_a_commit_is_outputs_and_offset_together(self, log):
        assert log.progress("desk", 0) == (0, None, 0, None, 0, 0)
        skips = [
            Skip(3, SkipKind.RAISED, control=True, at=START),
            Skip(4, SkipKind.UNDECODABLE, control=False, at=LATER),
        ]
        done(log, 0, 5, outputs=[in_shard(1, 1), in_shard(TO_ALL, 2)], skips=skips)
        assert ids(log, SHARD_INPUT, 1) == ["e1", "e2"]
        assert log.progress("desk", 0) == (5, "v1", 0, None, 2, 1)
        assert log.skips("desk", 0) == skips
        assert log.committed("shard", 0) == 0

    def test_a_commit_from_elsewhere_than_the_committed_offset_is_refused(self, log):
        done(log, 0, 5)
        for first in (0, 4, 6):
            with pytest.raises(CommitConflictError):
                done(log, first, 7, outputs=[in_shard(1, 1)])
        assert log.committed("desk", 0) == 5
        assert log.read(SHARD_INPUT, 1, 0, 9) == []

    def test_another_engine_begins_where_it_took_over(self, log):
        done(log, 0, 5, engine="v1")
        done(log, 5, 5, engine="v2")
        assert log.progress("desk", 0)[:3] == (5, "v2", 5)
        done(log, 5, 8, engine="v2")
        assert log.progress("desk", 0)[:3] == (8, "v2", 5)

    def test_why_a_stage_stands_still_is_kept_until_it_moves(self, log):
        done(log, 0, 0, stopped="three strikes")
        assert log.progress("desk", 0).stopped == "three strikes"
        done(log, 0, 1)
        assert log.progress("desk", 0).stopped is None

    def test_a_death_inside_a_transaction_leaves_nothing_of_it(self, tmp_path):
        dying = False

        def abort(point):
            if dying and point == "writing":
                raise Crash

        log = self.open(tmp_path, shards=4, abort=abort)
        log.append([at_desk(1)])
        log.attempt("desk", 0, 0, 1)
        dying = True
        skip = Skip(0, SkipKind.RAISED, control=False, at=START)
        writes = (
            lambda: log.append([at_desk(2)]),
            lambda: done(log, 0, 1, outputs=[in_shard(TO_ALL, 4)], skips=[skip]),
            lambda: log.save_snapshot("desk", 0, Snapshot(0, "v1", b"state")),
        )
        for write in writes:
            with pytest.raises(Crash):
                write()
        log.close()
        log = self.open(tmp_path)
        assert ids(log, DESK_INPUT) == ["e1"]
        assert log.read(SHARD_INPUT, 0, 0, 9) == []
        assert log.progress("desk", 0) == (0, None, 0, None, 0, 0)
        assert log.skips("desk", 0) == []
        assert log.last_attempt("desk", 0) == Attempt(0, 1, 1)
        assert list(log.snapshots("desk", 0)) == []
        log.close()

    def test_attempts_are_counted_on_disk_until_a_commit_moves_on(self, tmp_path):
        log = self.open(tmp_path, shards=4)
        assert log.last_attempt("desk", 0) is None
        assert [log.attempt("desk", 0, 0, 7), log.attempt("desk", 0, 0, 7)] == [0, 1]
        log.close()
        log = self.open(tmp_path)
        assert log.attempt("desk", 0, 0, 7) == 2
        assert log.last_attempt("desk", 0) == Attempt(0, 7, 3)
        assert log.attempt("shard", 0, 0, 7) == 0
        done(log, 0, 0)
        assert log.last_attempt("desk", 0) == Attempt(0, 7, 3)
        assert log.attempt("desk", 0, 0, 1) == 0
        assert log.attempt("desk", 0, 0, 1) == 1
        done(log, 0, 1)
        assert log.last_attempt("desk", 0) is None
        log.attempt("desk", 0, 1, 2)
        log.forget_attempt("desk", 0)
        assert log.attempt("desk", 0, 1, 2) == 0
        log.close()

    def test_the_two_newest_snapshots_are_kept(self, tmp_path):
        log = self.open(tmp_path, shards=4)
        for offset in (1, 2, 3):
            done(log, offset - 1, offset)
            log.save_snapshot("desk", 0, Snapshot(offset, "v1", b"state %d" % offset))
        log.save_snapshot("desk", 0, Snapshot(3, "v1", b"state 3 again"))
        log.close()
        log = self.open(tmp_path)
        assert list(log.snapshots("desk", 0)) == [
            Snapshot(3, "v1", b"state 3 again"),
            Snapshot(2, "v1", b"state 2"),
        ]
        assert list(log.snapshots("shard", 0)) == []
        log.close()

    def test_a_snapshot_stands_at_the_committed_offset_or_nowhere(self, log):
        done(log, 0, 5)
        for offset in (4, 6):
            with pytest.raises(CommitConflictError):
                log.save_snapshot("desk", 0, Snapshot(offset, "v1", b"state"))
        assert list(log.snapshots("desk", 0)) == []

    # ------------------------------------------------------------------ clock

    def test_a_log_on_wall_time_has_the_walls_clock(self, tmp_path):
        hand = Hand()
        log = self.open(tmp_path, shards=4, wall=hand)
        assert log.clock_spec == WALL
        log.append([tick(LATER)])
        assert log.last_tick_at() == LATER
        assert log.clock.now() == START
        hand.at = LATER
        assert log.clock.now() == LATER
        log.close()

    def test_a_scenario_stands_at_its_newest_tick_and_resumes_there(self, tmp_path):
        spec = scenario(START, speed=60)
        log = self.open(tmp_path, shards=4, clock=spec)
        assert log.clock.now() == START
        assert log.last_tick_at() is None
        log.append([tick(LATER), tick(LATER + timedelta(seconds=1))])
        log.append([tick(LATER)])
        newest = LATER + timedelta(seconds=1)
        assert log.clock.now() == newest
        log.append([at_desk(1)])
        assert everything(log, DESK_INPUT)[-1].appended_at == newest
        log.close()
        log = self.open(tmp_path)
        assert log.clock_spec == spec
        assert log.clock.now() == newest
        assert log.last_tick_at() == newest
        log.close()


class IntakeContract:
    """The conformance suite of ``streams.ports.IntakeLog``, beside that of every log."""

    def open(self, directory: Path, **settings: object) -> IntakeLog:
        """Open (and create) a log, as in ``EventLogContract``."""
        raise NotImplementedError

    @pytest.fixture
    def log(self, tmp_path):
        log = self.open(tmp_path, shards=4, wall=Hand())
        yield log
        log.close()

    def test_an_event_is_accepted_once_and_other_content_is_a_conflict(self, log):
        ana, changed = [at_desk(1)], [at_desk(1, "ben.1")]
        assert log.intake([ana, ana, [at_desk(2)]]) == [NEW, KNOWN, NEW]
        assert log.intake([ana, changed, changed, ana]) == [KNOWN, OTHER, KNOWN, KNOWN]
        assert [r.key for r in everything(log, DESK_INPUT)] == ["ana.1", "ana.1", "ben.1"]

    def test_sent_again_later_is_still_a_duplicate(self, log, tmp_path):
        assert log.intake([[at_desk(1)]]) == [NEW]
        log.close()
        log = self.open(tmp_path)
        again = msgspec.structs.replace(checked_in(1), received_at=LATER)
        assert log.intake([[NewRecord(DESK_INPUT, 0, "ana.1", again)]]) == [KNOWN]
        log.close()

    def test_one_event_may_become_several_records(self, log):
        arrival = [at_desk(1), in_shard(TO_ALL, 1)]
        assert log.intake([arrival, arrival]) == [NEW, KNOWN]
        assert ids(log, DESK_INPUT) == ["e1"]
        assert [ids(log, SHARD_INPUT, p) for p in range(4)] == [["e1"]] * 4

    @pytest.mark.parametrize("arrival", [[], [at_desk(1), at_desk(2)]], ids=["none", "two"])
    def test_an_arrival_is_exactly_one_event(self, log, arrival):
        with pytest.raises(InvalidRecordError):
            log.intake([[at_desk(3)], arrival])
        assert log.end(DESK_INPUT, 0) == 0
        assert log.known(["e3"]) == set()

    def test_known_are_those_that_intake_has_accepted(self, log):
        log.intake([[at_desk(1)], [at_desk(2)]])
        log.append([at_desk(3)])
        assert log.known(["e1", "e2", "e3", "e4"]) == {"e1", "e2"}

    @pytest.mark.parametrize(
        "bad",
        [
            NewRecord("gossip", 0, "ana.1", checked_in(2)),
            NewRecord(SHARD_INPUT, 4, "ana.1", checked_in(2)),
            NewRecord(DESK_INPUT, 0, "ana.1", WHISPER),
            large("too-large", MAX_RECORD_BYTES),
        ],
        ids=["topic", "shard", "no-message", "size"],
    )
    def test_a_bad_arrival_is_refused_and_nothing_of_the_call_is_taken_in(self, log, bad):
        with pytest.raises(InvalidRecordError):
            log.intake([[at_desk(1)], [bad]])
        assert log.read(DESK_INPUT, 0, 0, 9) == []
        assert log.known(["e1", "e2"]) == set()

    def test_a_death_inside_an_intake_leaves_nothing_of_it(self, tmp_path):
        def abort(point):
            if point == "writing":
                raise Crash

        log = self.open(tmp_path, shards=4, abort=abort)
        with pytest.raises(Crash):
            log.intake([[at_desk(3)]])
        log.close()
        log = self.open(tmp_path)
        assert log.known(["e3"]) == set()
        assert log.read(DESK_INPUT, 0, 0, 9) == []
        log.close()
