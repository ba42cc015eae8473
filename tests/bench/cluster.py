"""The figures of a cluster: a worker and MERGE beside their peers, latency, taking over.

    python -m tests.bench.cluster

Apache Kafka and PostgreSQL are started for it, every role is a process of its
own. Check-ins stand in the public topic first; the peers, MERGE and a worker
then each read the same ones, one after the other, timed from the first record
to the last. CPU is that of the process, all threads together.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg

from infra.kafka import jars
from infra.postgres import server
from streams.core.stage import DESK_INPUT, SHARD_INPUT
from streams.errors import RollcallError
from streams.ports import NewRecord
from streams.recovery import INPUT_OF
from streams.topology import partition_of
from tests.bench.stages import check_in, quake, registration, tick
from tests.support.cluster import stage_keys
from tests.support.real import Real, cpu_s, real
from tests.support.running import wait_for

PEERS = Path(__file__).parent / "peers"
SHARDS = 8
CHUNK = 10_000
PAUSE_S = 0.02
PARIS, PAZARCIK = (2.35, 48.86, "FR"), (37.0, 37.2, "TR")


class Took(NamedTuple):
    """What it cost to deal with so many records."""

    records: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        """Say it as rates."""
        return (
            f"{self.records / self.wall_s:9,.0f}/s {self.records / self.cpu_s:9,.0f}/s CPU"
            f" {1e6 * self.cpu_s / self.records:7.1f} us CPU a record"
        )


def into_shards(system: Real, events) -> None:
    """Append facts of people straight to their shards, in large pieces."""
    piece = []
    for event in events:
        key = event.person_id
        place = partition_of(key, system.shards)
        piece.append(NewRecord(SHARD_INPUT, place, key, event))
        if len(piece) == CHUNK:
            system.log.append(piece)
            piece = []
    system.log.append(piece)


def publish(system: Real, events) -> None:
    """Publish facts of people to their public topics, in large pieces."""
    piece = []
    for event in events:
        place = NewRecord(
            SHARD_INPUT, partition_of(event.person_id, SHARDS), event.person_id, event
        )
        piece.append([place])
        if len(piece) == CHUNK:
            system.log.intake(piece)
            piece = []
    system.log.intake(piece)


def idle(system: Real) -> bool:
    """Tell whether every stage has dealt with all there is now."""
    log = system.log
    try:
        return all(
            log.committed(*key) >= log.end(INPUT_OF[key.stage], key.partition)
            for key in stage_keys(system.shards)
        )
    except RollcallError:
        return False


def shards_done(system: Real, ends: list[int]) -> bool:
    return all(system.log.committed("shard", n) >= end for n, end in enumerate(ends))


def begin(system: Real, people: int, place: tuple[float, float, str]) -> None:
    """Have so many people registered, and an earthquake at Pazarcik, dealt with."""
    into_shards(system, (registration(n, *place) for n in range(people)))
    now = datetime.now(UTC)
    for event in (tick(now), quake("a", now - timedelta(hours=1)), tick(now)):
        system.log.append([NewRecord(DESK_INPUT, 0, event.event_id, event)])
    (worker,) = system.workers()
    wait_for(lambda: idle(system), "an idle cluster", 300)
    assert worker.end(15, 120) == 0


def peer(system: Real, python: str, script: str, records: int) -> Took:
    """Run one peer over the check-ins of the public topic."""
    line = [python, str(PEERS / script), "--bootstrap", system.settings.bootstrap]
    line += ["--topic", f"{system.settings.prefix}check-ins", "--records", str(records)]
    line += ["--group", f"{system.settings.prefix}{script}-{time.monotonic_ns()}"]
    done = subprocess.run(line, check=True, capture_output=True, text=True, timeout=600)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["records"] == records
    return Took(records, said["wall_s"], said["cpu_s"])


def merged(system: Real, records: int) -> Took:
    """Let MERGE route what is published, until all of it stands in the shards' input."""

    def waiting() -> int:
        return sum(system.log.end(SHARD_INPUT, n) for n in range(SHARDS))

    before = waiting()
    process = system.start("merge", "--metrics-port", "0")
    wait_for(lambda: waiting() > before, "the first record merged", 120)
    # What was merged before it was seen is left out of both, records and time.
    first, began_s, began_cpu_s = waiting(), time.monotonic(), cpu_s(process.pid)

    wait_for(lambda: waiting() - before >= records, "all records merged", 600)
    took = Took(
        before + records - first, time.monotonic() - began_s, cpu_s(process.pid) - began_cpu_s
    )
    assert process.end(15, 30) == 0
    return took


def worked(system: Real, records: int) -> Took:
    """Let one worker deal with what stands in the shards' input."""
    ends = [system.log.end(SHARD_INPUT, n) for n in range(SHARDS)]
    starts = [system.log.committed("shard", n) for n in range(SHARDS)]
    (worker,) = system.workers()
    done = [system.log.committed("shard", n) for n in range(SHARDS)]
    began_s, began_cpu_s = time.monotonic(), cpu_s(worker.pid)
    wait_for(lambda: shards_done(system, ends), "all dealt with", 600)
    wall_s, spent_s = time.monotonic() - began_s, cpu_s(worker.pid) - began_cpu_s
    # Committed while the last partitions were still being taken over.
    early = (sum(done) - sum(starts)) / (sum(ends) - sum(starts))
    assert worker.end(15, 120) == 0
    return Took(round(records * (1 - early)), wall_s, spent_s)


