"""The scenarios, played through the real stages, against what was worked out by hand.

``expected/<name>.toml`` says how to read it. Each scenario is played once, without its generated
register (a crowd changes nothing about anybody else; another test brings one), and looked at after
the tick of every moment.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.player import load_scenario, plan
from tests.support.room import crisis_room

HERE = Path(__file__).parent
SCENARIOS = HERE.parents[1] / "streams" / "scenarios"
NAMES = ("turkiye-2023", "marrakesh-2023", "tonga-2022")
KINDS = ("incidents", "exposures", "ledger")

EXPECTED = {name: tomllib.loads((HERE / "expected" / f"{name}.toml").read_text()) for name in NAMES}
MOMENTS = [
    pytest.param(name, number, id=f"{name}-{moment['at']:%H%M}-{number}")
    for name in NAMES
    for number, moment in enumerate(EXPECTED[name]["moment"])
]

_played: dict[str, Any] = {}


@pytest.fixture
def played(tmp_path_factory):
    """Return a function: the rows at every moment of a scenario, played once."""

    def rows_of(name):
        if name not in _played:
            _played[name] = play(name, tmp_path_factory.mktemp(name))
        return _played[name]

    return rows_of


def play(name, data):
    scenario = load_scenario(SCENARIOS / name)._replace(population=None)
    wanted = {moment["at"] for moment in EXPECTED[name]["moment"]}
    seen = {}
    with crisis_room(data, scenario) as room:
        for step in plan(scenario):
            room.take(step)
            if step.what == "tick" and step.at in wanted:
                seen[step.at] = {kind: room.rows(kind) for kind in KINDS}
        assert room.skipped() == 0
    return seen


def as_of(name, number):
    """Return incidents, ledger, exposures and who is unsure, changes up to a moment applied."""
    incidents: dict[str, Any] = {}
    ledger: dict[str, dict[str, str]] = {}
    exposures: dict[str, dict[str, str]] = {}
    unsure: set[str] = set()
    for moment in EXPECTED[name]["moment"][: number + 1]:
        incidents |= moment.get("incidents", {})
        for total, change in ((ledger, "ledger"), (exposures, "exposures")):
            for chain, people in moment.get(change, {}).items():
                merged = total.get(chain, {}) | people
                total[chain] = {p: said for p, said in merged.items() if said != "gone"}
        unsure = set(moment.get("unsure", unsure))
    return incidents, ledger, exposures, unsure


def chains_of(incident):
    return sorted(member["chain_id"] for member in incident["members"])


def by_chain(rows, chain):
    (found,) = [row for row in rows if chain in chains_of(row)]
    return found


@pytest.mark.parametrize(("name", "number"), MOMENTS)
def test_incidents_are_what_the_agencies_had_said_by_then(played, name, number):
    rows = played(name)[EXPECTED[name]["moment"][number]["at"]]["incidents"]
    expected, _, _, _ = as_of(name, number)
    assert len(rows) == len(expected)
    for chain, facts in expected.items():
        row = by_chain(rows, chain)
        assert chains_of(row) == facts["members"]
        assert row["life"] == facts.get("life", "active")
        if "version" in facts:
            assert row["version"] == facts["version"]
        assert row["headline_source"] == facts["headline"]
        assert row.get("magnitude") == facts.get("magnitude")
        if "situation_of" in facts:
            assert row["situation_id"] == by_chain(rows, facts["situation_of"])["situation_id"]


@pytest.mark.parametrize(("name", "number"), MOMENTS)
def test_everyone_is_in_the_bucket_they_belong_to(played, name, number):
    seen = played(name)[EXPECTED[name]["moment"][number]["at"]]
    _, expected, _, unsure = as_of(name, number)
    for chain, people in expected.items():
        situation_id = by_chain(seen["incidents"], chain)["situation_id"]
        ledger = {
            row["person_id"]: [row["bucket"], row["tier"], row["by"]]
            for row in seen["ledger"]
            if row["situation_id"] == situation_id and row["person_id"] not in unsure
        }
        wanted = {person: said.split() for person, said in people.items() if person not in unsure}
        assert {p: said[: len(wanted.get(p, said))] for p, said in ledger.items()} == wanted
    if not expected:
        assert seen["ledger"] == []


@pytest.mark.parametrize(("name", "number"), MOMENTS)
def test_everyone_is_exposed_to_the_band_they_are_in(played, name, number):
    seen = played(name)[EXPECTED[name]["moment"][number]["at"]]
    _, _, expected, unsure = as_of(name, number)
    for chain, people in expected.items():
        advisory = chain.startswith("de_aa:")
        cause_id = chain if advisory else by_chain(seen["incidents"], chain)["incident_id"]
        left_out = unsure | {person for person, said in people.items() if said == "unsure"}
        wanted = {person: said for person, said in people.items() if person not in left_out}
        exposed = {
            row["person_id"]: f"{row['tier']} {row['band']}"
            for row in seen["exposures"]
            if row["cause_id"] == cause_id and row["person_id"] not in left_out
        }
        for person, said in wanted.items():
            if said.endswith(" *") and person in exposed:
                exposed[person] = f"{exposed[person].split()[0]} *"
        assert exposed == wanted


def test_two_earthquakes_of_one_situation_count_a_person_once(played):
    seen = played("turkiye-2023")[EXPECTED["turkiye-2023"]["moment"][-1]["at"]]
    people = [row["person_id"] for row in seen["ledger"]]
    assert len(people) == len(set(people)) == 22
    first, second = (
        by_chain(seen["incidents"], chain) for chain in ("usgs:us6000jllz", "usgs:us6000jlqa")
    )
    assert first["incident_id"] != second["incident_id"]
    assert second["mainshock_id"] == first["incident_id"]
    assert {row["situation_id"] for row in seen["ledger"]} == {first["situation_id"]}


def test_a_crowd_and_more_shards_change_nothing_about_anybody_else(played, tmp_path):
    name = "turkiye-2023"
    scenario = load_scenario(SCENARIOS / name)
    assert scenario.population is not None
    crowd = msgspec.structs.replace(scenario.population, people=1500)
    scenario = scenario._replace(population=crowd)
    with crisis_room(tmp_path, scenario, shards=5) as room:
        for step in plan(scenario):
            room.take(step)
        crowded = {kind: room.rows(kind) for kind in KINDS}
    alone = played(name)[scenario.end]
    assert crowded["incidents"] == alone["incidents"]
    for kind in ("exposures", "ledger"):
        assert len(crowded[kind]) > len(alone[kind])
        ours = [row for row in crowded[kind] if str(row["person_id"]).startswith("r1")]
        assert sorted(ours, key=repr) == sorted(alone[kind], key=repr)
