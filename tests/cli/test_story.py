"""One small crisis through the whole command line, counted by hand."""

import csv
import io
import json

import pytest
from sqlalchemy import create_engine, text

from streams.backends.sqlite import SqliteLog
from streams.cli.reading import _write
from streams.cli.render import _span
from streams.errors import BadInputError
from tests.cli.crisis import (
    HELP,
    PEOPLE,
    QUAKE,
    SAFE,
    happened,
    scenario,
)

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
    SqliteLog.open(rollcall.data).close()
    assert rollcall("status").out == EMPTY
    now = json.loads(rollcall("status", "--json").out)
    assert (now["as_of"], now["feeds"], now["skipped"]) == (None, None, None)


@pytest.mark.parametrize(
    "words", ["status", "deadletters list", "deadletters retry --all", "run --until-idle"]
)
def test_a_mistyped_data_directory_is_refused_and_not_made(rollcall, words):
    refused = rollcall(*words.split(), code=3)
    assert refused.out == ""
    assert refused.err == (
        f"Error: there is no log in {rollcall.data}.\n"
        "Next: name the data directory with --data, or fill one with `rollcall ingest`.\n"
    )
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


def test_a_tick_in_the_past_or_the_future_is_refused_and_the_same_again_is_not(rollcall):
    happened(rollcall)
    refused = rollcall("run", "--until-idle", "--now", "2023-02-06T01:00:00Z", code=2)
    assert refused.err == (
        "Error: --now 2023-02-06 01:00:00Z is before the last tick, 2023-02-06 02:30:00Z.\n"
        "Next: give a later time, or leave --now out.\n"
    )
    refused = rollcall("run", "--until-idle", "--now", "2199-01-01T00:00:00Z", code=2)
    assert refused.err == (
        "Error: --now 2199-01-01 00:00:00Z is in the future, and time never goes back.\n"
        "Next: give a time that has been; look at the machine's clock.\n"
    )
    answer = rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00.7Z")
    assert answer.out == "0 records processed; the clock stands at 2023-02-06 02:30:00Z\n"


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


def test_a_replay_that_stands_still_ends_with_it(rollcall, monkeypatch):
    folder = scenario(rollcall)
    monkeypatch.setenv("ROLLCALL_TEST_POISON", QUAKE["event_id"])
    monkeypatch.setattr("streams.lane.MAX_SKIPS", 0)
    stopped = rollcall("replay", folder, code=9)
    assert "Error: partitions stand still: desk 0: more than 0 records to put aside" in stopped.err
    assert any(line.startswith("FAULT partition_stopped in desk 0") for line in stopped.lines)


def test_a_register_refused_as_a_whole_ends_the_replay_before_it_begins(rollcall):
    folder = scenario(rollcall)
    bad = rollcall.file("bad.ndjson", "nonsense\n")
    refused = rollcall("replay", folder, "--people", bad, code=2)
    first, reason, *rest = refused.err.splitlines()
    assert first == "bad.ndjson: 0 accepted"
    assert reason.startswith("  line 1: ")
    assert rest == [
        "Error: nothing of bad.ndjson could be accepted.",
        "Next: correct the file and replay again.",
    ]
    assert refused.out == ""


def test_the_data_directory_after_the_command_is_told_its_place(rollcall):
    folder = scenario(rollcall)
    refused = rollcall("replay", folder, "--data", rollcall.data, code=2)
    assert refused.err.endswith(
        "Error: --data comes before the command: rollcall --data DIR replay ...\n"
    )
    refused = rollcall("deadletters", "list", "--settings", "x", code=2)
    assert refused.err.endswith("command: rollcall --settings FILE deadletters list ...\n")


def test_an_export_to_a_file_is_whole_and_for_its_owner_alone(rollcall):
    happened(rollcall)
    out = rollcall.file("ledger.ndjson", "before")
    out.chmod(0o644)
    rollcall("export", "ledger", "--out", out)
    assert out.read_bytes() == rollcall("export", "ledger").raw
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in rollcall.folder.glob("ledger*")) == ["ledger.ndjson"]
    rollcall("export", "ledger", "--out", "/dev/null")
    nowhere = rollcall.folder / "none" / "x"
    refused = rollcall("export", "ledger", "--out", nowhere, code=2)
    assert refused.err.startswith(f"Error: {nowhere} cannot be written: No such file or directory.")


def test_an_export_that_fails_halfway_keeps_the_file_there_was(tmp_path):
    def lines():
        yield b"one"
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    out.write_bytes(b"before")
    with pytest.raises(BadInputError, match="No space left on device"):
        _write(lines(), out)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out", b"before")]


def test_a_title_cannot_move_the_cursor(rollcall):
    odd = {**QUAKE, "title": "M 7.8\nAlerts open: 0\x1b[2J\u202eeno"}
    rollcall("ingest", rollcall.events("odd.ndjson", *PEOPLE, odd))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    lines = [line for line in rollcall("status").lines if "M 7.8" in line]
    assert lines[0].startswith("M 7.8 Alerts open: 0\\x1b[2J\\u202eeno (earthquake, onset ")


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 hours"),
     (172_799, "47 hours"), (138 * 86_400 + 5, "138 days")],
)  # fmt: skip
def test_lateness_is_in_units_people_use(seconds, span):
    assert _span(seconds) == span
