"""The dispatcher on a real log and a real delivery log; time is injected."""

import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOG_FILE
from streams.channels.base import Delivered, Recipient, Refused, Retry
from streams.channels.decide import Policy
from streams.channels.dispatcher import Clocks, Dispatcher
from streams.clock import scenario
from streams.core.stage import ROOM_OUTPUT
from streams.delivery import State
from streams.errors import (
    CommitConflictError,
    DeliveriesFailedError,
    DispatcherRunningError,
)
from streams.ports import NewRecord
from streams.serving.deliveries import (
    DELIVERIES_FILE,
    attempts,
    by_alert,
    counts,
    oldest_pending,
    open_to_read,
    reading_deliveries,
    rows,
    uncertain_count,
)
from streams.serving.delivery_log import SqlDeliveryLog
from tests.channels.builders import ABOUT, AT, WALL, Inline, alert, sent_from


class Died(BaseException):
    """The process ends here."""


class Room:
    """A log with alerts, and dispatchers on it that come and go."""

    def __init__(self, folder):
        self.folder = folder
        self.now, self.wall = AT, WALL
        self.answers: dict[str, list[object]] = {}
        self.got: list[tuple[str, str]] = []
        self.messages = []
        self.there: set[str] = set()
        self.said: list[str] = []
        with closing(SqliteLog.open(folder, shards=2, clock=scenario(AT))):
            pass

    def raised(self, *alerts):
        with closing(SqliteLog.open(self.folder)) as log:
            log.append([NewRecord(ROOM_OUTPUT, 0, one.alert_id, one) for one in alerts])

    def recipient(self, name, *, lookup=False):
        def send(message):
            answer = self.answers.get(name, [])
            outcome = answer.pop(0) if answer else Delivered()
            if isinstance(outcome, Delivered) or getattr(outcome, "doubt", False):
                self.got.append((name, message.alert.alert_id))
                self.messages.append(message)
                self.there.add(message.key)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        found = (lambda message: message.key in self.there) if lookup else None
        return Recipient("test", name, outward=True, exercise=False, send=send, lookup=found)

    def run(self, *recipients, steps=9, abort=None, policy=None):
        """Run a dispatcher for some steps; it may die."""
        with (
            closing(SqliteLog.open_read_only(self.folder)) as log,
            closing(SqlDeliveryLog.open(self.folder)) as deliveries,
        ):
            try:
                dispatcher = Dispatcher(
                    log,
                    deliveries,
                    recipients,
                    policy=policy or Policy(3600, replay=False),
                    workers=Inline(),
                    clocks=Clocks(lambda: self.now, lambda: self.wall),
                    about=lambda _: ABOUT,
                    say=self.said.append,
                    abort=abort or (lambda _: None),
                )
                for _ in range(steps):
                    dispatcher.step()
            except Died:
                return

    def states(self):
        with sent_from(self.folder) as engine:
            return {
                (one.recipient, alert_id): one
                for alert_id, found in by_alert(engine).items()
                for one in found
            }


def dies_at(point, times=1):
    left = [times]

    def abort(at):
        if at == point:
            left[0] -= 1
            if not left[0]:
                raise Died

    return abort


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_every_recipient_gets_every_alert_once_and_in_order(room):
    room.raised(alert("1"), alert("2"))
    first, second = room.recipient("a"), room.recipient("b")
    room.run(first, second)
    room.run(first, second)
    assert sorted(room.got) == [
        ("a", "alert-1"), ("a", "alert-2"), ("b", "alert-1"), ("b", "alert-2"),
    ]  # fmt: skip
    assert [name for to, name in room.got if to == "a"] == ["alert-1", "alert-2"]
    with sent_from(room.folder) as engine:
        assert counts(engine) == {("test", state.value): 4 * (state is State.DELIVERED)
                                  for state in State}  # fmt: skip
        assert oldest_pending(engine) is None
        assert uncertain_count(engine) == 0


def test_the_same_alert_twice_in_the_log_is_one_delivery(room):
    room.raised(alert("1"), alert("2"), alert("1"))
    to = room.recipient("a")
    room.run(to)
    room.raised(alert("1"))
    room.run(to)
    assert room.got == [("a", "alert-1"), ("a", "alert-2")]


def test_an_alert_raised_while_it_runs_is_seen(room):
    to = room.recipient("a")
    room.run(to, steps=1)
    room.raised(alert("1"))
    room.run(to, steps=1)
    assert room.got == [("a", "alert-1")]


