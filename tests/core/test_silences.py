"""Stories of silences: what is muted, by whom, until when, and what never is."""

import itertools
from typing import Any

import msgspec
import pytest

from schemas.alert import AlertRaised, SilenceChanged
from schemas.codelists import CheckInState, Status, Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from streams.core.room import Room
from streams.core.rules import RULES
from streams.core.silences import Silences
from streams.core.stage import ROOM_INPUT
from streams.merge import admit, route
from tests.support.engine import Engine, advice, at, command, quake, says, stays_in

KNOWN = "affected_threshold"
THRESHOLD = next(rule for rule in RULES if rule.name == KNOWN)


def silence(since: str, until: str, rule: str | None = KNOWN, **fields: Any) -> CommandIssued:
    return command(Verb.SILENCE, at(since), rule=rule, until=at(until), **fields)


def quaked(*commands: Event, count: int = 12, **fields: Any) -> Engine:
    """Return an engine told of people, then the commands, then a quake at 01:25."""
    engine = Engine().put(*(stays_in(f"p{n}.1", "gaziantep") for n in range(count)))
    engine.tick(at("01:00")).put(*commands).put(quake(7.8, at("01:25"), **fields))
    return engine.tick(at("01:30"))


def test_an_alert_raised_while_it_is_silenced_says_so_and_is_raised_once() -> None:
    engine = quaked(silence("01:10", "02:00"))
    (said,) = engine.said(SilenceChanged)
    (alert,) = engine.said(AlertRaised)
    assert alert.silence_id == said.silence_id
    assert engine.room.export("alerts")[0]["silence_id"] == said.silence_id
    engine.put(quake(7.9, at("02:10"))).tick(at("02:11"))
    assert engine.said(AlertRaised) == [alert], "what was raised in silence is not raised again"


def test_what_stands_says_who_why_and_until_when() -> None:
    order = silence("01:10", "02:00", situation_id="sit-1", reason="known, in hand")
    (said,) = quaked(order).said(SilenceChanged)
    assert (said.by, said.reason, said.rule, said.situation_id) == (
        "officer-1",
        "known, in hand",
        KNOWN,
        "sit-1",
    )
    assert (said.occurred_at, said.until, said.cause_ids) == (
        at("01:10"),
        at("02:00"),
        (order.event_id,),
    )


@pytest.mark.parametrize(
    ("since", "until", "muted"),
    [
        ("01:10", "01:30", False),
        ("01:10", "01:30:01", True),
        ("01:30", "01:40", True),
        ("01:30:01", "01:40", False),
    ],
)
def test_a_silence_is_in_force_from_its_beginning_until_just_before_its_end(
    since: str, until: str, muted: bool
) -> None:
    (alert,) = quaked(silence(since, until)).said(AlertRaised)
    assert (alert.silence_id is not None) == muted


def test_another_rule_another_situation_and_another_status_mute_nothing() -> None:
    others = (
        silence("01:10", "02:00", "advice_raised_with_people"),
        silence("01:11", "02:00", None, situation_id="sit-other"),
        silence("01:12", "02:00", status=Status.EXERCISE),
    )
    (alert,) = quaked(*others).said(AlertRaised)
    assert alert.silence_id is None


def test_a_silence_of_a_situation_mutes_every_rule_in_it() -> None:
    (loud,) = quaked().said(AlertRaised)
    order = silence("01:10", "02:00", None, situation_id=loud.situation_id)
    engine = quaked(order)
    assert engine.said(AlertRaised)[0].silence_id == engine.said(SilenceChanged)[0].silence_id


def test_an_exercise_is_silenced_in_the_exercise() -> None:
    engine = quaked(silence("01:10", "02:00", status=Status.EXERCISE), status=Status.EXERCISE)
    (alert,) = engine.said(AlertRaised)
    assert alert.silence_id is not None


def test_nobody_silences_a_call_for_help() -> None:
    (loud,) = quaked().said(AlertRaised)
    engine = quaked(silence("01:10", "09:00", None, situation_id=loud.situation_id))
    engine.put(says("p0.1", CheckInState.NEEDS_HELP, at("01:40")))
    (*_, help_alert) = engine.said(AlertRaised)
    assert (help_alert.rule, help_alert.silence_id) == ("help_requested", None)
    assert [rule.name for rule in RULES if not rule.silenceable] == ["help_requested"]
    with pytest.raises(ValueError, match="a call for help cannot be silenced"):
        silence("01:10", "02:00", "help_requested")


def test_the_situation_may_be_named_by_any_of_its_ids() -> None:
    # A second source's first report had opened a situation of its own, now merged.
    engine = quaked()
    (situation,) = engine.room.situations.values()
    merged = msgspec.structs.replace(situation, seq=situation.seq + 1, aliases=("sit-first",))
    fresh = Engine()
    fresh.room.apply([merged, silence("01:10", "02:00", situation_id="sit-first")])
    told: list[Event] = [t for of in engine.room.tallies.values() for t in of.values()]
    told += engine.room.reached.values()
    (alert,) = [
        out.event for out in fresh.room.apply(told).events if isinstance(out.event, AlertRaised)
    ]
    assert alert.silence_id is not None


