"""Kill MERGE at random while strangers publish: in = out + rejected + pending.

    python -m tests.kills.merge --kills 20 --seed 1

Two processes of MERGE share the public topics. Every few seconds, chosen by the
seed, one is killed (-9) and started again. Among what is published every
twentieth record is one that may not enter. The figures are printed as they
change; at the end nothing is pending, and what was read twice after a kill
stands twice in a stage's input under one event id, which the stages know.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer

from infra.kafka import Cluster
from schemas.codec import decode
from schemas.operations import MessageRejected
from streams.backends.kafka.log import KafkaLog
from streams.clock import WALL
from streams.core.stage import SHARD_INPUT
from streams.topology import DEAD_LETTERS
from tests.support.cluster import environment_of, everything, make_topics, settings_for
from tests.support.running import Process, wait_for

SHARDS = 4
PAUSE_S = (2.0, 6.0)
A_SECOND = 200
BAD_EVERY = 20
PATIENCE_S = 180.0


class Publisher:
    """A stranger: publishes check-ins at a rate until told to stop; all are acknowledged."""

    def __init__(self, settings):
        self._topic = f"{settings.prefix}check-ins"
        self._producer = Producer({"bootstrap.servers": settings.bootstrap, "acks": "all"})
        self.good = self.bad = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def _publish(self):
        number = 0
        while not self._over.wait(1 / A_SECOND):
            person = f"h{number % 500}.1"
            said = {
                "event_id": f"app-{number}",
                "source": "app",
                "occurred_at": datetime.now(UTC).isoformat(),
                "person_id": person,
                "state": "safe",
            }
            bad = number % BAD_EVERY == 0
            if bad:
                said["phone"] = "+32 470 12 34 56"
            self._producer.produce(self._topic, json.dumps(said), person, on_delivery=self._note)
            self._producer.poll(0)
            number += 1

    def _note(self, error, message):
        assert error is None, error
        if b"phone" in message.value():
            self.bad += 1
        else:
            self.good += 1

    def end(self):
        self._over.set()
        self._thread.join()
        assert self._producer.flush(30) == 0


def figures(log, published):
    """Return what came in, went out, was rejected and is pending; and what stands twice."""
    out = Counter(
        decode(record.name, record.body).event_id
        for shard in range(SHARDS)
        for record in everything(log, SHARD_INPUT, shard)
        if record.name == "CheckedIn"
    )
    said = [decode(r.name, r.body) for r in everything(log, DEAD_LETTERS)]
    letters = [one for one in said if isinstance(one, MessageRejected)]
    rejected = {(one.partition, one.offset) for one in letters}
    pending = published - len(out) - len(rejected)
    return published, len(out), len(rejected), pending, out.total() - len(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    chance = random.Random(wanted.seed)
    never = threading.Event()
    with tempfile.TemporaryDirectory() as scratch, Cluster(Path(scratch) / "kafka") as cluster:
        folder = Path(scratch)
        settings = settings_for(cluster.bootstrap, folder)
        make_topics(settings, SHARDS, WALL)
        environment = environment_of(settings)
        log = KafkaLog(settings, folder / "reading")

        def start(name):
            return Process(folder / name, "merge", "--metrics-port", "0", env=environment)

        running = {name: start(name) for name in ("one", "two")}
        stranger = Publisher(settings)
        for kill in range(1, wanted.kills + 1):
            never.wait(chance.uniform(*PAUSE_S))
            name = chance.choice(sorted(running))
            running[name].process.kill()
            running[name].close()
            running[name] = start(name)
            came, out, rejected, pending, twice = figures(log, stranger.good + stranger.bad)
            print(f"kill {kill:3}: in {came} = out {out} + rejected {rejected} + pending {pending}"
                  f"  (read twice so far: {twice})", flush=True)  # fmt: skip
        stranger.end()
        published = stranger.good + stranger.bad
        wait_for(lambda: figures(log, published)[3] <= 0, "everything merged", PATIENCE_S)
        came, out, rejected, pending, twice = figures(log, published)
        for one in running.values():
            one.close()
        log.close()
    well = (out, rejected, pending) == (stranger.good, stranger.bad, 0)
    print(f"seed {wanted.seed}, {wanted.kills} kills: in {came} = out {out} + rejected {rejected}"
          f" + pending {pending}; published {stranger.good} good, {stranger.bad} bad;"
          f" read twice {twice}: {'equal' if well else 'DIFFERS'}")  # fmt: skip
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
