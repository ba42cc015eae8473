"""German travel warnings: levels, retractions, and records that are none."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from schemas.codelists import AdviceScope
from schemas.place import Countries
from streams.feeds import advice_de

NOW = datetime(2026, 5, 2, tzinfo=UTC)
TRAPS = (Path(__file__).parent / "data/de_aa/traps.json").read_bytes()


@pytest.fixture
def parsed():
    return advice_de.parse(TRAPS, NOW)


def test_the_four_booleans_become_level_and_scope_the_gravest_first(parsed):
    said = [
        (a.advisory_id, a.level, a.scope, a.native_level)
        for a in parsed
        if not isinstance(a, tuple)
    ]
    assert said == [
        ("de_aa:QA", 4, AdviceScope.WHOLE, "warning"),
        ("de_aa:IL", 3, AdviceScope.PART, "partialWarning, situationWarning"),
        ("de_aa:XK", 1, AdviceScope.WHOLE, "none"),
        ("de_aa:ML", 2, AdviceScope.WHOLE, "situationWarning"),
        ("de_aa:PE", 2, AdviceScope.PART, "situationPartWarning"),
    ]


def test_a_part_that_is_not_drawn_has_no_area_and_colours_no_country(parsed):
    assert parsed[0].areas == (Countries(codes=("QA",)),)
    assert parsed[1].areas == ()


def test_seconds_and_milliseconds_are_told_apart(parsed):
    assert parsed[0].sent_at == datetime(2026, 4, 17, 12, 37, 44, tzinfo=UTC)
    assert parsed[1].sent_at == datetime(2026, 4, 30, 14, 32, 29, tzinfo=UTC)


def test_the_list_level_stamp_and_content_list_are_no_countries(parsed):
    assert len(parsed) == 8


def test_records_without_a_country_or_a_statement_are_refused_alone(parsed):
    assert [(item.item, item.reason) for item in parsed[5:]] == [
        ("de_aa:", "countryCode '' is not a two-letter code"),
        (
            "de_aa:TD",
            "not the JSON this feed reads: Object missing required field `warning`",
        ),
        ("record 8", "another record of de_aa:QA is graver"),
    ]
    assert "Katar: Nachtrag" in parsed[7].body


def _one(**fields):
    record = {
        "lastModified": 1776429464, "effective": 1776429000, "countryCode": "QA",
        "warning": False, "partialWarning": False, "situationWarning": False,
        "situationPartWarning": False, **fields,
    }  # fmt: skip
    (advisory,) = advice_de.parse(msgspec.json.encode({"response": {"1": record}}), NOW)
    return advisory


def test_a_retraction_is_a_later_version_of_the_same_advisory():
    before, after = _one(warning=True), _one(lastModified=1777559560, effective=1777559400)
    assert before.advisory_id == after.advisory_id
    assert (before.level, after.level) == (4, 1)
    assert before.sent_at < after.sent_at


def test_an_effective_two_years_old_does_not_age_a_new_statement():
    assert _one(effective=1703982400).sent_at == _one().sent_at


def test_other_booleans_under_one_stamp_are_another_event_the_later_effective_last():
    before, after = _one(warning=True), _one(effective=1776432600)
    assert before.sent_at == after.sent_at
    assert before.event_id < after.event_id
    assert _one(warning=True).event_id != _one(partialWarning=True).event_id
