"""Kill workers of a cluster at random, and hold the end against a quiet system.

    python -m tests.kills.cluster --kills 50 --seed 1 --brokers 3

Past crises are played on Apache Kafka: two workers, the writer into PostgreSQL
and the dispatcher, whose webhook is answered by a receiver that counts effects.
At moments chosen by the seed a worker is killed (-9), at some point of its own
work, or frozen until another has taken over and then let go on as a zombie; now
and then writer or dispatcher are killed; in between the broker that leads the
desk's input is killed and started again. At the end the exports of state and the
alerts must be those of an undisturbed embedded system, no record may have been
dealt with twice (what was said of every person must be what one pass over the
same input says), and every alert must have had its effect exactly once.
"""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import psycopg

from infra.kafka import Cluster
from infra.postgres import Postgres
from schemas.alert import AlertRaised
from schemas.codec import decode
from streams.backends.kafka.log import KafkaLog
from streams.clock import scenario as scenario_clock
from streams.core.stage import DESK_INPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.errors import LogFailedError
from streams.player import plan
from streams.sections import Settings
from tests.kills.receiver import PATH, Receiver
from tests.kills.receiver import settings as settings_with
from tests.support.cluster import (
    alerts_of,
    desk_has_it,
    embedded,
    environment_of,
    everything,
    idle,
    make_topics,
    put,
    scenario_of,
    settings_for,
    state_of,
)
from tests.support.running import Process, wait_for

SCENARIOS = ("turkiye-2023", "marrakesh-2023", "tonga-2022")
SHARDS = 8
WORKERS = 2
PAUSE_S = (1.0, 6.0)
FROZEN_S = 15.0
PATIENCE_S = 180.0


class Roles:
    """The processes of one run, and what is done to them; ``at_most`` kills of workers."""

    def __init__(self, folder, environment, chance, at_most):
        self._folder, self._environment, self._chance = folder, environment, chance
        self._left = at_most
        self._over = threading.Event()
        self.done: Counter[str] = Counter()
        names = [*(f"worker-{n}" for n in range(WORKERS)), "write", "dispatch"]
        self._running = {name: self._start(name) for name in names}
        self._thread = threading.Thread(target=self._disturb, daemon=True)

    def _start(self, name):
        role = name.partition("-")[0]
        return Process(self._folder / name, role, env=self._environment)

    def begin(self):
        self._thread.start()

    def _disturb(self):
        while self._left and not self._over.wait(self._chance.uniform(*PAUSE_S)):
            name = self._chance.choice(list(self._running) * 2 + ["worker-0", "worker-1"] * 3)
            process, role = self._running[name], name.partition("-")[0]
            worker = role == "worker"
            if worker and self._chance.random() < 0.1:
                self.done["frozen"] += 1
                process.process.send_signal(signal.SIGSTOP)
                self._over.wait(FROZEN_S)
                process.process.send_signal(signal.SIGCONT)
                continue
            self._left -= worker
            self.done["killed" if worker else f"{role} killed"] += 1
            process.process.kill()
            process.close()
            self._running[name] = self._start(name)

    def rest(self):
        """Disturb no more."""
        self._over.set()
        self._thread.join()

    def end(self):
        codes = [one.end(signal.SIGTERM, 30) for one in self._running.values()]
        for one in self._running.values():
            one.close()
        return codes

    @property
    def lines(self):
        return [one.lines[-5:] for one in self._running.values()]


def kill_leader(cluster, log, done):
    """Kill the broker that leads the desk's input, and start it again."""
    leader = log._asker.leader(DESK_INPUT, 0)
    cluster.kill(leader)
    done["leader"] += 1
    cluster.start(leader)


def doubled(log, shards):
    """What was said twice: ids of outputs of the shards that stand there more than once."""
    ids = Counter(
        (record.name, record.key, record.body)
        for shard in range(shards)
        for record in everything(log, SHARD_OUTPUT, shard)
    )
    return [key[:2] for key, count in ids.items() if count > 1]


