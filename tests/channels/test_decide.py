"""The decisions of the dispatcher, as values."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codelists import Status
from streams.channels import decide
from streams.channels.base import Delivered, Recipient, Refused, Retry
from streams.delivery import About, State
from tests.channels.builders import AT, WALL, alert, exercise, message

POLICY = decide.Policy(use_by_s=3600, replay=False)
REPLAY = POLICY._replace(replay=True)


def recipient(name="duty", *, outward=True, exercise=False, **more):
    return Recipient("webhook", name, outward, exercise, send=lambda _: Delivered(), **more)


def made(said=None, to=None, policy=POLICY, now=AT, seq=0) -> Any:
    return decide.made(said or alert(), seq, to or recipient(), policy, now)


def begun(delivery, now=AT):
    return decide.begun(delivery, About("now"), now)


@pytest.mark.parametrize(
    ("said", "to", "policy", "state", "reason"),
    [
        (alert(), recipient(), POLICY, State.PENDING, None),
        (alert(silence_id="sil-1"), recipient(), POLICY, State.SILENCED, "silence sil-1"),
        (exercise(), recipient(), POLICY, State.WITHHELD, "exercise"),
        (alert(status=Status.TEST), recipient(), POLICY, State.WITHHELD, "test"),
        (exercise(), recipient(exercise=True), POLICY, State.PENDING, None),
        (alert(), recipient(), REPLAY, State.WITHHELD, "replay"),
        (exercise(), recipient(exercise=True), REPLAY, State.WITHHELD, "replay"),
        (alert(), recipient(outward=False), REPLAY, State.PENDING, None),
        (alert(raised_at=AT - timedelta(hours=1)), recipient(), POLICY, State.PENDING, None),
        (alert(raised_at=AT - timedelta(hours=1, seconds=1)), recipient(), POLICY,
         State.EXPIRED, "past its use-by"),
    ],
)  # fmt: skip
def test_what_is_made_of_an_alert(said, to, policy, state, reason):
    delivery = made(said, to, policy)
    assert (delivery.state, delivery.reason) == (state, reason)
    assert delivery.use_by_at == said.raised_at + timedelta(hours=1)


def test_only_the_audience_gets_an_alert():
    assert made(to=recipient(audiences=("post",))) is None
    assert made(to=recipient(audiences=("post", "duty_officer"))).state is State.PENDING


def test_the_key_is_that_of_alert_channel_recipient_and_intent():
    same, again = made(), made(alert(title="other"), policy=REPLAY, seq=9)
    assert same.delivery_id == again.delivery_id
    others = {made(alert("2")).delivery_id, made(to=recipient("second")).delivery_id,
              made(alert(intent="correction")).delivery_id}  # fmt: skip
    assert len(others | {same.delivery_id}) == 4


@pytest.mark.parametrize(
    ("attempts", "outcome", "pause_s"),
    [
        (1, Retry("x"), 1.0),
        (2, Retry("x"), 2.0),
        (5, Retry("x"), 16.0),
        (10, Retry("x"), 300.0),
        (99, Retry("x"), 300.0),
        (1, Retry("x", after_s=17.0), 17.0),
        (10, Retry("x", after_s=17.0), 300.0),
        (10, Retry("x", after_s=3600.0), 3600.0),
    ],
)
def test_pauses_double_up_to_five_minutes_unless_more_is_asked_for(attempts, outcome, pause_s):
    assert decide.pause_s(attempts, outcome) == pause_s
    failed = decide.decide(made()._replace(attempts=attempts), outcome, AT, WALL)
    assert failed.next_attempt_wall_at == WALL + timedelta(seconds=pause_s)
    assert (failed.state, failed.last_error) == (State.PENDING, "x")


def test_a_delivered_one_is_certain_only_if_no_attempt_before_was_in_doubt():
    once = decide.decide(begun(made()), Delivered(), AT, WALL)
    assert (once.state, once.uncertain, once.delivered_at) == (State.DELIVERED, False, AT)
    doubtful = decide.decide(begun(made()), Retry("no answer", doubt=True), AT, WALL)
    assert (doubtful.doubt, doubtful.uncertain) == (True, False)
    twice = decide.decide(begun(doubtful), Delivered(), AT, WALL)
    assert (twice.state, twice.uncertain, twice.doubt) == (State.DELIVERED, True, False)


def test_a_repeat_in_doubt_says_the_same_and_a_retry_says_how_late_it_is():
    later = AT + timedelta(minutes=30)
    first = begun(made())
    doubtful = decide.decide(first, Retry("no answer", doubt=True), AT, WALL)
    repeat = decide.begun(doubtful, About("other"), later)
    assert (repeat.sent_at, repeat.about) == (first.sent_at, first.about)
    assert decide.message_of(repeat, None).late_s == 0
    known = decide.decide(first, Retry("HTTP 503"), AT, WALL)
    retry = decide.begun(known, About("other"), later)
    assert (retry.sent_at, retry.about) == (later, About("other"))
    assert decide.message_of(retry, None).late_s == 1800


def test_lateness_is_that_of_the_alert_and_of_the_sending():
    late = begun(made(alert(late_s=100)), AT + timedelta(seconds=20))
    assert decide.message_of(late, None).late_s == 120
    assert decide.message_of(begun(made(), AT + timedelta(seconds=59)), None).late_s == 0
    early = begun(made(), AT - timedelta(seconds=5))
    assert decide.message_of(early, None) == message(
        key=early.delivery_id, about=About("now"), use_by_at=AT + timedelta(hours=1)
    )


def test_past_its_use_by_it_expires_and_what_is_in_doubt_stays_uncertain():
    after = AT + timedelta(hours=1, seconds=1)
    assert decide.expired(made(), AT + timedelta(hours=1)) is None
    plain: Any = decide.expired(begun(made()), after)
    assert (plain.state, plain.uncertain) == (State.EXPIRED, False)
    doubtful = decide.decide(begun(made()), Retry("x", doubt=True), after, WALL)
    assert (doubtful.state, doubtful.uncertain) == (State.EXPIRED, True)
    assert decide.expired(decide.decide(begun(made()), Delivered(), AT, WALL), after) is None


def test_after_a_crash_the_look_up_decides():
    there = decide.in_doubt(begun(made()), arrived=True, now=AT)
    assert (there.state, there.uncertain) == (State.DELIVERED, False)
    gone = decide.in_doubt(begun(made()), arrived=False, now=AT)
    assert (gone.state, gone.doubt, begun(gone).uncertain) == (State.PENDING, False, False)
    unknown = decide.in_doubt(begun(made()), arrived=None, now=AT)
    assert (unknown.state, unknown.doubt, begun(unknown).uncertain) == (State.PENDING, True, True)


def waiting(name, attempts, pause_s, **more):
    delivery = made(alert(name, **more))
    return delivery._replace(
        attempts=attempts, next_attempt_wall_at=WALL + timedelta(seconds=pause_s)
    )


def test_order_is_kept_until_one_has_failed_too_often():
    second = made(alert("2"))
    assert decide.chosen([], WALL) is None
    assert decide.chosen([waiting("1", 1, 0), second], WALL) == waiting("1", 1, 0)
    assert decide.chosen([waiting("1", 2, 5), second], WALL) is None
    assert decide.chosen([waiting("1", 3, 5), second], WALL) == second
    assert decide.chosen([waiting("1", 3, 5), waiting("2", 1, 5)], WALL) is None


def test_a_correction_never_overtakes_what_it_corrects():
    original = waiting("1", 9, 5)
    correction = made(alert("9", intent="correction", cause_id="sit-1"))
    other = made(alert("2"))
    assert decide.chosen([original, correction], WALL) is None
    assert decide.chosen([original, correction, other], WALL) == other


def test_a_correction_goes_to_whoever_got_or_may_have_got_the_original():
    got = decide.decide(begun(made()), Delivered(), AT, WALL)
    refused = decide.decide(begun(made()), Refused("HTTP 400"), AT, WALL)
    doubtful = decide.decide(begun(made()), Retry("x", doubt=True), AT, WALL)
    assert decide.never_sent(got) is None
    assert decide.never_sent(doubtful) is None
    assert decide.never_sent(begun(doubtful)) is None
    assert decide.never_sent(None) == "the original was never sent"
    assert decide.never_sent(made()) == "corrected before it was sent"
    assert decide.never_sent(refused) == "the original was never sent: refused"
    silenced = made(alert(silence_id="sil-1"))
    assert decide.never_sent(silenced) == "the original was never sent: silenced"


outcomes = st.lists(
    st.one_of(
        st.sampled_from(
            [Delivered(), Refused("no"), Retry("x"), Retry("x", 5.0), Retry("x", doubt=True)]
        ),
        st.sampled_from([True, False, None]),  # died in the attempt; what the look-up says
    ),
    max_size=12,
)


@given(outcomes=outcomes, step_s=st.integers(0, 1200))
def test_any_sequence_of_outcomes_leaves_one_final_state_or_waits(outcomes, step_s):
    delivery, now, ends = made(), AT, 0
    for outcome in outcomes:
        now += timedelta(seconds=step_s)
        if delivery.state is State.PENDING:
            delivery = decide.expired(delivery, now) or delivery
        if delivery.state is not State.PENDING:
            break
        before = begun(delivery, now)
        assert before.attempts == delivery.attempts + 1
        if outcome is None or isinstance(outcome, bool):
            delivery = decide.in_doubt(before, arrived=outcome, now=now)
        else:
            delivery = decide.decide(before, outcome, now, WALL)
        assert before.uncertain <= delivery.uncertain
        ends += delivery.state is not State.PENDING
        assert delivery.delivery_id == before.delivery_id
        assert (delivery.delivered_at is not None) == (delivery.state is State.DELIVERED)
    assert ends <= 1
    if delivery.state is State.PENDING:
        assert now <= delivery.use_by_at