def test_a_failure_is_tried_again_at_its_time_and_the_log_tells_it(room):
    room.raised(alert("1"))
    room.answers["a"] = [Retry("HTTP 503", 30.0), Retry("HTTP 500")]
    to = room.recipient("a")
    room.run(to)
    waits = room.states()["a", "alert-1"]
    assert (waits.state, waits.attempts, waits.last_error) == ("pending", 1, "HTTP 503")
    assert waits.next_attempt_wall_at == WALL + timedelta(seconds=30)
    with sent_from(room.folder) as engine:
        assert oldest_pending(engine) == AT
    room.wall += timedelta(seconds=29)
    room.run(to)
    assert room.states()["a", "alert-1"].attempts == 1
    room.wall += timedelta(seconds=1)
    room.run(to)
    room.wall += timedelta(seconds=2)
    room.now += timedelta(minutes=5)
    room.run(to)
    sent = room.states()["a", "alert-1"]
    assert (sent.state, sent.attempts, sent.delivered_at) == ("delivered", 3, room.now)
    assert room.messages[0].late_s == 300
    with sent_from(room.folder) as engine:
        query = select(attempts.c.number, attempts.c.outcome, attempts.c.detail).order_by(
            attempts.c.number
        )
        with engine.connect() as connection:
            noted = connection.execute(query.where(attempts.c.delivery_id == sent.delivery_id))
            tried = [tuple(one) for one in noted]
        assert tried == [
            (1, "retry", "HTTP 503"), (2, "retry", "HTTP 500"), (3, "delivered", "delivered"),
        ]  # fmt: skip


def test_a_bug_in_a_channel_silences_nobody_and_tells_nothing(room):
    room.raised(alert("1"))
    room.answers["a"] = [RuntimeError("https://x/?token=s3cr3t")]
    room.run(room.recipient("a"), room.recipient("b"))
    assert room.got == [("b", "alert-1")]
    assert room.states()["a", "alert-1"].last_error == "the channel has a bug: RuntimeError"
    assert "s3cr3t" not in "".join(room.said)


def test_past_its_use_by_nothing_is_sent(room):
    room.raised(alert("1"))
    room.answers["a"] = [Retry("HTTP 503")]
    to = room.recipient("a")
    room.run(to)
    room.now += timedelta(hours=1, seconds=1)
    room.wall += timedelta(hours=1)
    room.run(to)
    late = room.states()["a", "alert-1"]
    assert (late.state, late.reason, late.attempts) == ("expired", "past its use-by", 1)
    assert room.got == []


def test_a_replay_and_a_silence_are_recorded_and_not_sent(room):
    room.raised(alert("1"), alert("2", silence_id="sil-1"))
    room.run(room.recipient("a"), policy=Policy(3600, replay=True))
    found = {name: (one.state, one.reason) for (_, name), one in room.states().items()}
    assert found == {"alert-1": ("withheld", "replay"), "alert-2": ("silenced", "silence sil-1")}
    assert room.got == []


def test_a_correction_follows_its_original_and_refers_to_it(room):
    room.raised(alert("1"))
    room.run(room.recipient("a"))
    room.raised(alert("1c", intent="correction", cause_id="sit-1"))
    room.run(room.recipient("a"))
    assert room.got == [("a", "alert-1"), ("a", "alert-1c")]
    original, correction = room.messages
    assert (correction.corrects, correction.corrects_sent_at) == (original.key, AT)


def test_corrected_before_it_was_sent_both_are_dropped(room):
    room.raised(alert("1"))
    room.answers["a"] = [Retry("HTTP 503")]
    to = room.recipient("a")
    room.run(to)
    room.raised(alert("1c", intent="correction", cause_id="sit-1"))
    room.run(to)
    room.wall += timedelta(hours=1)
    room.run(to)
    assert {(one.state, one.reason) for one in room.states().values()} == {
        ("withheld", "corrected before it was sent")
    }
    assert room.got == []


def test_the_correction_of_what_was_refused_is_dropped(room):
    room.raised(alert("1"))
    room.answers["a"] = [Refused("HTTP 400")]
    room.run(room.recipient("a"))
    room.raised(alert("1c", intent="correction", cause_id="sit-1"))
    room.run(room.recipient("a"))
    dropped = room.states()["a", "alert-1c"]
    assert (dropped.state, dropped.reason) == ("withheld", "the original was never sent: refused")


def test_a_recipient_that_is_taken_out_of_the_settings_keeps_what_waits(room):
    room.raised(alert("1"))
    room.answers["a"] = [Retry("HTTP 503")]
    room.run(room.recipient("a"))
    room.run(room.recipient("b"))
    assert room.states()["a", "alert-1"].state == "pending"
    room.wall += timedelta(seconds=1)
    room.run(room.recipient("a"))
    assert room.got == [("a", "alert-1")]


POINTS = {
    # where it dies: effects, attempts and uncertainty after the next run, without a look-up
    "taken": (1, 1, False),
    "begun": (1, 2, True),
    "sent": (2, 2, True),
    "ended": (1, 1, False),
}


