"""Officers' commands by the command line: what they do, and what is refused."""

import json
from datetime import UTC, datetime

import pytest

from schemas.codelists import Hazard
from tests.cli.crisis import happened
from tests.cli.test_story import counts, situation

WHO = ("--as", "officer7", "--reason", "asked by the post")


def later(rollcall):
    """Process what was commanded, at the machine's time."""
    rollcall("run", "--until-idle", "--now", datetime.now(UTC).isoformat())


def test_a_declared_crisis_is_a_situation_of_its_own(rollcall):
    happened(rollcall)
    drawn = {
        "type": "Feature",
        "properties": {},
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[12, 41], [13, 41], [13, 42.5], [12, 42.5], [12, 41]]],
        },
    }
    area = rollcall.file("rome.geojson", json.dumps(drawn))
    answer = rollcall("do", "declare", "title=Riots", "hazard=conflict", f"file={area}", *WHO)
    assert "accepted; `rollcall run --until-idle` carries it out" in answer.out
    rollcall("run", "--until-idle")
    titles = [one["title"] for one in rollcall("export", "situations").rows]
    assert sorted(titles) == ["M 7.8 Gaziantep", "Riots"]
    zones = json.loads(rollcall("export", "zones", "--format", "geojson").out)
    drawn_zones = [z for z in zones["features"] if z["properties"]["title"] == "Riots"]
    assert len(drawn_zones) == 1


def test_an_override_moves_the_person_and_says_who(rollcall):
    happened(rollcall)
    situation_id = situation(rollcall)["situation_id"]
    about = ("person_id=ben.1", f"situation_id={situation_id}")
    rollcall("do", "override", *about, "bucket=evacuated", *WHO)
    later(rollcall)
    last = rollcall("export", "movements").rows[-1]
    assert (last["person_id"], last["to_bucket"], last["by_user"], last["reason"]) == (
        "ben.1", "evacuated", "officer7", "asked by the post",
    )  # fmt: skip
    (act,) = rollcall("export", "commands", "--situation", situation_id).rows
    assert (act["verb"], act["by"], act["reason"]) == ("override", "officer7", "asked by the post")
    assert act["event_id"] == last["cause_event_id"]
    assert counts(situation(rollcall)) == {"safe": 1, "evacuated": 1}


def test_an_alert_is_acknowledged_once(rollcall):
    happened(rollcall)
    (alert,) = rollcall("export", "alerts").rows
    assert (alert["rule"], alert["acknowledged_by"]) == ("help_requested", None)
    rollcall("do", "acknowledge", f"alert_id={alert['alert_id']}", *WHO)
    rollcall("run", "--until-idle")
    assert "Alerts open: 0" in rollcall("status").lines
    (alert,) = rollcall("export", "alerts").rows
    assert (alert["acknowledged_by"], alert["acknowledged_reason"]) == (
        "officer7", "asked by the post",
    )  # fmt: skip


def test_orders_about_an_incident_or_an_alert_belong_to_its_situation(rollcall):
    happened(rollcall)
    situation_id = situation(rollcall)["situation_id"]
    (incident,) = rollcall("export", "incidents").rows
    (alert,) = rollcall("export", "alerts").rows
    ring = [[36, 36], [39, 36], [39, 38], [36, 38], [36, 36]]
    drawn = rollcall.file("area.geojson", json.dumps({"type": "Polygon", "coordinates": [ring]}))
    rollcall("do", "polygon", f"incident_id={incident['incident_id']}", f"file={drawn}", *WHO)
    rollcall("do", "acknowledge", f"alert_id={alert['alert_id']}", *WHO)
    rollcall("do", "declare", "title=Riots", "hazard=conflict", "countries=IT", *WHO)
    rollcall("run", "--until-idle")
    of_it = rollcall("export", "commands", "--situation", situation_id).rows
    assert sorted(act["verb"] for act in of_it) == ["acknowledge", "polygon"]
    assert len(rollcall("export", "commands").rows) == 3


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (("close",), "Error: the command is not valid: close needs situation_id"),
        (("silence", "rule=x"), "Error: the command is not valid: silence needs until"),
        (
            ("silence", "until=2030-01-01T00:00:00Z"),
            "Error: the command is not valid: silence needs a rule, a situation_id, or both;",
        ),
        (("close", "situation_id"), "Error: 'situation_id' is not KEY=VALUE."),
        (("close", "situation=1"), "Error: 'situation' is no key of a command."),
        (("declare", "title=a", "title=b"), "Error: title stands twice."),
        (("declare", "title=a", "hazard=riot"), "Error: the command is not valid: Invalid enum"),
        (
            ("override", "person_id=x", "situation_id=s", "bucket=safe"),
            "Error: the command is not valid: person_id is not <home>.<n>",
        ),
        (
            ("override", "person_id=a.1", "situation_id=s", "bucket=deceased"),
            "Error: the command is not valid: deceased needs the restricted role",
        ),
        (
            ("override", "person_id=a.1", "situation_id=s", "bucket=duplicate"),
            "Error: the command is not valid: bucket duplicate is derived;",
        ),
        (
            ("polygon", "incident_id=i", "file=/nowhere.json"),
            "Error: /nowhere.json cannot be read: No such file or directory.",
        ),
        (("polygon", "incident_id=i", "countries=TR,turkey"), "Error: TR,turkey is not an area: "),
    ],
)
def test_a_command_that_is_not_valid_says_why(rollcall, words, err):
    answer = rollcall("do", *words, *WHO, code=2)
    assert answer.err.startswith(err)
    assert "\nNext: " in answer.err


def test_a_polygon_that_is_no_area_is_refused(rollcall):
    file = rollcall.file("line.geojson", '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}')
    answer = rollcall("do", "polygon", "incident_id=i", f"file={file}", *WHO, code=2)
    assert "LineString is not an area; expected Polygon or MultiPolygon" in answer.err


def test_who_and_why_are_asked_for(rollcall):
    assert "Missing option '--as'" in rollcall("do", "close", "--reason", "x", code=2).err
    answer = rollcall("do", "close", "situation_id=s", "--as", "o", "--reason", " ", code=2)
    assert "reason is empty; say why, it stands in the journal" in answer.err


def test_a_mistyped_id_is_found_out_before_it_stands_in_the_log(rollcall):
    happened(rollcall)
    situation_id = situation(rollcall)["situation_id"]
    answer = rollcall("do", "close", f"situation_id={situation_id}x", *WHO, code=2)
    assert answer.err == (
        f"Error: there is no situation_id {situation_id}x.\nNext: did you mean {situation_id}?\n"
    )
    assert "Waiting" not in rollcall("status").out


def test_an_unknown_name_is_answered_with_the_known_ones(rollcall):
    answer = rollcall("do", "declare", "title=a", "hazard=riot", *WHO, code=2)
    assert answer.err.splitlines()[1] == f"Next: hazard is one of {', '.join(Hazard)}."
    about = ("person_id=a.1", "situation_id=s", "bucket=fine")
    answer = rollcall("do", "override", *about, *WHO, code=2)
    assert answer.err.splitlines()[1] == (
        "Next: bucket is one of unaccounted, needs_help, safe, unreachable, left_area,"
        " never_there, declines_to_leave, evacuated, deceased."
    )
