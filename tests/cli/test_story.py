"""One small crisis through the whole command line, counted by hand."""

import csv
import io
import json

from sqlalchemy import create_engine, text

from tests.cli.crisis import HELP, PEOPLE, QUAKE, SAFE, happened, scenario

EMPTY = """\
As of unknown
People: unknown, nothing has been summed yet
Situations: unknown

Alerts open: 0
Feeds: unknown, none has spoken
Dead letters: 0    Skipped control records: unknown
"""


def situation(rollcall):
    (one,) = json.loads(rollcall("status", "--json").out)["situations"]
    return one


def counts(one):
    return {bucket: count for bucket, count in one["buckets"].items() if count}


def test_before_anything_the_status_is_unknown_not_zero(rollcall):
    assert rollcall("status").out == EMPTY
    now = json.loads(rollcall("status", "--json").out)
    assert (now["as_of"], now["feeds"], now["skipped"]) == (None, None, None)
    assert not rollcall.data.exists()


def test_without_a_tick_nothing_is_evaluated_and_the_user_is_told(rollcall):
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE))
    assert "Waiting: 4 records are not in these numbers yet" in rollcall("status").out
    answer = rollcall("run", "--until-idle")
    assert answer.err == "Nothing is evaluated before the first tick: give one with --now.\n"
    assert rollcall("status").lines[0] == "As of unknown"
    assert situation(rollcall)["known"] is None
    assert "  known: unknown, no shard has reported yet" in rollcall("status").lines


def test_a_small_crisis_is_counted_by_hand(rollcall):
    happened(rollcall)
    one = situation(rollcall)
    assert one["title"] == "M 7.8 Gaziantep"
    assert one["known"] == 2
    assert counts(one) == {"safe": 1, "needs_help": 1}
    assert len(one["buckets"]) == 11
    assert one["tiers"] == {"confirmed": 0, "probable": 2, "possible": 0, "country_only": 0}
    assert one["imbalance"] == {"room": 0, "buckets": 0, "store": 0}
    assert one["completeness"] == {
        "reached": 8, "shards": 8, "as_of": "2023-02-06T02:30:00Z", "complete": True,
    }  # fmt: skip
    assert [(i["title"], i["version"], i["headline_source"]) for i in one["incidents"]] == [
        ("M 7.8 Gaziantep", 1, "test")
    ]
    lines = rollcall("status").lines
    assert "  unaccounted 0    needs help 1    safe 1    other 0" in lines
    assert lines[1] == (
        "People: 3 registered, 2 distinct known in situations"
        " (8 of 8 shards, as of 2023-02-06 02:30:00Z)"
    )


def test_a_situation_with_nobody_of_ours_takes_one_line(rollcall):
    rollcall("ingest", rollcall.events("crisis.ndjson", PEOPLE[2], QUAKE))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    lines = rollcall("status").lines
    at = lines.index("Situations with nobody of ours, by all shards: 1")
    assert lines[at + 1] == "  - M 7.8 Gaziantep (earthquake, onset 2023-02-06 01:17:34Z)"


def test_a_deleted_row_of_the_store_shows_as_an_imbalance(rollcall):
    happened(rollcall)
    engine = create_engine(f"sqlite:///{rollcall.data / 'serving.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger WHERE person_id = 'ana.1'"))
    engine.dispose()
    assert situation(rollcall)["imbalance"] == {"room": 0, "buckets": 0, "store": -1}
    assert (
        "  IMBALANCE: room +0, known minus buckets +0, rows of the store 1 minus known -1"
        in rollcall("status").lines
    )
    doctor = rollcall("doctor", code=1)
    assert "fail  balance: figures differ in sit-" in doctor.out
    assert doctor.err == ("Error: 1 checks failed: balance.\nNext: do what the failed lines say.\n")


def test_the_same_file_again_and_a_second_run_change_nothing(rollcall):
    happened(rollcall)
    kinds = ("persons", "exposures", "ledger", "movements", "incidents", "zones", "alerts")
    before = [rollcall("export", kind).raw for kind in kinds]
    again = rollcall("ingest", rollcall.folder / "crisis.ndjson")
    assert again.lines == ["crisis.ndjson: 0 accepted, 0 rejected, 6 duplicate, 0 conflict"]
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    assert [rollcall("export", kind).raw for kind in kinds] == before


def test_a_tick_in_the_past_is_ignored_and_said(rollcall):
    happened(rollcall)
    answer = rollcall("run", "--until-idle", "--now", "2023-02-06T01:00:00Z")
    assert answer.out == "0 records processed; the clock stands at 2023-02-06 02:30:00Z\n"
    assert answer.err == "--now 2023-02-06 01:00:00Z is before the last tick and was ignored.\n"


def test_a_replay_and_the_same_events_by_hand_end_in_the_same_state(rollcall, tmp_path):
    folder = scenario(rollcall)
    replayed = tmp_path / "replayed"
    rollcall("replay", folder, data=replayed)
    happened(rollcall)
    rollcall("run", "--until-idle", "--now", "2023-02-06T03:00:00Z")
    for kind in ("persons", "exposures", "ledger", "incidents", "zones", "situations"):
        assert rollcall("export", kind, data=replayed).raw == rollcall("export", kind).raw