@pytest.mark.parametrize("point", POINTS)
def test_death_at_any_point_forgets_nothing_and_repeats_only_what_is_in_doubt(room, point):
    room.raised(alert("1"))
    to = room.recipient("a")
    room.run(to, abort=dies_at(point))
    room.run(to)
    one = room.states()["a", "alert-1"]
    assert one.state == "delivered"
    assert (len(room.got), one.attempts, one.uncertain) == POINTS[point]
    assert len({message.key for message in room.messages}) == 1
    assert len({(m.sent_at, m.about) for m in room.messages}) == 1


@pytest.mark.parametrize("point", POINTS)
def test_with_a_look_up_nothing_is_repeated_nor_uncertain(room, point):
    room.raised(alert("1"))
    to = room.recipient("a", lookup=True)
    room.run(to, abort=dies_at(point))
    room.now += timedelta(minutes=10)
    room.run(to)
    one = room.states()["a", "alert-1"]
    assert (one.state, one.uncertain, len(room.got)) == ("delivered", False, 1)


ANSWERS = [Delivered(), Refused("no"), Retry("x"), Retry("x", 9.0), Retry("x", doubt=True)]


@given(
    answers=st.lists(st.sampled_from(ANSWERS), max_size=8),
    deaths=st.lists(st.tuples(st.sampled_from(sorted(POINTS)), st.integers(1, 4)), max_size=4),
    pauses_s=st.lists(st.integers(0, 400), min_size=4, max_size=4),
    lookup=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_no_interleaving_loses_or_doubles_a_delivery(
    tmp_path_factory, answers, deaths, pauses_s, lookup
):
    room = Room(tmp_path_factory.mktemp("room"))
    room.raised(alert("1"), alert("2"), alert("3"))
    to = room.recipient("a", lookup=lookup)
    room.answers["a"] = list(answers)
    for death, pause_s in zip([*deaths, *[None] * 4], [*pauses_s, *[400] * 4], strict=False):
        room.run(to, abort=None if death is None else dies_at(*death), steps=6)
        room.wall += timedelta(seconds=pause_s)
    for _ in range(9):
        room.run(to)
        room.wall += timedelta(seconds=400)
    found = room.states()
    assert len(found) == 3
    for (_, name), one in found.items():
        effects = [message for message in room.messages if message.alert.alert_id == name]
        assert one.state in {"delivered", "refused"}
        assert (one.state == "delivered") <= bool(effects)
        assert len(effects) <= 1 or one.uncertain, "a repeat that nobody has marked"
        assert {message.key for message in effects} <= {one.delivery_id}


def test_the_file_is_for_its_owner_and_the_same_rows_come_out(room):
    room.raised(alert("2"), alert("1"))
    room.run(room.recipient("a"))
    path = room.folder / DELIVERIES_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    engine = open_to_read(path)
    found = rows(engine)
    assert [one["delivery_id"] for one in found] == sorted(one["delivery_id"] for one in found)
    assert found[0].keys().isdisjoint({"body", "about", "seq", "doubt"})
    assert rows(engine, "sit-1") == [one for one in found if one["situation_id"] == "sit-1"]
    engine.dispose()


def test_one_dispatcher_at_a_time_and_one_place(room):
    with closing(SqlDeliveryLog.open(room.folder)) as first:
        with pytest.raises(DispatcherRunningError, match=r"in the hands of process \d+"):
            SqlDeliveryLog.open(room.folder)
        first.take(ROOM_OUTPUT, 0, 5, [])
        with pytest.raises(CommitConflictError, match="are not at offset 0"):
            first.take(ROOM_OUTPUT, 0, 6, [])
        assert first.place(ROOM_OUTPUT) == 5
    with closing(SqlDeliveryLog.open(room.folder)):
        pass


def test_deliveries_of_another_log_are_refused(room):
    with closing(SqlDeliveryLog.open(room.folder)) as deliveries:
        deliveries.take(ROOM_OUTPUT, 0, 5, [])
    with pytest.raises(DeliveriesFailedError, match="it is another log"):
        room.run(room.recipient("a"))


def test_no_dispatcher_has_ever_run_here_is_a_state_of_its_own(tmp_path):
    with reading_deliveries(tmp_path / DELIVERIES_FILE) as engine:
        assert engine is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / DELIVERIES_FILE).write_bytes(b"no database" * 99)
    with pytest.raises(DeliveriesFailedError, match="not a database"):
        open_to_read(tmp_path / DELIVERIES_FILE)


def test_an_alert_is_on_disk_before_anybody_is_told(room, monkeypatch):
    steps = []
    fsync = os.fsync

    def noted(number):
        steps.append(Path(f"/proc/self/fd/{number}").readlink().name)
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    room.raised(alert("1"))
    room.run(room.recipient("a"), abort=steps.append, steps=2)
    assert steps[-5:] == [LOG_FILE, "taken", "begun", "sent", "ended"]