def throughput(records: int, *, affected: bool, quix: str | None) -> None:
    """Print what MERGE, a worker and the peers make of the same check-ins."""
    with real(SHARDS) as system:
        place = PAZARCIK if affected else PARIS
        people = records // 10
        begin(system, people, place)
        random = np.random.default_rng(1)
        lons = place[0] + random.uniform(-0.5, 0.5, records)
        lats = place[1] + random.uniform(-0.4, 0.4, records)
        now = datetime.now(UTC)
        publish(
            system,
            (
                check_in(
                    n,
                    n % people,
                    float(lons[n]),
                    float(lats[n]),
                    now - timedelta(milliseconds=records - n),
                )
                for n in range(records)
            ),
        )
        print(
            f"{records:,} check-ins of {people:,} people, {'all' if affected else 'none'} affected"
        )
        found = {"confluent-kafka loop": peer(system, sys.executable, "confluent_loop.py", records)}
        if quix is not None:
            found["Quix Streams app"] = peer(system, quix, "quix_app.py", records)
        found["Faust agent"] = peer(system, sys.executable, "faust_agent.py", records)
        found["rollcall merge"] = merged(system, records)
        found["rollcall worker"] = worked(system, records)
        for name, took in found.items():
            ratio = took.records / took.cpu_s / (records / found["Faust agent"].cpu_s)
            print(f"  {name:22} {took}  {ratio:6.2f} x bare Faust", flush=True)


def latency(rate: int, seconds: int) -> None:
    """Print how long a check-in takes from the public topic to the row in PostgreSQL."""
    count = rate * seconds
    with real(SHARDS) as system:
        begin(system, count, PARIS)
        system.merge()
        system.workers()
        writer = system.start("write")
        writer.wait_for("writing to")

        wait_for(lambda: summed(system.postgres.url), "the first sum in the store", 120)
        _measure(system, rate, count)


def summed(url: str) -> bool:
    """Tell whether the writer has brought the sum of a situation to the database."""
    with psycopg.connect(url) as asked:
        there = asked.execute("SELECT to_regclass('serving.situations')").fetchone()
        if there is None or there[0] is None:
            return False
        return bool(asked.execute("SELECT 1 FROM serving.situations").fetchone())


def _measure(system: Real, rate: int, count: int) -> None:
    sent_s: dict[str, float] = {}
    took_ms: list[float] = []
    ask = "SELECT person_id FROM serving.exposures WHERE person_id = ANY(%s)"
    with psycopg.connect(system.postgres.url, autocommit=True) as database:
        start, n = time.monotonic(), 0
        while len(took_ms) < count:
            due = min(count, int((time.monotonic() - start) * rate) + 1)
            now = datetime.now(UTC)
            group = [check_in(i, i, 37.0, 37.2, now) for i in range(n, due)]
            # Each is due at its own moment, not when its group is sent.
            sent_s |= {e.person_id: start + i / rate for i, e in enumerate(group, n)}
            publish(system, group)
            n = due
            rows = database.execute(ask, [list(sent_s)]).fetchall()
            at = time.monotonic()
            took_ms += [1000 * (at - sent_s.pop(person_id)) for (person_id,) in rows]
            time.sleep(PAUSE_S)
            if at - start > 2 * count / rate + 60:
                msg = f"{len(sent_s)} check-ins did not arrive in the store"
                raise AssertionError(msg)
    p50, p99 = np.percentile(took_ms, [50, 99])
    print(
        f"check-in to row in PostgreSQL through MERGE, {rate}/s: p50 {p50:.0f} ms,"
        f" p99 {p99:.0f} ms, max {max(took_ms):.0f} ms  (goal 50 / 250 ms)",
        flush=True,
    )


def restores(people: int) -> None:
    """Print how long a worker takes to serve so many people again, with and without its disk."""
    with real(SHARDS) as system:
        began_s = time.monotonic()
        begin(system, people, PARIS)
        print(f"{people:,} people registered and dealt with in {time.monotonic() - began_s:.0f} s")
        for where in ("its own disk", "the cluster alone"):
            name = "worker-0" if where == "its own disk" else "another"
            began_s = time.monotonic()
            worker = system.start("worker", name=name)
            wait_for(
                lambda one=worker: sum(" goes on at " in line for line in one.lines) == SHARDS + 2,
                f"all at work {worker.lines[-5:]}",
                300,
            )
            took_s = time.monotonic() - began_s
            print(f"restart with {people:,} people from {where}: {took_s:.1f} s from start to work")
            assert worker.end(15, 120) == 0


def quix_python(folder: Path) -> str:
    """Return the interpreter of an environment with Quix Streams, made if need be."""
    python = folder / "bin" / "python"
    locked = PEERS / "requirements.txt"
    made = folder / "installed"
    if not made.is_file() or made.read_text(encoding="utf-8") != locked.read_text(encoding="utf-8"):
        venv.create(folder, with_pip=True, clear=True)
        options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        line = [str(python), "-m", "pip", "install", *options, "--require-hashes"]
        subprocess.run([*line, "-r", str(locked)], check=True)
        made.write_text(locked.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)


def main() -> None:
    """Print one line a figure."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--records", type=int, default=200_000)
    options.add_argument("--seconds", type=int, default=20, help="of check-ins at 500/s")
    options.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "quix")
    options.add_argument("--only", choices=("throughput", "latency", "restore"))
    given = options.parse_args()
    lacking = jars.missing_tools() or server.missing()
    if lacking:
        print(f"a cluster is not measured: {lacking}")
        return
    print(f"load average at the start: {os.getloadavg()[0]:.1f}")
    if given.only in {None, "throughput"}:
        quix = quix_python(given.peers)
        throughput(given.records, affected=False, quix=quix)
        throughput(given.records // 5, affected=True, quix=quix)
    if given.only in {None, "latency"}:
        latency(500, given.seconds)
    if given.only in {None, "restore"}:
        restores(given.people)
    print(f"load average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
