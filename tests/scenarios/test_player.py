"""A scenario is read whole or refused, and played the same way every time."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.codelists import Status
from schemas.operations import Tick
from schemas.person import CheckedIn, RegistrationFiled
from streams.errors import BadInputError
from streams.player import load_scenario, plan

HEAD = """
title = "A drill of an hour"
start = 2024-05-01T10:00:00Z
end = 2024-05-01T11:00:00Z
status = "Actual"
"""
TWO = """
[[entry]]
at = 2024-05-01T10:05:00Z
type = "CheckedIn"
file = "first.ndjson"

[[entry]]
at = 2024-05-01T12:20:30+02:00
feed = "ndjson"
file = "second.ndjson"
"""
LINE = (
    '{"type":"CheckedIn","event_id":"%s","source":"app","occurred_at":"2024-05-01T10:04:00Z",'
    '"person_id":"h1.1","state":"safe"}\n'
)


def at(clock):
    return datetime.fromisoformat(f"2024-05-01T{clock}+00:00").astimezone(UTC)


@pytest.fixture
def folder(tmp_path):
    """A scenario of two entries; the second holds a line that is no event."""
    (tmp_path / "scenario.toml").write_text(HEAD + TWO)
    (tmp_path / "first.ndjson").write_text(LINE % "a")
    (tmp_path / "second.ndjson").write_text(LINE % "b" + "poison\n" + LINE % "c")
    return tmp_path


def shape(steps):
    return [(step.at.strftime("%H:%M:%S"), step.what, len(step.events)) for step in steps]


def test_entries_come_at_their_time_with_a_tick_behind_and_others_in_between(folder):
    steps = list(plan(load_scenario(folder)))
    assert shape(steps) == [
        ("10:00:00", "tick", 1),
        ("10:05:00", "first.ndjson", 1),
        ("10:05:00", "tick", 1),
        ("10:10:00", "tick", 1),
        ("10:20:00", "tick", 1),
        ("10:20:30", "second.ndjson", 2),
        ("10:20:30", "tick", 1),
        ("10:30:00", "tick", 1),
        ("10:40:00", "tick", 1),
        ("10:50:00", "tick", 1),
        ("11:00:00", "tick", 1),
    ]
    assert [refusal.item for step in steps for refusal in step.refused] == ["line 2"]
    said = steps[1].events[0]
    assert isinstance(said, CheckedIn)
    assert (said.occurred_at, said.received_at) == (at("10:04:00"), at("10:05:00"))
    assert steps[2].events == (
        Tick(
            event_id="tick:2024-05-01T10:05:00Z",
            source="scenario",
            occurred_at=at("10:05:00"),
            received_at=at("10:05:00"),
            at=at("10:05:00"),
        ),
    )


def test_a_replay_goes_on_after_the_last_tick_and_gives_again_what_may_be_lost(folder):
    scenario = load_scenario(folder)
    whole = list(plan(scenario))
    for last in (step.at for step in whole if step.what == "tick"):
        rest = [step for step in whole if step.at > last]
        assert list(plan(scenario, last)) == rest
    assert list(plan(scenario, scenario.end)) == []


def test_a_jump_over_ten_minutes_is_marked(folder):
    ticks = [
        step.events[0]
        for step in plan(load_scenario(folder), tick_every=timedelta(minutes=30))
        if step.what == "tick"
    ]
    assert [
        (tick.at.strftime("%H:%M:%S"), tick.resume) for tick in ticks if isinstance(tick, Tick)
    ] == [
        ("10:00:00", False),
        ("10:05:00", False),
        ("10:20:30", True),
        ("10:30:00", False),
        ("11:00:00", True),
    ]


def test_the_register_comes_first_in_batches_and_not_again(folder):
    (folder / "scenario.toml").write_text(
        HEAD + "[population]\nseed = 1\npeople = 1200\naround = 2024-05-01\n" + TWO
    )
    scenario = load_scenario(folder)
    register = [step for step in plan(scenario) if step.what == "register"]
    assert [step.at for step in register] == [scenario.start, scenario.start]
    people = {
        event.person_id
        for step in register
        for event in step.events
        if isinstance(event, RegistrationFiled)
    }
    assert len(people) == 1200
    assert max(len(step.events) for step in register) == 1000
    assert "register" not in {step.what for step in plan(scenario, scenario.start)}


def test_everything_of_a_drill_is_exercise(folder):
    path = folder / "scenario.toml"
    path.write_text(path.read_text().replace("Actual", "Exercise"))
    said = [step for step in plan(load_scenario(folder)) if step.what != "tick"]
    assert {event.status for step in said for event in step.events} == {Status.EXERCISE}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.replace("title", "titel"), "unknown field `titel`"),
        (lambda t: t.replace("type =", "typo ="), r"unknown field `typo`.*entry"),
        (lambda t: t.replace("first.nd", "none.nd"), "entry 1 .none.ndjson.: cannot be read"),
        (lambda t: t.replace("first.nd", "../x.nd"), "entry 1 .* outside of the scenario's"),
        (lambda t: t.replace('feed = "ndjson"', 'feed = "bbc"'), "no feed 'bbc'; there are usgs"),
        (lambda t: t.replace('feed = "ndjson"', ""), "entry 2 .*: exactly one of feed and type"),
        (lambda t: t.replace("T10:05:00Z", "T10:25:00Z"), "entry 2 .* out of order"),
        (lambda t: t.replace("T10:05:00Z", "T09:59:00Z"), "entry 1 .* is before 2024-05-01T10:00"),
        (lambda t: t.replace("T10:05:00Z", "T11:05:00Z"), "entry 1 .* is after the end"),
        (lambda t: t.replace("T10:05:00Z", "T10:05:00"), "entry 1 .* has no time zone"),
        (lambda t: t.replace("T10:05:00Z", "T10:05:00.5Z"), "entry 1 .* is not a whole second"),
        (lambda t: t.replace("T11:00:00Z", "T10:00:00Z"), "end .* is not after start"),
        (lambda t: t.replace("CheckedIn", "AdvisoryIssued"), "a is CheckedIn, not AdvisoryIssued"),
        (lambda t: t.replace('feed = "ndjson"', 'type = "CheckedIn"'), "line 2: "),
        (lambda t: t.replace("Actual", "Test"), "Invalid enum value 'Test'"),
        (lambda _: "title = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(folder, change, complaint):
    path = folder / "scenario.toml"
    path.write_text(change(path.read_text()))
    with pytest.raises(BadInputError, match=complaint) as error:
        load_scenario(folder)
    assert str(error.value).startswith(f"{folder.name}/scenario.toml: ")
    assert "README" in error.value.hint


def test_a_folder_without_a_scenario_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="No such file"):
        load_scenario(tmp_path)
