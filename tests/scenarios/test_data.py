"""The scenarios that come with Rollcall: complete, readable, and as their README says."""

import tomllib
from pathlib import Path

import pytest

from schemas.codelists import Precision
from schemas.person import CheckedIn, ContactRecorded, RegistrationFiled
from schemas.report import AdvisoryIssued, IncidentReported
from streams.player import load_scenario, plan

SCENARIOS = Path(__file__).parents[2] / "streams" / "scenarios"
NAMES = ("marrakesh-2023", "tonga-2022", "turkiye-2023")

CORE = {"Gaziantep", "Kahramanmaras", "Antakya", "Adana", "Malatya", "Sanliurfa"}


@pytest.fixture(scope="module", params=NAMES)
def folder(request):
    return SCENARIOS / request.param


@pytest.fixture(scope="module")
def events(folder):
    """All that the entries bring, without the generated register."""
    scenario = load_scenario(folder)._replace(population=None)
    steps = [step for step in plan(scenario) if step.what != "tick"]
    assert [step.refused for step in steps] == [()] * len(steps)
    return [event for step in steps for event in step.events]


def test_these_are_all_scenarios():
    assert tuple(sorted(path.parent.name for path in SCENARIOS.glob("*/scenario.toml"))) == NAMES
    assert list(SCENARIOS.rglob("*.py")) == []


def test_every_file_is_played_and_nothing_that_is_played_is_missing(folder):
    said = tomllib.loads((folder / "scenario.toml").read_text())
    played = {entry["file"] for entry in said["entry"]}
    here = {path.name for path in folder.iterdir()} - {"scenario.toml", "README.md"}
    assert played == here


def test_whatever_is_made_up_says_so(folder, events):
    said = tomllib.loads((folder / "scenario.toml").read_text())
    silent = [e["file"] for e in said["entry"] if not (e.get("invented") or e.get("note"))]
    assert silent == []
    reports = [event for event in events if isinstance(event, IncidentReported)]
    assert [e.event_id for e in reports if e.source != "usgs" and not e.invented] == []
    assert "Invented" in (folder / "README.md").read_text()


def test_nobody_speaks_before_it_is_heard_and_ids_are_not_reused(events):
    contents: dict[str, object] = {}
    for event in events:
        assert event.occurred_at <= event.received_at, event.event_id
        content = (type(event), event.occurred_at)
        assert contents.setdefault(event.event_id, content) == content


def test_everyone_who_says_something_is_in_the_register(folder, events):
    scenario = load_scenario(folder)
    known = {
        event.person_id
        for step in plan(scenario)
        if step.what in {"register", "people.ndjson"}
        for event in step.events
        if isinstance(event, RegistrationFiled | CheckedIn)
    }
    spoke = {e.person_id for e in events if isinstance(e, CheckedIn | ContactRecorded)}
    assert spoke <= known


def test_the_waves_of_turkiye_come_from_people_in_the_cities_nearest_to_it():
    scenario = load_scenario(SCENARIOS / "turkiye-2023")
    filed: dict[str, RegistrationFiled] = {}
    spoke: set[str] = set()
    for step in plan(scenario):
        for event in step.events:
            if isinstance(event, RegistrationFiled):
                filed.setdefault(event.person_id, event)
            elif isinstance(event, CheckedIn | ContactRecorded) and step.what.startswith("wave-"):
                spoke.add(event.person_id)
    assert len(spoke) == 50
    day = scenario.start.date()
    for person_id in spoke:
        stay = filed[person_id].stays[0]
        assert (stay.place.precision, stay.place.name in CORE) == (Precision.CITY, True)
        assert stay.from_date is None or stay.from_date <= day
        assert stay.to_date is None or stay.to_date > day


def test_the_facts_of_turkiye_are_those_of_the_list():
    scenario = load_scenario(SCENARIOS / "turkiye-2023")._replace(population=None)
    said: dict[str, list[tuple[float | None, float | None]]] = {}
    advice = []
    for step in plan(scenario):
        for event in step.events:
            if isinstance(event, IncidentReported):
                facts = (event.magnitude, event.depth_m)
                history = said.setdefault(event.chain_id, [])
                if not history or history[-1] != facts:
                    history.append(facts)
            elif isinstance(event, AdvisoryIssued) and event.advisory_id == "de_aa:TR":
                advice.append((event.level, event.scope.value, len(event.areas)))
    assert said == {
        "usgs:us6000jllz": [(7.9, 10_000.0), (7.8, 10_000.0)],
        "emsc:20230206_r1": [(7.5, None)],
        "afad:20230206_r1": [(7.4, None)],
        "usgs:us6000jlm1": [(6.7, 10_000.0)],
        "usgs:us6000r1inv1": [(5.7, 10_000.0), (5.6, 10_000.0)],
        "usgs:us6000jlqa": [(7.5, 10_000.0)],
    }
    assert advice == [(1, "whole", 1), (3, "part", 0), (4, "whole", 1)]
