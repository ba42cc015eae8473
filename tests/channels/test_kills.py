"""A dispatcher killed with -9 forgets nothing; a receiver with keys has one effect each."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest

from streams.backends.sqlite import SqliteLog
from streams.clock import scenario
from streams.core.stage import ROOM_OUTPUT
from streams.ports import NewRecord
from streams.serving.deliveries import by_alert
from tests.channels.builders import AT, SCHEMA, SECRET, alert, etree_of, exercise, sent_from
from tests.kills.mortal import ROOT, Moment, command, deaths, timed

ALERTS = 6


@pytest.fixture
def ready(tmp_path, receiver):
    """Return a replay's data directory with alerts in it, and its settings."""
    data = tmp_path / "data"
    with closing(SqliteLog.open(data, shards=1, clock=scenario(AT))) as log:
        alerts = [*(alert(f"{n}") for n in range(ALERTS - 1)), exercise("drill")]
        log.append([NewRecord(ROOM_OUTPUT, 0, one.alert_id, one) for one in alerts])
    (tmp_path / "secret").write_text(SECRET + "\n")
    (data / "settings.toml").write_text(
        "[dispatch]\nin_replay = true\nout_dir = 'out'\n[dispatch.webhooks.duty]\n"
        f"url = '{receiver.url}'\nsecret_file = '{tmp_path / 'secret'}'\nexercise = true\n"
    )
    return data


def killed_at(data, point, times):
    """Run until it kills itself; return what it printed."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.channels.mortal", data, point, str(times)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, (run.returncode, run.stderr)
    return run


def found(data):
    with sent_from(data) as engine:
        return [one for all_of in by_alert(engine).values() for one in all_of]


def check_all_arrived(data, receiver):
    """Check that all is delivered, once in effect, and that repeats are marked."""
    rows = found(data)
    assert Counter((one.channel, one.state) for one in rows) == {
        ("console", "delivered"): ALERTS,
        ("file", "delivered"): ALERTS,
        ("webhook", "delivered"): ALERTS,
    }
    hooks = {one.delivery_id: one for one in rows if one.channel == "webhook"}
    assert receiver.effects == Counter(dict.fromkeys(hooks, 1))
    repeated = {key for key, times in receiver.arrived.items() if times > 1}
    assert repeated <= {key for key, one in hooks.items() if one.uncertain}
    assert all(len(bodies) == 1 for bodies in receiver.bodies.values())
    files = {path.stem for path in (data / "out").iterdir()}
    assert files == {one.delivery_id for one in rows if one.channel == "file"}
    for path in (data / "out").iterdir():
        SCHEMA.assertValid(etree_of(path))
    assert not any(one.uncertain for one in rows if one.channel == "file")


@pytest.mark.parametrize("point", ["taken", "begun", "sent", "ended"])
def test_killed_at_a_point(ready, receiver, rollcall, point):
    killed_at(ready, point, 1 if point == "taken" else 4)
    rollcall("dispatch", "--until-idle", data=ready)
    check_all_arrived(ready, receiver)
    unsure = sum(one.uncertain for one in found(ready))
    attempts = sum(one.attempts for one in found(ready))
    if point == "taken":
        assert (unsure, attempts) == (0, 3 * ALERTS)
    else:
        # Up to three were in flight; of them only what has no look-up is uncertain.
        assert unsure <= 2
        assert attempts <= 3 * ALERTS + 3


def test_killed_again_and_again_at_every_point(ready, receiver, rollcall):
    for point, times in (("begun", 2), ("sent", 1), ("ended", 2), ("sent", 2), ("begun", 1)):
        killed_at(ready, point, times)
    rollcall("dispatch", "--until-idle", data=ready)
    check_all_arrived(ready, receiver)
    # The same alert, killed in doubt twice, is repeated twice and has one effect.
    assert any(one.uncertain for one in found(ready))


@pytest.mark.parametrize(
    "kills", [3, pytest.param(40, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_killed_at_any_moment(ready, receiver, rollcall, kills, tmp_path):
    words = command(ready, "dispatch", "--until-idle")
    empty = tmp_path / "empty"
    with closing(SqliteLog.open(empty, shards=1)):
        whole_s = timed(command(empty, "dispatch", "--until-idle"), {})
    chance = random.Random(kills)
    moments = lambda: Moment(0, chance.uniform(whole_s / 2, whole_s * 1.2))
    assert list(deaths(words, {}, moments, at_most=kills)), "no kill hit"
    rollcall("dispatch", "--until-idle", data=ready)
    check_all_arrived(ready, receiver)
