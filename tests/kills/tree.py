"""Kill the children of ``rollcall up`` at random, and hold the end against a quiet run.

    python -m tests.kills.tree --kills 30 --seed 1

A replay runs as it does for people: supervisor, engine, dispatcher, dashboard.
Every few seconds one child, chosen by the seed, is killed (-9). A receiver of
the webhook counts effects per (alert, recipient, intent), by idempotency key.
At the end the exports of state must equal those of an undisturbed replay, and
there must be exactly one effect for each alert.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from streams.backends.sqlite import SqliteLog
from streams.errors import StoreFailedError
from streams.serving.store import STORE_FILE, reading
from tests.kills.looks import differences, state
from tests.kills.mortal import ROOT, command, timed
from tests.kills.receiver import PATH, Receiver, settings
from tests.kills.replays import UNDISTURBED, small_scenario
from tests.support.running import runtime_of

ROLES = ("engine", "dispatch", "dashboard")
PATIENCE_S = 180.0
PAUSE_S = (1.0, 5.0)
"""Shortest and longest time between two kills: also before the last one is up again."""


class Child(NamedTuple):
    """One child of the supervisor."""

    pid: int
    role: str


def children(parent: int) -> list[Child]:
    """Return the running children of a process, by the role they were given."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            words = (path / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue  # it has just ended
        role = next((role for role in ROLES if role in words), None)
        if int(fields[1]) == parent and fields[0] != "Z" and role:
            found.append(Child(int(path.name), role))
    return sorted(found, key=lambda child: ROLES.index(child.role))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def phase(data: Path) -> str | None:
    """Return what the engine last said of the replay, None before it spoke."""
    if not (data / STORE_FILE).exists():
        return None
    try:
        with reading(data / STORE_FILE) as engine:
            said = runtime_of(engine)
    except StoreFailedError:
        return None  # its tables are being made
    return said.phase if said else None


def undelivered(data: Path) -> int:
    """Return how many deliveries wait."""
    words = command(data, "export", "deliveries")
    exported = subprocess.run(words, capture_output=True, check=False)  # there may be none yet
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    return sum(line["state"] == "pending" for line in lines) if lines else -1


def killed(folder: Path, scenario: Path, kills: int, seed: int, minutes: float) -> list[str]:
    """Run the tree, kill so many children; return what is wrong at the end."""
    chance = random.Random(seed)
    receiver = Receiver()
    data = folder / "killed"
    file = settings(folder, receiver.server_port)
    words = command(data, "--settings", file, "up", "--demo", scenario, "--minutes", minutes)
    words += ["--port", str(free_port()), "--api-port", "0", "--metrics-port", "0"]
    tree = subprocess.Popen(
        words,
        cwd=ROOT,
        env=os.environ | UNDISTURBED,
        stdout=(folder / "up.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    hits: Counter[str] = Counter()
    while hits.total() < kills and tree.poll() is None and phase(data) != "ended":
        time.sleep(chance.uniform(*PAUSE_S))
        alive = children(tree.pid)
        if alive:
            victim = chance.choice(alive)
            os.kill(victim.pid, signal.SIGKILL)
            hits[victim.role] += 1
            print(f"{hits.total():3} killed {victim.role}", flush=True)
    until_s = time.monotonic() + minutes * 60 + PATIENCE_S
    while time.monotonic() < until_s and (phase(data) != "ended" or undelivered(data)):
        time.sleep(1)
    tree.send_signal(signal.SIGINT)
    wrong = [f"up ended with {code}"] if (code := tree.wait(PATIENCE_S)) else []
    if hits.total() < kills:
        wrong.append(f"only {hits.total()} of {kills} kills before the end")
    if phase(data) != "ended":
        wrong.append("the replay did not come to its end")
    log = SqliteLog.open_read_only(data)
    now = log.last_tick_at()
    log.close()
    whole = folder / "whole"
    timed(command(whole, "replay", scenario), UNDISTURBED)
    timed(command(whole, "run", "--until-idle", "--now", now and now.isoformat()), UNDISTURBED)
    wrong += differences(state(whole), state(data))
    exported = subprocess.run(command(data, "export", "alerts"), capture_output=True, check=True)
    alerts = [json.loads(line) for line in exported.stdout.splitlines()]
    expected = Counter({(one["alert_id"], PATH, one["intent"]): 1 for one in alerts})
    if receiver.effects != expected or not expected:
        more, less = receiver.effects - expected, expected - receiver.effects
        wrong.append(f"effects too many {dict(more)}, missing {dict(less)}")
    print(
        f"{hits.total()} kills ({', '.join(f'{r} {n}' for r, n in hits.most_common())}); "
        f"{len(alerts)} alerts, {receiver.effects.total()} effects in {receiver.received} requests"
    )
    return wrong


def main() -> int:
    """Return 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills.tree", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=4.0)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        scenario = small_scenario(folder / "scenario")
        wrong = killed(folder, scenario, said.kills, said.seed, said.minutes)
        if wrong:
            print((folder / "up.log").read_text(encoding="utf-8", errors="replace")[-3000:])
    print(f"seed {said.seed}: {'; '.join(wrong) or 'equal, one effect each'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
