"""Events as NDJSON: what is read, what is refused, and what is never kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.feeds import ndjson

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
        ("line 8", "type 'Tick' is not one of " + ", ".join(ndjson.KINDS)),
        ("line 9", "occurred_at is in the year 9999; expected 1900 to 2200"),
        ("line 10", "Expected `object`, got `array`"),
    ]


def test_of_direct_identifiers_the_quarantine_keeps_names_and_no_values(parsed):
    assert [item.body for item in parsed[3:6]] == [
        "withheld, it holds phone",
        "withheld, it holds email",
        "withheld, it holds email",
    ]
