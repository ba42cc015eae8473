"""Following a person and a cause through a whole crisis, by the engine's own links."""

from itertools import takewhile

from dashboard.explore.follow import told
from dashboard.explore.tree import tree
from dashboard.words import words
from streams.serving.seek import candidates, raw
from streams.serving.store import STORE_FILE, reading
from streams.serving.trail import trail_of_cause, trail_of_person
from tests.cli import crisis

EN = words("en", "explore")


def lines(trail):
    """Return each record as the page tells it, indented by its depth."""
    return [f"{'  ' * depth}{told(record, EN)}" for depth, record in tree(trail.records)]


COMMAND = "Officer's command: Set the bucket"
ZONES = ["  Zone: VI", "  Zone: VII", "  Zone: VIII", "  Zone: possible"]


def sorted_zones(found):
    """Return the lines with the zones of one instant, whose ids are hashes, in order."""
    return [one for one in found if one not in ZONES], sorted(one for one in found if one in ZONES)


def test_a_persons_records_stand_each_under_its_cause(rollcall):
    crisis.happened(rollcall)
    with reading(rollcall.data / STORE_FILE) as engine:
        trail = trail_of_person(engine, "ana.1")
    assert trail.whole
    assert sorted_zones(lines(trail)) == (
        [
            "Registration",
            "Report",
            "  Incident: M 7.8 Gaziantep",
            "    Exposure ana.1: Probable",
            "Check-in: Safe",
            "  Movement ana.1: Safe",
        ],
        ZONES,
    )


def test_an_officers_command_says_who_and_why_and_moves_a_person(rollcall):
    crisis.happened(rollcall)
    with reading(rollcall.data / STORE_FILE) as engine:
        situation = next(one for one in candidates(engine, "") if one.kind == "situation")
    rollcall("do", "override", "person_id=ben.1", f"situation_id={situation.key}", "bucket=safe",
             "--as", "officer7", "--reason", "rang the post")  # fmt: skip
    rollcall("run", "--until-idle")
    with reading(rollcall.data / STORE_FILE) as engine:
        trail = trail_of_cause(engine, situation.key)
        command = next(one for one in trail.records if one.kind == "CommandIssued")
        body = raw(engine, command.kind, command.event_id, command.about_id)
    found = lines(trail)
    below = takewhile(lambda one: one.startswith("  "), found[found.index(COMMAND) + 1 :])
    assert "  Movement ben.1: Safe" in below
    assert (command.who, command.why) == ("officer7", "rang the post")
    assert body is not None
    assert (body["verb"], body["bucket"]) == ("override", "safe")


def test_every_record_of_a_cause_can_be_seen_as_it_came(rollcall):
    crisis.happened(rollcall)
    with reading(rollcall.data / STORE_FILE) as engine:
        incident = candidates(engine, "inc-")[0]
        trail = trail_of_cause(engine, incident.key)
        bodies = {
            one.event_id: raw(engine, one.kind, one.event_id, one.about_id) for one in trail.records
        }
    assert {one.kind for one in trail.records} == {
        "IncidentReported", "incident", "zone", "exposure",
    }  # fmt: skip
    assert [key for key, body in bodies.items() if body is None] == []
    exposed = [one for one in trail.records if one.kind == "exposure"]
    said = {one.about_id: bodies[one.event_id] or {} for one in exposed}
    assert {person_id: body["person_id"] for person_id, body in said.items()} == {
        "ana.1": "ana.1", "ben.1": "ben.1",
    }  # fmt: skip


def test_a_long_trail_is_cut_and_says_so(rollcall):
    crisis.happened(rollcall)
    with reading(rollcall.data / STORE_FILE) as engine:
        situation = next(one for one in candidates(engine, "") if one.kind == "situation")
        trail = trail_of_cause(engine, situation.key, most=3)
    assert (len(trail.records), trail.whole) == (3, False)


def test_nobody_has_no_trail(rollcall):
    crisis.happened(rollcall)
    with reading(rollcall.data / STORE_FILE) as engine:
        assert trail_of_person(engine, "nobody.1") == ((), True)