def sent(url):
    """Tell whether the dispatcher has ended all it has begun."""
    with psycopg.connect(url) as database:
        ask = "SELECT count(*) FROM deliveries.deliveries WHERE state = 'pending'"
        return database.execute(ask).fetchone() == (0,)


def effects_amiss(log, receiver):
    """What the receiver counted that is not one effect for each alert."""
    said = [decode(r.name, r.body) for r in everything(log, ROOM_OUTPUT)]
    raised = [one for one in said if isinstance(one, AlertRaised)]
    expected = Counter({(one.alert_id, PATH, one.intent): 1 for one in raised})
    more, less = receiver.effects - expected, expected - receiver.effects
    return [f"effects too many {dict(more)}, missing {dict(less)}"] if more or less else []


def run(cluster, postgres, folder, name, chance, at_most):
    """Play one crisis with at most so many kills; return what was done and what differs."""
    scenario = scenario_of(name)
    state, alerts = embedded(scenario, folder / "embedded")
    replication = len(cluster.nodes)
    settings = settings_for(cluster.bootstrap, folder, replication)
    make_topics(settings, SHARDS, scenario_clock(scenario.start))
    log = KafkaLog(settings, folder / "reading")
    receiver = Receiver()
    database = postgres.create_database(folder.name.replace("-", "_"))
    environment = environment_of(settings) | {
        "ROLLCALL_STORE_URL": database,
        "ROLLCALL_SETTINGS": str(settings_with(folder, receiver.server_port)),
    }
    roles = Roles(folder, environment, chance, at_most)
    roles.begin()
    try:
        steps = list(plan(scenario, None))
        for number, step in enumerate(steps):
            put(log, step)
            if step.what != "register":
                wait_for(lambda: _calm(desk_has_it, log), "the desk", PATIENCE_S)
            if replication > 1 and number == len(steps) // 2:
                kill_leader(cluster, log, roles.done)
        roles.rest()
        wait_for(lambda: _calm(idle, log), f"an idle cluster {roles.lines}", PATIENCE_S)
        amiss = effects_amiss
        wait_for(lambda: sent(database) and not amiss(log, receiver), "effects", PATIENCE_S)
        codes = roles.end()
        differs = [kind for kind, rows in state_of(log, Settings(kafka=settings)).items()
                   if rows != state[kind]]  # fmt: skip
        if alerts_of(log) != alerts:
            differs.append("alerts")
        if any(codes):
            differs.append(f"exit codes {codes}")
        twice = doubled(log, SHARDS)
        if twice:
            differs.append(f"said twice: {twice[:3]}")
        differs += effects_amiss(log, receiver)
        roles.done["effects"] = receiver.effects.total()
        roles.done["requests"] = receiver.received
    finally:
        log.close()
    return roles.done, differs


def _calm(asked, log):
    """Ask a cluster that may be without a leader for a moment."""
    try:
        return asked(log)
    except LogFailedError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    wanted = parser.parse_args()
    chance = random.Random(wanted.seed)
    total: Counter[str] = Counter()
    failed = False
    with ExitStack() as closes:
        folder = Path(closes.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL's own user must be able to enter
        postgres = closes.enter_context(Postgres(folder / "postgres"))
        cluster = closes.enter_context(Cluster(folder / "kafka", brokers=wanted.brokers))
        number = 0
        while total["killed"] < wanted.kills:
            name = SCENARIOS[number % len(SCENARIOS)]
            began_s = time.monotonic()
            here = folder / f"run-{number}"
            left = wanted.kills - total["killed"]
            done, differs = run(cluster, postgres, here, name, chance, left)
            total += done
            took_s = time.monotonic() - began_s
            print(f"{name}: {dict(done)}, {took_s:.0f} s: {differs or 'equal'}", flush=True)
            failed |= bool(differs)
            number += 1
    print(f"seed {wanted.seed}: {dict(total)} in {number} runs: {'DIFFERS' if failed else 'equal'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
