"""Quarantine, doctor and real processes: one bad record, one kill, two owners."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from schemas.export import PUBLISHED
from streams.backends.sqlite import SqliteLog
from streams.cli.base import Commands
from streams.serving.store import open_store
from tests.cli.crisis import HELP, PEOPLE, QUAKE, SAFE, happened, scenario
from tests.cli.test_story import counts, situation

ROOT = Path(__file__).parents[2]


def command(*words):
    return [sys.executable, "-m", "streams.cli", *map(str, words)]


def test_a_record_that_a_stage_cannot_survive_is_put_aside_and_put_back(rollcall, monkeypatch):
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE, SAFE, HELP))
    monkeypatch.setenv("ROLLCALL_TEST_POISON", "ben-help")
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    shown = rollcall("status").out
    assert "CheckedIn put aside: RuntimeError('ROLLCALL_TEST_POISON is set to ben-help')" in shown
    assert "FAULT record_quarantined in shard " in shown
    assert "Dead letters: 1 " in shown
    assert counts(situation(rollcall)) == {"safe": 1, "unaccounted": 1}
    assert [row["bucket"] for row in rollcall("export", "ledger").rows] == ["safe", "unaccounted"]
    listed = rollcall("deadletters", "list", "--full").out
    assert "[can be retried]" in listed
    assert "RuntimeError: ROLLCALL_TEST_POISON is set to ben-help" in listed
    assert "warn  fault record_quarantined: shard " in rollcall("doctor").out

    monkeypatch.delenv("ROLLCALL_TEST_POISON")
    assert "1 records put back" in rollcall("deadletters", "retry", "--all").out
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:31:00Z")
    assert counts(situation(rollcall)) == {"safe": 1, "needs_help": 1}
    shown = rollcall("status").out
    assert "FAULT" not in shown
    assert "Dead letters: 0 " in shown
    assert "[retried]" in rollcall("deadletters", "list").out
    assert "0 records put back" in rollcall("deadletters", "retry", "--all").out


def test_what_cannot_be_retried_is_said(rollcall):
    rollcall("ingest", rollcall.file("bad.ndjson", "nonsense\n"), code=1)
    rollcall("run", "--until-idle")
    (letter,) = rollcall("export", "deadletters").rows
    refused = rollcall("deadletters", "retry", letter["event_id"], code=3)
    assert "cannot be retried: bad.ndjson, line 1: " in refused.err
    assert "Next: correct it at its source and ingest it again." in refused.err
    assert "there is no dead letter x" in rollcall("deadletters", "retry", "x", code=3).err
    assert "nothing to retry was named" in rollcall("deadletters", "retry", code=3).err


def test_the_doctor_on_nothing_and_on_a_damaged_log(rollcall):
    answer = rollcall("doctor")
    assert f"warn  log: there is none in {rollcall.data}; fill it with" in answer.out
    SqliteLog.open(rollcall.data).close()
    answer = rollcall("doctor")
    assert "ok    log file: intact (PRAGMA quick_check)" in answer.out
    assert "warn  clock: wall, last tick never; nothing is evaluated before" in answer.out
    (rollcall.data / "log.sqlite").write_bytes(b"x" * 9000)
    answer = rollcall("doctor", code=1)
    assert "fail  log file: the log " in answer.out
    assert answer.err.endswith("Next: do what the failed lines say.\n")


def test_the_doctor_says_what_is_waiting(rollcall):
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE))
    out = rollcall("doctor").out
    assert "warn  desk 0: 0 records done, 1 waiting; run `rollcall run --until-idle`" in out
    assert "warn  store: there is none; run `rollcall run --until-idle`: it is made" in out


def test_schemas_are_those_of_the_types_until_one_is_changed(rollcall, tmp_path):
    assert rollcall("schemas", "check").out == "the published schemas are those of the types\n"
    folder = tmp_path / "schemas"
    count = len(list(PUBLISHED.glob("*.v*.json")))
    assert rollcall("schemas", "export", "--dir", folder).out == (
        f"{count} schemas and asyncapi.json in {folder}\n"
    )
    (folder / "Tick.v1.json").write_text("{}")
    drifted = rollcall("schemas", "check", "--dir", folder, code=1)
    assert drifted.out.startswith("Tick.v1.json differs from the type;")
    assert drifted.err == (
        "Error: 1 published schemas differ from the types.\nNext: see the lines above.\n"
    )


def test_population_is_the_same_for_the_same_seed(rollcall):
    words = ("population", "--seed", 3, "--people", 40, "--around", "2023-02-06", "--out")
    one, two = rollcall.folder / "one.ndjson", rollcall.folder / "two.ndjson"
    rollcall(*words, one)
    rollcall(*words, two)
    assert one.read_bytes() == two.read_bytes()
    answer = rollcall("ingest", one)
    assert ", 0 rejected, " in answer.out
    wrong = ("population", "--seed", 3, "--people", 40, "--around", "soon", "--out", one)
    assert rollcall(*wrong, code=2).err == (
        "Error: --around 'soon' is not a day.\nNext: write it as 2023-02-06.\n"
    )


def test_a_process_of_its_own_answers_like_any_command(rollcall, tmp_path):
    file = rollcall.events("crisis.ndjson", *PEOPLE, QUAKE)
    environ = {**os.environ, "ROLLCALL_DATA": str(rollcall.data)}

    def run(*words):
        return subprocess.run(
            command(*words), cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )

    done = run("ingest", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "crisis.ndjson: 4 accepted, 0 rejected, 0 duplicate, 0 conflict\n"
    done = run("run", "--until-idle", "--now", "2023-02-06T02:00:00Z")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(run("status", "--json").stdout)["situations"][0]["known"] == 2
    done = run("ingest", tmp_path / "none.csv")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.fixture
def slow_replay(rollcall):
    """Start a replay that takes minutes; kill it at the end at the latest."""
    folder = scenario(rollcall)
    words = command("--data", rollcall.data, "replay", folder, "--speed", "600")
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def until_said(process, words):
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(words)


def test_a_second_owner_is_refused_while_readers_are_welcome(rollcall, slow_replay):
    until_said(slow_replay, "people.ndjson: 3 accepted")
    refused = rollcall("run", "--until-idle", code=4)
    assert f"is in use by process {slow_replay.pid}" in refused.err
    assert f"ok    owner: the log in {rollcall.data} is in use" in rollcall("doctor").out
    rollcall("status")
    rollcall("export", "persons")
    rollcall("backup", rollcall.folder / "copy.sqlite")


def test_killed_at_any_moment_a_replay_goes_on_to_the_same_end(rollcall, slow_replay, tmp_path):
    until_said(slow_replay, "quake.ndjson: 1 accepted")
    slow_replay.send_signal(signal.SIGKILL)
    slow_replay.wait()
    folder = rollcall.folder / "small-2023"
    resumed = rollcall("replay", folder)
    assert "small-2023 resumes at 2023-02-06 01:" in resumed.err
    whole = tmp_path / "whole"
    rollcall("replay", folder, data=whole)
    for kind in ("persons", "exposures", "ledger", "incidents", "zones", "situations"):
        assert rollcall("export", kind).raw == rollcall("export", kind, data=whole).raw
    assert counts(situation(rollcall)) == {"safe": 1, "needs_help": 1}


def test_speed_sets_the_pace_and_nothing_else(rollcall, tmp_path):
    folder = scenario(rollcall)
    began_s = time.monotonic()
    rollcall("replay", folder, "--speed", "7200")
    assert time.monotonic() - began_s >= 1.0
    rollcall("replay", folder, data=tmp_path / "fast")
    assert rollcall("status").out == rollcall("status", data=tmp_path / "fast").out


def letters_of_two(rollcall, monkeypatch):
    """Poison both statements of ana.1; return her letters, oldest first."""
    rollcall("ingest", rollcall.events("crisis.ndjson", *PEOPLE, QUAKE))
    monkeypatch.setenv("ROLLCALL_TEST_POISON", "first")
    second = {**HELP, "event_id": "second", "person_id": "ana.1"}
    rollcall("ingest", rollcall.events("one.ndjson", {**SAFE, "event_id": "first"}))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:30:00Z")
    monkeypatch.setenv("ROLLCALL_TEST_POISON", "second")
    rollcall("ingest", rollcall.events("two.ndjson", second))
    rollcall("run", "--until-idle")
    monkeypatch.delenv("ROLLCALL_TEST_POISON")
    return [row["event_id"] for row in rollcall("export", "deadletters").rows]


def test_a_fault_stays_until_the_last_record_of_its_partition_is_put_back(rollcall, monkeypatch):
    one, two = letters_of_two(rollcall, monkeypatch)
    rollcall("deadletters", "retry", one, one)
    assert "FAULT record_quarantined in shard " in rollcall("status").out
    again = rollcall("deadletters", "retry", one, code=3)
    assert again.err.startswith(f"Error: {one} was put back already, at 20")
    assert again.err.endswith("Next: if it failed again, it has a new dead letter.\n")
    assert "1 records put back" in rollcall("deadletters", "retry", two).out
    assert "FAULT" not in rollcall("status").out


def test_what_a_stage_had_held_has_no_place_to_be_read_from(rollcall, monkeypatch):
    one, two = letters_of_two(rollcall, monkeypatch)
    engine = open_store(rollcall.data / "serving.sqlite")
    with engine.begin() as connection:
        connection.execute(text("UPDATE deadletters SET offset = -1"))
    engine.dispose()
    refused = rollcall("deadletters", "retry", one, code=3)
    assert refused.err == (
        f"Error: {one} cannot be retried: its stage had held it, the place is unknown.\n"
        "Next: ingest it again from its source.\n"
    )
    assert "0 records put back" in rollcall("deadletters", "retry", "--all").out
    assert f"{two}  " in rollcall("deadletters", "list").out
    assert "[final]" in rollcall("deadletters", "list").out


def test_an_empty_store_and_a_lock_that_cannot_be_taken_are_told_in_words(rollcall):
    happened(rollcall)
    store, lock = rollcall.data / "serving.sqlite", rollcall.data / "log.lock"
    for path in rollcall.data.glob("serving.sqlite*"):
        path.unlink()
    store.touch()
    refused = rollcall("status", code=5)
    assert refused.err.startswith(
        "Error: the serving store is empty or unfinished: table acknowledgements is missing.\n"
        "Next: Move serving.sqlite away"
    )
    lock.unlink()
    lock.mkdir()
    refused = rollcall("run", "--until-idle", code=5)
    assert refused.err == (
        f"Error: {lock} failed: Is a directory.\n"
        "Next: look at the path, its rights and the free space; `rollcall doctor` helps.\n"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error")),
            "Error: the serving store failed: disk I/O error.\nNext: look at rights and free",
        ),
        (OSError(28, "No space left on device"), "Error: the machine refused: No space left on"),
        (OSError("unnamed"), "Error: the machine refused: unnamed.\nNext: look at the path, its"),
    ],
)
def test_an_error_of_machine_or_store_is_told_in_words(error, said):
    group = Commands("rollcall")

    @group.command()
    def fail():
        raise error

    answer = CliRunner().invoke(group, ["fail"], catch_exceptions=False)
    assert answer.exit_code == 5
    assert answer.stderr.startswith(said)


def test_a_safety_copy_to_nowhere_and_one_that_is_none_are_refused(rollcall):
    happened(rollcall)
    nowhere = rollcall.folder / "none" / "copy.sqlite"
    refused = rollcall("backup", nowhere, code=2)
    assert refused.err.startswith(f"Error: {nowhere} cannot be written: No such file or directory.")
    letter = rollcall.file("letter.txt", "Dear all, " * 500)
    other = rollcall.folder / "other"
    refused = rollcall("restore", letter, data=other, code=2)
    assert refused.err == (
        f"Error: {letter} is no safety copy: it is not an SQLite file.\n"
        "Next: name a file that `rollcall backup` wrote.\n"
    )
    assert not other.exists()
    torn = rollcall.file("torn.sqlite", b"SQLite format 3\0" + b"x" * 5000)
    refused = rollcall("restore", torn, data=other, code=5)
    assert refused.err.startswith(f"Error: {torn} could not be restored: the log {torn} failed: ")
    assert refused.err.endswith(
        "Next: look at free space; if the copy is damaged, use an older one.\n"
    )
    assert sorted(path.name for path in other.iterdir()) == ["log.lock"]