def test_of_silences_under_two_ids_of_one_situation_the_latest_counts() -> None:
    silences = Silences()
    silences.take(silence("01:10", "03:00", situation_id="sit-old"))
    silences.take(silence("01:20", "01:20", situation_id="sit-new"))
    both = frozenset({"sit-old", "sit-new"})
    assert silences.in_force(THRESHOLD, both, Status.ACTUAL, at("01:15")) is not None
    assert silences.in_force(THRESHOLD, both, Status.ACTUAL, at("01:30")) is None
    old = silences.in_force(THRESHOLD, frozenset({"sit-old"}), Status.ACTUAL, at("01:30"))
    assert old is not None


def test_of_several_that_mute_the_most_precise_is_named() -> None:
    orders = [
        silence("01:10", "03:00", None, situation_id="s"),
        silence("01:11", "03:00"),
        silence("01:12", "03:00", situation_id="s"),
    ]
    named = []
    silences = Silences()
    for order in orders:
        said = silences.take(order)
        found = silences.in_force(THRESHOLD, frozenset({"s"}), Status.ACTUAL, at("02:00"))
        named.append(found == said)
    assert named == [True, True, True]


def test_the_latest_order_stands_whatever_came_first() -> None:
    orders = [
        silence("01:10", "02:00"),
        silence("01:20", "01:21"),
        silence("01:20", "04:00", event_id="zz"),
        silence("01:05", "09:00"),
    ]
    for order in itertools.permutations(orders):
        room = Room(1)
        said = [out.event for out in room.apply(order).events]
        assert room.silences.kept()[0].until == at("04:00")
        (last,) = [s for s in said if isinstance(s, SilenceChanged)][-1:]
        assert last == room.silences.kept()[0]
        assert room.apply(order).events == []


def test_one_that_ends_when_it_begins_lifts_what_was_there() -> None:
    engine = quaked(silence("01:10", "09:00"), silence("01:20", "01:20"))
    first, second = engine.said(SilenceChanged)
    assert (first.silence_id, second.until) == (second.silence_id, at("01:20"))
    assert engine.said(AlertRaised)[0].silence_id is None


def test_one_that_lifts_by_a_clock_that_is_ahead_still_lifts() -> None:
    early = silence("01:20", "01:20", received_at=at("01:00"))
    admitted = admit(early)
    assert isinstance(admitted, CommandIssued)
    assert (admitted.occurred_at, admitted.until) == (at("01:00"), at("01:00"))
    longer = admit(silence("01:20", "02:20", received_at=at("01:00")))
    assert isinstance(longer, CommandIssued)
    assert (longer.occurred_at, longer.until) == (at("01:00"), at("02:20"))


def test_an_unknown_rule_and_an_end_before_the_beginning_are_refused_in_words() -> None:
    engine = quaked(silence("01:10", "02:00", "affected"), silence("01:11", "01:10"))
    assert engine.rejects == [
        (
            "there is no rule affected to silence; there are affected_threshold,"
            " advice_raised_with_people"
        ),
        (
            "a silence ends after it begins: until 2023-02-06T01:10:00+00:00 is not after"
            " 2023-02-06T01:11:00+00:00; the same instant lifts it"
        ),
    ]
    assert engine.said(SilenceChanged) == []


def test_advice_is_silenced_by_its_rule() -> None:
    engine = Engine().put(stays_in("ana.1", "doha")).tick(at("01:00"))
    engine.put(advice("QA", 1, at("01:10"))).tick(at("01:15"))
    engine.put(silence("01:16", "03:00", "advice_raised_with_people"))
    engine.put(advice("QA", 4, at("01:20"))).tick(at("01:25"))
    (alert,) = engine.said(AlertRaised)
    assert alert.silence_id is not None


def test_silences_survive_a_restart() -> None:
    room = Room(1)
    room.apply([silence("01:10", "02:00"), silence("01:11", "02:00", None, situation_id="s")])
    twin = Room.restore(room.snapshot())
    assert twin.snapshot() == room.snapshot()
    assert twin.silences.kept() == room.silences.kept()
    assert len(twin.silences.kept()) == 2


def test_a_silence_goes_to_the_room_by_what_it_mutes() -> None:
    assert route(silence("01:10", "02:00", situation_id="s"), 4) == [
        (ROOM_INPUT, 0, "affected_threshold/s")
    ]
    assert route(silence("01:10", "02:00", None, situation_id="s"), 4) == [(ROOM_INPUT, 0, "/s")]
