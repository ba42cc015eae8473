"""In which bucket a member is: semantics.md section 6, one rule a line."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.oracle.presence import Person
from tests.oracle.times import Fact, happened

REOPENED = {"safe", "unreachable", "left_area", "declines_to_leave"}
FAILED = {"no_answer", "wrong_number"}
STAYS_NOT_HELD = {"needs_help", "deceased", "evacuated"}
CALLS = {"needs_help", "reached_needs_help"}
ONSET, STATEMENT = 0, 1


class Input(NamedTuple):
    """One thing that may move a member; sorts as the ledger takes them."""

    at: int
    rank: int
    id: str
    kind: str
    says: str
    channel: str = ""


def statements_of(person: Person, overrides: Iterable[Fact]) -> list[Input]:
    """Return all that was said about a person; overrides are of one situation."""
    said = [
        Input(happened(fact), STATEMENT, fact["event_id"], "override", fact["bucket"])
        for fact in overrides
    ]
    for at, event_id, fact in person.statements:
        if fact["type"] == "CheckedIn" and fact.get("state"):
            said.append(Input(at, STATEMENT, event_id, "person", fact["state"]))
        elif fact["type"] == "ContactRecorded":
            outcome = fact["outcome"]
            said.append(Input(at, STATEMENT, event_id, "contact", outcome, fact["channel"]))
    return said


def bucket(
    onsets: Sequence[int], said: Iterable[Input], now: int, *, held: bool, calls_from: int
) -> str:
    """Return the bucket of a member at ``now``; calls for help count earlier."""
    first = min(onsets)
    inputs = [Input(at, ONSET, "", "onset", "") for at in onsets]
    for statement in said:
        calls = statement.kind != "override" and statement.says in CALLS
        if (calls_from if calls else first) <= statement.at <= now:
            inputs.append(statement)
    name, by = "unaccounted", "nobody"
    attempts: list[str] = []
    for event in sorted(inputs):
        if event.kind == "contact" and event.says in FAILED:
            attempts.append(event.channel)
            if name == "unaccounted" and len(attempts) >= 3 and len(set(attempts)) >= 2:
                name, by = "unreachable", "engine"
            continue
        attempts = []
        if event.kind == "onset":
            if name in REOPENED:
                name, by = "unaccounted", "nobody"
        elif event.kind == "override":
            name, by = event.says, "officer"
        else:
            name, by = spoken(name, by, event)
    if not held and name not in STAYS_NOT_HELD and by != "officer":
        return "no_longer_affected"
    return name


def spoken(name: str, by: str, event: Input) -> tuple[str, str]:
    """Return (bucket, by) after a person's or a contact's word."""
    by_contact = event.kind == "contact"
    says = event.says.removeprefix("reached_")
    if name == "deceased" or (name == "evacuated" and says != "needs_help"):
        return name, by
    if says == "third_party_safe":
        return ("safe", "third_party") if name in {"unaccounted", "unreachable"} else (name, by)
    if name == "needs_help" and by_contact and says not in {"safe", "evacuated"}:
        return name, by
    if name == says != "safe":
        return name, by
    return says, event.kind
