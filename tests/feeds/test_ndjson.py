"""Events as NDJSON: what is read, what is refused, and what is never kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.feeds import ndjson
from streams.feeds.base import ItemReject
from streams.merge import CLAMPED, admit
from streams.statement import KINDS

NOW = datetime(2026, 5, 2, tzinfo=UTC)
TRAPS = (Path(__file__).parent / "data/ndjson/traps.ndjson").read_bytes()


@pytest.fixture
def parsed():
    return ndjson.parse(TRAPS, NOW)


def test_a_line_without_received_at_gets_it_and_one_with_it_keeps_it(parsed):
    assert (parsed[0].event_id, parsed[0].received_at) == ("c1", NOW)
    assert parsed[0].occurred_at == datetime(2026, 4, 20, 6, tzinfo=UTC)
    assert parsed[1].event_id == "emsc:1"
    assert parsed[1].received_at == datetime(2026, 4, 20, 7, 55, tzinfo=UTC)


def test_every_bad_line_is_refused_by_its_number_with_its_reason(parsed):
    vault = "direct identifiers belong in the vault, not in a topic"
    assert [(item.item, item.reason.partition(" at `")[0]) for item in parsed[2:]] == [
        ("line 4", "occurred_at has no time zone; write it as 2023-02-06T01:17:34Z"),
        ("line 5", vault),
        ("line 6", vault),
        ("line 7", "Input data was truncated"),
        ("line 8", "type 'Tick' is not one of " + ", ".join(KINDS)),
        ("line 9", "occurred_at is in the year 9999; expected 1900 to 2200"),
        ("line 10", "Expected `object`, got `array`"),
    ]


def test_of_direct_identifiers_the_quarantine_keeps_names_and_no_values(parsed):
    assert [item.body.partition(" (mark ")[0] for item in parsed[3:6]] == [
        "withheld, it holds phone",
        "withheld, it holds email",
        "withheld, it holds nothing that can be told",
    ]


SAFE = {
    "type": "CheckedIn", "event_id": "c1", "source": "app", "occurred_at": "2026-05-01T08:00:00Z",
    "person_id": "h1.1", "state": "safe",
}  # fmt: skip


def one(**change):
    (found,) = ndjson.parse(json.dumps(SAFE | change).encode(), NOW)
    return found


def test_a_time_of_arrival_from_the_future_is_ours_and_does_not_undo_the_clamp():
    later = "2027-05-01T08:00:00Z"
    found = one(occurred_at=later, received_at=later)
    assert found.received_at == NOW
    admitted = admit(found)
    assert (admitted.occurred_at, admitted.cause_ids) == (NOW, (CLAMPED,))
    earlier = one(received_at="2026-05-01T09:00:00Z")
    assert earlier.received_at == NOW - timedelta(hours=15)


@pytest.mark.parametrize(
    "field",
    ["firstName", "phoneNumber", "voornaam", "geboortedatum", "E-Mail", "date_of_birth",
     "DateOfBirth", "Nachname", "prénom", "contactTel", "numero_de_telephone"],
)  # fmt: skip
def test_a_direct_identifier_is_known_in_any_spelling_and_four_languages(field):
    found = one(**{field: "Jan Peeters"})
    assert found.reason == "direct identifiers belong in the vault, not in a topic"
    assert found.body.startswith(f"withheld, it holds {field.lower()} (mark ")


@pytest.mark.parametrize(
    ("change", "reason", "body"),
    [
        (
            {"colour": "Jan Peeters"},
            "Object contains unknown field `colour`",
            "withheld, it holds colour, event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"Jan Peeters": 1},
            "Object contains unknown field `...`",
            "withheld, it holds ..., event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"person_id": "Jan.Peeters@example.org"},
            "person_id is not <home>.<n>, for example h3f9a.1",
            "withheld, it holds event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"person_id": "Peeters"},
            "person_id is not <home>.<n>, for example h3f9a.1",
            "withheld, it holds event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"state": "ask Jan O'Neil"},
            'Invalid enum value "ask Jan O\'Neil" - at `$.state`',
            "withheld, it holds event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"type": "0470 12 34 56"},
            f"type '0470 12 34 56' is not one of {', '.join(KINDS)}",
            "withheld, it holds event_id, occurred_at, person_id, source, state, type",
        ),
        (
            {"event_id": 32470123456},
            "Expected `str`, got `int` - at `$.event_id`",
            "withheld, it holds event_id, occurred_at, person_id, source, state, type",
        ),
    ],
)
def test_what_may_be_about_somebody_is_not_kept(change, reason, body):
    found = one(**change)
    assert (found.reason, found.body.partition(" (mark ")[0]) == (reason, body)


def test_a_report_is_kept_only_where_every_field_of_it_is_known():
    report = {"type": "IncidentReported", "event_id": "emsc:1", "title": "M 7.4"}
    kept, *not_kept = bodies_of(
        b"\n".join(
            json.dumps(report | more).encode()
            for more in ({}, {"remark_of": "Jan"}, {"title": "ask jan@example.org"})
        )
    )
    assert json.loads(kept) == report
    assert [body.partition(" (mark ")[0] for body in not_kept] == [
        "withheld, it holds event_id, remark_of, title, type",
        "withheld, it holds event_id, title, type",
    ]


def test_a_file_in_utf_16_is_refused_whole_and_nothing_of_it_is_kept():
    line = json.dumps(SAFE | {"voornaam": "Jan"})
    (found,) = ndjson.parse(f"{line}\n{line}".encode("utf-16"), NOW)
    assert isinstance(found, ItemReject)
    assert found[:2] == ("payload", "not UTF-8 but UTF-16; save the file as UTF-8")
    assert found.body.startswith("withheld, it holds nothing that can be told (mark ")


def bodies_of(payload):
    return [item.body for item in ndjson.parse(payload, NOW) if isinstance(item, ItemReject)]


def test_of_a_line_about_people_no_value_is_kept_and_of_a_report_all():
    lines = (
        b'{"type": "CheckedIn", "event_id": "c1", "note": "call Jan on +32 470 12 34 56"}',
        b"call Jan on +32 470 12 34 56",
        b'{"type": "IncidentReported", "event_id": "emsc:1", "title": "M 7.4"}',
    )
    bodies = bodies_of(b"\n".join(lines))
    assert [body.partition(" (mark ")[0] for body in bodies[:2]] == [
        "withheld, it holds event_id, note, type",
        "withheld, it holds nothing that can be told",
    ]
    assert json.loads(bodies[2]) == json.loads(lines[2])


def test_two_lines_of_which_nothing_is_kept_are_told_apart():
    first, second, again = bodies_of(b"Jan\nMia\nJan")
    assert first != second
    assert first == again