def test_a_finished_replay_has_nothing_to_do_and_another_scenario_is_refused(rollcall):
    folder = scenario(rollcall)
    rollcall("replay", folder)
    assert "small-2023 is at its end; nothing to do" in rollcall("replay", folder).err
    toml = (folder / "scenario.toml").read_text().replace("T01:00:00Z", "T00:00:00Z")
    (folder / "scenario.toml").write_text(toml)
    refused = rollcall("replay", folder, code=6)
    assert "runs on the clock scenario(2023-02-06T01:00:00+00:00, 1)" in refused.err
    assert "Next: use another data directory: a log keeps the clock" in refused.err


def test_exports_are_sorted_and_read_the_same_in_every_format(rollcall):
    happened(rollcall)
    ledger = rollcall("export", "ledger").rows
    assert [(row["person_id"], row["bucket"]) for row in ledger] == [
        ("ana.1", "safe"),
        ("ben.1", "needs_help"),
    ]
    table = list(csv.DictReader(io.StringIO(rollcall("export", "ledger", "--format", "csv").out)))
    assert [(row["person_id"], row["bucket"]) for row in table] == [
        ("ana.1", "safe"),
        ("ben.1", "needs_help"),
    ]
    people = json.loads(rollcall("export", "persons", "--format", "geojson").out)
    assert people["features"][0]["geometry"] == {"type": "Point", "coordinates": [37.38, 37.07]}
    exposed = json.loads(rollcall("export", "exposures", "--format", "geojson").out)
    assert [one["geometry"]["coordinates"] for one in exposed["features"]] == [[37.38, 37.07]] * 2
    zones = json.loads(rollcall("export", "zones", "--format", "geojson").out)
    assert {one["geometry"]["type"] for one in zones["features"]} == {"MultiPolygon"}


def test_an_export_of_one_situation_has_only_its_own(rollcall):
    happened(rollcall)
    situation_id = situation(rollcall)["situation_id"]
    for kind, count in (("persons", 2), ("ledger", 2), ("movements", 2), ("incidents", 1)):
        assert len(rollcall("export", kind, "--situation", situation_id).rows) == count, kind
    refused = rollcall("export", "ledger", "--situation", "sit-0", code=3)
    assert refused.err == (
        f"Error: there is no situation sit-0.\nNext: there are {situation_id}.\n"
    )
    refused = rollcall("export", "advisories", "--situation", situation_id, code=2)
    assert refused.err == (
        "Error: advisories belong to no situation.\nNext: leave --situation out.\n"
    )


def test_an_export_without_a_log_says_so(rollcall):
    refused = rollcall("export", "persons", code=3)
    assert refused.err.startswith(f"Error: there is no log in {rollcall.data}.\nNext: ")


def test_movements_say_who_when_and_why(rollcall):
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE))
    rollcall("run", "--until-idle", "--now", "2023-02-06T01:30:00Z")
    rollcall("ingest", rollcall.events("said.ndjson", SAFE))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    moves = [
        (row["at"], row["person_id"], row["from_bucket"], row["to_bucket"], row["by"])
        for row in rollcall("export", "movements").rows
    ]
    assert sorted(moves, key=str) == [
        ("2023-02-06T01:17:34Z", "ana.1", None, "unaccounted", "nobody"),
        ("2023-02-06T01:17:34Z", "ben.1", None, "unaccounted", "nobody"),
        ("2023-02-06T02:00:00Z", "ana.1", "unaccounted", "safe", "person"),
    ]


def test_a_safety_copy_is_a_whole_system(rollcall, tmp_path):
    happened(rollcall)
    before = {kind: rollcall("export", kind).raw for kind in ("ledger", "movements", "alerts")}
    shown = rollcall("status").out
    copy = tmp_path / "copy.sqlite"
    assert "checked" in rollcall("backup", copy).out
    refused = rollcall("backup", copy, code=2)
    assert refused.err.startswith(f"Error: {copy} exists; a safety copy is never written over.")
    other = tmp_path / "other"
    rollcall("restore", copy, data=other)
    assert {kind: rollcall("export", kind, data=other).raw for kind in before} == before
    assert rollcall("status", data=other).out == shown
    refused = rollcall("restore", copy, data=other, code=2)
    assert "holds a log already; it is never written over" in refused.err


def test_a_lost_store_is_written_anew_from_the_log(rollcall):
    happened(rollcall)
    shown = rollcall("status").out
    for path in rollcall.data.glob("serving.sqlite*"):
        path.unlink()
    rollcall("run", "--until-idle")
    assert rollcall("status").out == shown


def test_a_statement_that_came_late_is_heard(rollcall):
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    assert counts(situation(rollcall)) == {"unaccounted": 2}
    rollcall("ingest", rollcall.events("said.ndjson", SAFE, HELP))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:31:00Z")
    assert counts(situation(rollcall)) == {"safe": 1, "needs_help": 1}
