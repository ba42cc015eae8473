"""Killed with -9 at any moment, every command goes on to the same end."""

import random
from contextlib import closing
from datetime import date
from functools import partial
from io import BytesIO
from itertools import islice

import pytest

from streams.backends.sqlite import SqliteLog
from streams.core.stage import DESK_INPUT
from streams.merge import route
from streams.player import load_scenario, plan
from streams.population import generate, write_ndjson
from streams.ports import NewRecord
from tests.kills.looks import called, differences, journal, log_rows, state
from tests.kills.mortal import command, deaths, of_a_command, timed
from tests.kills.replays import KILLED, SCENARIO, UNDISTURBED, replays, small_scenario, summary

LINES = 5_000
BAD = 10


def test_five_kills_of_a_replay_change_nothing(tmp_path):
    results = list(replays(tmp_path, seed=11, kills=5))
    assert [one for one in results if not one.equal] == []
    assert sum(len(one.hits) for one in results) == 5


@pytest.mark.slow
def test_two_hundred_kills_of_replays_change_nothing(tmp_path, capsys):
    results = []
    for one in replays(tmp_path, seed=1, kills=200):
        results.append(one)
        with capsys.disabled():
            print(f"\nseed {one.seed}: {'; '.join(one.hits)}", end="", flush=True)
    with capsys.disabled():
        print(f"\n{summary(results)}")
    assert [one for one in results if not one.equal] == []
    assert sum(len(one.hits) for one in results) == 200


def test_a_tick_that_a_kill_left_unprocessed_goes_before_what_comes_next(tmp_path):
    folder, whole, killed = SCENARIO, tmp_path / "whole", tmp_path / "killed"
    called(whole, "replay", str(folder), "--no-population")

    # As a kill leaves it right after 02:40 was noted: someone needs help at 02:45.
    early = small_scenario(tmp_path / "early")
    toml = (early / "scenario.toml").read_text(encoding="utf-8")
    until_0230 = toml[: toml.index("# The morning")].replace("07T00:00:00Z", "06T02:30:00Z")
    (early / "scenario.toml").write_text(until_0230, encoding="utf-8")
    called(killed, "replay", str(early), "--no-population")
    steps = plan(load_scenario(folder), load_scenario(early).end)
    feeds = next(steps).events
    (tick,) = next(steps).events
    assert tick.event_id == "tick:2023-02-06T02:40:00Z"
    with closing(SqliteLog.open(killed)) as log:
        log.intake([[NewRecord(*place, one) for place in route(one, 1)] for one in feeds])
        log.append([NewRecord(DESK_INPUT, 0, "tick", tick)])

    called(killed, "replay", str(folder), "--no-population")
    assert differences(state(whole) | journal(whole), state(killed) | journal(killed)) == []
    assert log_rows(whole) == log_rows(killed)


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(15, marks=pytest.mark.slow)], ids=["once", "often"]
)
def test_killed_while_taking_in_a_file_and_while_processing_it(tmp_path, rounds):
    file = tmp_path / "events.ndjson"
    file.write_bytes(mixed())
    calls = (
        ("ingest", file, "--received-at", "2023-02-06T23:00:00Z"),
        ("run", "--until-idle", "--now", "2023-02-07T00:00:00Z"),
    )
    whole = tmp_path / "whole"
    whole_s = [timed(command(whole, *words), UNDISTURBED) for words in calls]
    expected = state(whole) | journal(whole)
    assert expected["deadletters"].count(b"\n") == BAD
    for one in range(rounds):
        chance = random.Random(f"{one}")
        killed = tmp_path / f"killed-{one}"
        for words, call_s in zip(calls, whole_s, strict=True):
            moment = partial(of_a_command, chance, call_s)
            hits = list(deaths(command(killed, *words), KILLED, moment, at_most=2))
            print(f"seed {one}: {words[0]} killed {len(hits)} times")
        assert differences(expected, state(killed) | journal(killed)) == [], one
        assert log_rows(killed) == log_rows(whole)


def mixed():
    """Return a file of people, reports, advice, signs of life, and nonsense."""
    scenario = load_scenario(SCENARIO)
    story = b"".join(
        payload
        for entry, payload in zip(scenario.entries, scenario.payloads, strict=True)
        if entry.file.endswith(".ndjson")
    )
    bad = b"".join(b'{"type": "CheckedIn", "event_id": "bad-%d"}\n' % n for n in range(BAD))
    register = BytesIO()
    count = LINES - BAD - story.count(b"\n")
    assert write_ndjson(islice(generate(7, LINES, date(2023, 2, 6)), count), register) == count
    return register.getvalue() + story + bad
