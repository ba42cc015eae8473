"""The ledger's table, cell by cell, and stories along event time."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.codelists import Bucket, CheckInState, ContactChannel, ContactOutcome, StatementBy
from streams.core.ledger import TRANSITIONS, U, fold
from streams.core.people import Statement
from streams.core.thresholds import Thresholds
from tests.support.engine import ONSET, Engine, at, contact, override, quake, says, stays_in

SEMANTICS = Path(__file__).parents[2] / "docs" / "semantics.md"
COLUMNS = {
    "unaccounted": ("unaccounted", "nobody"),
    "needs_help": ("needs_help", "person"),
    "safe": ("safe", "person"),
    "safe3": ("safe", "third_party"),
    "unreachable": ("unreachable", "contact"),
    "left_area": ("left_area", "person"),
    "never_there": ("never_there", "person"),
    "declines": ("declines_to_leave", "person"),
    "evacuated": ("evacuated", "contact"),
    "deceased": ("deceased", "officer"),
}
INPUTS = {
    "a later onset": ["onset"],
    "check-in safe; contact reached_safe": ["safe", "reached_safe"],
    "check-in needs_help; contact reached_needs_help": ["needs_help", "reached_needs_help"],
    "check-in left_area": ["left_area"],
    "check-in never_there": ["never_there"],
    "check-in declines_to_leave": ["declines_to_leave"],
    "contact third_party_safe": ["third_party_safe"],
    "contact evacuated": ["evacuated"],
    "third failed attempt (no_answer, wrong_number), two channels at least": ["exhausted"],
}


def documented() -> list[tuple[str, str, str]]:
    """Return (input, column, result) of the table in docs/semantics.md."""
    lines = SEMANTICS.read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| input | unaccounted"))
    columns = [cell.strip() for cell in lines[head].strip("|").split("|")][1:]
    cells = []
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        name, *results = (cell.strip() for cell in line.strip("|").split("|"))
        for key in INPUTS.get(name, ()):
            cells += [
                (key, column, result) for column, result in zip(columns, results, strict=True)
            ]
    return cells


@pytest.mark.parametrize(("key", "column", "result"), documented())
def test_the_table_is_the_documented_one(key: str, column: str, result: str) -> None:
    leaves, to, _ = TRANSITIONS[key]
    bucket, by = COLUMNS[column]
    moves = Bucket(bucket) in leaves
    if key == "third_party_safe" and column == "safe3":
        moves = False
    expected = bucket if result == "-" else COLUMNS[result][0]
    assert (to.value if moves else bucket) == expected
    assert by in set(StatementBy)


def test_every_input_of_the_table_is_documented() -> None:
    documented_inputs = {key for key, _, _ in documented()}
    as_the_check_in = {"reached_left_area", "reached_never_there", "reached_declines_to_leave"}
    assert documented_inputs | as_the_check_in == {str(key) for key in TRANSITIONS}
    assert re.search(r"officer's override B \| B", SEMANTICS.read_text())


def statement(minutes: int, said: str, channel: str = "phone") -> Statement:
    return Statement(
        at=ONSET + timedelta(minutes=minutes),
        event_id=f"s{minutes}",
        digest=b"",
        exercise=False,
        said=said,
        channel=ContactChannel(channel),
    )


@pytest.mark.parametrize(
    ("attempts", "bucket"),
    [
        ([(1, "phone"), (2, "phone"), (3, "phone")], "unaccounted"),
        ([(1, "phone"), (2, "sms")], "unaccounted"),
        ([(1, "phone"), (2, "sms"), (3, "phone")], "unreachable"),
    ],
)
def test_unreachable_takes_three_attempts_on_two_channels(
    attempts: list[tuple[int, str]], bucket: str
) -> None:
    tried = [statement(minute, ContactOutcome.NO_ANSWER, channel) for minute, channel in attempts]
    assert fold([(ONSET, "i")], tried, frozenset(), Thresholds(), ONSET).bucket == bucket


def test_nothing_said_before_the_onset_counts() -> None:
    before = [statement(-1, CheckInState.SAFE)]
    assert fold([(ONSET, "i")], before, frozenset(), Thresholds(), ONSET).bucket is U


def quaked() -> Engine:
    engine = Engine().put(stays_in("ana.1", "gaziantep"), stays_in("bob.1", "adana"))
    return engine.tick(at("01:00")).put(quake(7.8, at("01:25"))).tick(at("01:30"))


def test_safe_at_five_is_unaccounted_again_after_the_second_quake() -> None:
    engine = quaked().put(says("ana.1", CheckInState.SAFE, at("05:00"))).tick(at("05:01"))
    assert engine.bucket("ana.1") == "safe"
    second = quake(7.5, at("10:30"), name="us2", onset=at("10:24:48"), lon=37.196, lat=38.011)
    engine.put(second).tick(at("10:31"))
    assert engine.bucket("ana.1") == "unaccounted"
    engine.put(says("ana.1", CheckInState.SAFE, at("10:40"))).tick(at("10:41"))
    assert engine.bucket("ana.1") == "safe"
    assert len(engine.rows("ledger")) == 2


def test_third_party_safe_stays_apart_and_never_beats_the_person() -> None:
    engine = quaked().put(contact("ana.1", ContactOutcome.THIRD_PARTY_SAFE, at("03:00")))
    row = next(r for r in engine.tick(at("03:01")).rows("ledger") if r["person_id"] == "ana.1")
    assert (row["bucket"], row["by"]) == ("safe", "third_party")
    engine.put(says("ana.1", CheckInState.NEEDS_HELP, at("02:00")))
    engine.tick(at("03:02"))
    assert engine.bucket("ana.1") == "needs_help"


def test_an_older_statement_adds_history_and_wins_nothing() -> None:
    engine = quaked().put(says("ana.1", CheckInState.LEFT_AREA, at("04:00")))
    engine.put(says("ana.1", CheckInState.NEEDS_HELP, at("02:30"))).tick(at("04:01"))
    assert engine.bucket("ana.1") == "left_area"


def test_an_officers_override_by_a_members_id_holds_until_a_newer_fact() -> None:
    engine = quaked()
    incident = engine.rows("incidents")[0]
    engine.put(override("ana.1", incident["incident_id"], Bucket.EVACUATED, at("06:00")))
    engine.tick(at("06:01"))
    row = next(r for r in engine.rows("ledger") if r["person_id"] == "ana.1")
    assert (row["bucket"], row["by"], row["by_user"]) == ("evacuated", "officer", "officer-1")
    engine.put(says("ana.1", CheckInState.NEEDS_HELP, at("07:00"))).tick(at("07:01"))
    assert engine.bucket("ana.1") == "needs_help"


def test_attempts_on_two_channels_reach_the_ledger() -> None:
    engine = quaked()
    for minute, channel in enumerate(("phone", "sms", "phone")):
        when = at(f"02:0{minute}")
        engine.put(contact("bob.1", ContactOutcome.NO_ANSWER, when, ContactChannel(channel)))
    assert engine.tick(at("02:30")).bucket("bob.1") == "unreachable"
