"""``rollcall up``: real processes, killed and stopped, on a small scenario."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from streams.exports import STAGE_OF
from streams.player import load_scenario
from streams.serving.queries import status
from streams.serving.store import STORE_FILE, reading
from tests.support.running import running_engine_in, runtime_of, started, wait_for

PORTS = ("--headless", "--api-port", "0", "--metrics-port", "0")


def store(data, question):
    if not (data / STORE_FILE).exists():
        return None
    with reading(data / STORE_FILE) as engine:
        return question(engine)


def phase(data):
    said = store(data, runtime_of)
    return said and said.phase


def clock(data):
    return store(data, status).as_of


def alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def children_of(pid):
    """Return the children of a process by what they do."""
    found = {}
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            line = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            found[next((w for w in ("engine", "poll", "dispatch") if w in line), "?")] = int(child)
    return found


def exports(rollcall, data):
    """Return the state at the scenario's end, the clock having been cut off there."""
    return {kind: rollcall("export", kind, data=data).out for kind in STAGE_OF}


@pytest.fixture
def undisturbed(rollcall, small):
    """Return the exports of the scenario replayed in one go."""
    data = rollcall.folder / "undisturbed"
    rollcall("replay", small, data=data)
    return exports(rollcall, data)


def test_killed_at_any_time_a_demo_ends_as_an_undisturbed_one(rollcall, small, undisturbed):
    data = rollcall.data
    words = ("up", "--demo", small, "--minutes", "0.25", *PORTS)
    with started(data, *words) as up:
        up.wait_for("Rollcall is up")
        first = wait_for(lambda: (c := children_of(up.pid)).keys() >= {"engine", "dispatch"} and c)
        wait_for(lambda: phase(data) == "running" and clock(data))
        os.kill(first["engine"], signal.SIGKILL)
        up.wait_for("engine was killed by signal 9; it is started again at once")
        os.kill(first["dispatch"], signal.SIGKILL)
        up.wait_for("dispatch was killed by signal 9")
        up.wait_for("goes on at 2023-02-06")
        up.wait_for("small-2023 is over")
        wait_for(lambda: phase(data) == "ended", "the end")
        again = children_of(up.pid)
        assert again["engine"] != first["engine"]
        assert up.end(signal.SIGTERM) == 0
        assert up.lines[-1] == "stopped"
        assert not any(alive(pid) for pid in again.values())
    # The clock of a demo walks on after its end: bring the other one to the same second.
    last = rollcall("run", "--until-idle").out.rpartition("stands at ")[2].strip().replace(" ", "T")
    other = rollcall.folder / "undisturbed"
    rollcall("run", "--until-idle", "--now", last, data=other)
    assert exports(rollcall, data) == exports(rollcall, other)
    assert exports(rollcall, data)["ledger"] == undisturbed["ledger"]
    assert undisturbed["ledger"].count("\n") >= 2


def test_the_end_state_at_the_scenarios_own_end_is_the_replays(rollcall, small, undisturbed):
    scenario = load_scenario(small)
    with running_engine_in(rollcall.data, scenario, speed=2000.0) as at:
        wait_for(lambda: phase(rollcall.data) == "ended")
        assert any(line.startswith("register: 200 of 200") for line in at.said)
        feeds = store(rollcall.data, status).feeds
    assert [(f.feed, f.state, f.reason) for f in feeds] == [("gdacs", "down", "answered HTTP 503")]
    ours = exports(rollcall, rollcall.data)
    assert ours["ledger"] == undisturbed["ledger"]
    assert ours["exposures"] == undisturbed["exposures"]


def test_a_second_up_is_refused_in_words_and_nothing_is_left_behind(rollcall, small):
    words = ("up", "--demo", small, "--minutes", "10", *PORTS)
    with started(rollcall.data, *words) as up:
        up.wait_for("Rollcall is up")
        refused = rollcall("up", *PORTS, code=4)
        assert refused.err == (
            f"Error: the system in {rollcall.data} is up already, by process {up.pid}.\n"
            "Next: stop that one first, or name another data directory with --data.\n"
        )
        children = children_of(up.pid)
        os.kill(up.pid, signal.SIGKILL)
        up.process.wait()
        wait_for(lambda: not any(alive(pid) for pid in children.values()), "the children's end")


