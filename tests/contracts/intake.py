"""What every log that takes in events from outside must do, beside ``EventLogContract``."""

from pathlib import Path

import msgspec
import pytest

from streams.core.stage import DESK_INPUT, SHARD_INPUT, TO_ALL
from streams.errors import InvalidRecordError
from streams.ports import MAX_RECORD_BYTES, IntakeLog, NewRecord, Receipt
from tests.contracts.event_log import LATER, WHISPER, everything, ids, in_shard, large
from tests.support.toy import Crash, Hand, at_desk, checked_in

NEW, KNOWN, OTHER = Receipt.ACCEPTED, Receipt.DUPLICATE, Receipt.CONFLICT


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