def test_an_officer_acts_while_it_is_up(rollcall, small):
    words = ("up", "--demo", small, "--minutes", "10", *PORTS)
    with started(rollcall.data, *words) as up:
        up.wait_for("Rollcall is up")
        wait_for(lambda: phase(rollcall.data) == "running")
        act = ("title=Drill", "hazard=other", "countries=TR", "--as", "o7", "--reason", "asked")
        said = rollcall("do", "declare", *act)
        assert said.out.endswith("accepted, the running engine carries it out\n")
        wait_for(lambda: [s.title for s in store(rollcall.data, status).situations] == ["Drill"])
        bad = rollcall("do", "acknowledge", "alert_id=nope", "--as", "o7", "--reason", "x", code=2)
        assert "there is no alert_id nope" in bad.err
        line = '{"type":"CheckedIn","event_id":"c9","source":"app","person_id":"dan.1",'
        file = rollcall.file(
            "more.ndjson", line + '"occurred_at":"2023-02-06T01:00:00Z","state":"safe"}'
        )
        taken = rollcall("ingest", file).lines[0]
        assert taken == "more.ndjson: 1 accepted, 0 rejected, 0 duplicate, 0 conflict"
        again = rollcall("ingest", file).lines[0]
        assert again == "more.ndjson: 0 accepted, 0 rejected, 1 duplicate, 0 conflict"
        assert up.end(signal.SIGINT) == 0


def test_a_part_that_dies_twice_is_a_fault_on_the_wall(rollcall, small):
    words = ("up", "--demo", small, "--minutes", "10", *PORTS)
    with started(rollcall.data, *words) as up:
        up.wait_for("Rollcall is up")
        for _ in range(2):
            pid = wait_for(lambda: children_of(up.pid).get("dispatch"))
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda gone=pid: not alive(gone))
        up.wait_for("FAULT: dispatch died twice within ten seconds")
        faults = wait_for(lambda: store(rollcall.data, status).faults)
        assert [(one.fault, one.stage) for one in faults] == [("child_died_twice", "dispatch")]
        assert up.end(signal.SIGTERM) == 0


def test_a_demo_that_is_over_begins_anew_and_other_data_never_does(rollcall, small):
    data = rollcall.data
    with running_engine_in(data, load_scenario(small), speed=4000.0):
        wait_for(lambda: phase(data) == "ended")
    refused = rollcall("up", "--demo", small, "--fresh", *PORTS, code=2)
    assert "was not made by a demo, so nothing in it is deleted" in refused.err
    (data / "demo.json").write_text('{"scenario":"small-2023"}')
    with started(data, "up", "--demo", small, "--minutes", "10", *PORTS) as up:
        up.wait_for("the demo begins anew")
        up.wait_for("Rollcall is up")
        assert wait_for(lambda: phase(data)) != "ended"
        assert up.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--demo", "atlantis"), 2, "there is no scenario atlantis"),
        (("--fresh",), 2, "no other data is ever deleted"),
        (("--at-end", "repeat"), 2, "no other data is ever deleted"),
    ],
)
def test_what_cannot_be_run_is_refused(rollcall, words, code, sentence):
    assert sentence in rollcall("up", *words, *PORTS, code=code).err
    assert not rollcall.data.exists()


def test_a_taken_port_and_an_owned_log_are_refused_before_any_child(rollcall, small):
    with running_engine_in(rollcall.data, load_scenario(small)) as at:
        assert "is in use by process" in rollcall("up", "--demo", small, *PORTS, code=4).err
        taken = httpx.URL(at.api).port
        other = rollcall.folder / "other"
        words = ("up", "--headless", "--api-port", taken, "--metrics-port", "0")
        said = rollcall(*words, code=4, data=other).err
        assert f"the HTTP API cannot listen on 127.0.0.1:{taken}: Address already in use" in said


def test_a_log_of_another_clock_ends_up_with_the_engines_words(rollcall, small):
    rollcall("replay", small, "--no-population")
    with started(rollcall.data, "up", *PORTS) as up:
        assert up.process.wait(60) == 6
        up.wait_for("is a replay's: it runs on the clock scenario(2023-02-06T01:00:00+00:00, 1)")
