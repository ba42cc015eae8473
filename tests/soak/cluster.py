"""A cluster under steady load for long: does anything grow that should not?

    python -m tests.soak.cluster --hours 0.5 --out var/soak

Broker, database, MERGE, two workers, the writer and the dispatcher run as
processes of their own; people check in at a steady rate. Every ten seconds
memory, file descriptors and lag are written down. At the end: the slope of the
memory of each process after its warm-up, how much the file descriptors moved,
and whether all was dealt with. The samples are a CSV, and a picture.
"""

import argparse
import csv
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np

from streams.backends.kafka.admin import Admin
from streams.errors import RollcallError
from tests.bench.cluster import SHARDS, begin, idle, publish
from tests.bench.stages import check_in
from tests.support.real import Real, cpu_s, open_files, real, rss_bytes
from tests.support.running import wait_for

PAUSE_S = 0.1
EVERY_S = 10.0
WORKERS = 2
MOST_MB_PER_MIN = 1.0
MOST_FILES = 5


class Sample(NamedTuple):
    """What one process held at a moment."""

    at_s: float
    role: str
    rss_mb: float
    files: int
    cpu_s: float
    lag: int


class Soak:
    """The load, and what is written down meanwhile."""

    def __init__(self, system: Real, rate: int, people: int) -> None:
        self._system, self._rate, self._people = system, rate, people
        self._random = np.random.default_rng(5)
        self.samples: list[Sample] = []
        self.sent = 0
        workers = {f"worker {n}": one for n, one in enumerate(system.workers(WORKERS))}
        others = {name: system.start(name) for name in ("write", "dispatch")}
        self.processes = {"merge": system.merge(), **workers, **others}

    def run(self, seconds: float) -> None:
        """Check in at the rate, and sample, for so long."""
        began_s = time.monotonic()
        sampled_s = -EVERY_S
        while (now_s := time.monotonic() - began_s) < seconds:
            self._send(int(now_s * self._rate))
            if now_s - sampled_s >= EVERY_S:
                sampled_s = now_s
                self._sample(now_s)
            time.sleep(PAUSE_S)

    def _send(self, due: int) -> None:
        now = datetime.now(UTC)
        group = []
        for n in range(self.sent, due):
            lon, lat = self._random.normal((2.35, 48.86), 0.0003)
            group.append(check_in(n, n % self._people, float(lon), float(lat), now))
        publish(self._system, group)
        self.sent = due

    def _sample(self, at_s: float) -> None:
        lag = self.lag()
        for role, one in self.processes.items():
            assert one.process.poll() is None, (role, one.lines[-10:])
            mb = rss_bytes(one.pid) / 2**20
            self.samples.append(Sample(at_s, role, mb, open_files(one.pid), cpu_s(one.pid), lag))
        total = sum(s.rss_mb for s in self.samples[-len(self.processes) :])
        print(
            f"{at_s / 60:6.1f} min  {self.sent:9,} sent  lag {lag:6,}  {total:7.0f} MB", flush=True
        )

    def lag(self) -> int:
        """Return how many records wait anywhere; those of transactions' marks count too."""
        try:
            with Admin.connect(self._system.settings) as admin:
                return sum(one.end - one.committed for one in admin.lags())
        except RollcallError as error:
            print(f"the lag is not known: {error}")
            return -1


def verdict(samples: list[Sample], warm_s: float) -> bool:
    """Print the slopes; return whether each is within its bounds."""
    well = True
    print(f"{'role':10} {'MB at end':>10} {'MB/min':>8} {'files':>11} {'CPU':>6}")
    for role in dict.fromkeys(sample.role for sample in samples):
        mine = [s for s in samples if s.role == role]
        warm = [s for s in mine if s.at_s >= warm_s] or mine
        at_min = np.array([s.at_s for s in warm]) / 60
        slope = float(np.polyfit(at_min, [s.rss_mb for s in warm], 1)[0]) if len(warm) > 1 else 0.0
        least, most = min(s.files for s in warm), max(s.files for s in warm)
        share = (mine[-1].cpu_s - mine[0].cpu_s) / max(mine[-1].at_s - mine[0].at_s, 1e-9)
        print(f"{role:10} {mine[-1].rss_mb:10.0f} {slope:8.2f} {least:5} to {most:<3} {share:6.0%}")
        well &= slope < MOST_MB_PER_MIN and most - least <= MOST_FILES
    return well


def written(samples: list[Sample], folder: Path) -> None:
    """Write the samples as a table, and as a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "soak.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(Sample._fields)
        table.writerows(samples)
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(3, 1, figsize=(9, 9), sharex=True, layout="constrained")
    for role in dict.fromkeys(sample.role for sample in samples):
        mine = [s for s in samples if s.role == role]
        at_min = [s.at_s / 60 for s in mine]
        axes[0].plot(at_min, [s.rss_mb for s in mine], label=role)
        axes[1].plot(at_min, [s.files for s in mine], label=role)
    axes[2].plot(at_min, [s.lag for s in mine], color="black")
    titles = ("resident memory, MB", "file descriptors", "lag, records")
    for axis, words in zip(axes, titles, strict=True):
        axis.set_title(words, loc="left")
        axis.set_ylim(bottom=0)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend(ncols=3)
    axes[2].set_xlabel("minutes")
    figure.savefig(folder / "soak.png", dpi=120)
    print(f"written: {folder / 'soak.csv'}, {folder / 'soak.png'}")


def main() -> int:
    """Return 0 if all is within its bounds."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--hours", type=float, default=0.5)
    options.add_argument("--rate", type=int, default=500, help="check-ins a second")
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--warm", type=float, default=10.0, help="minutes that do not count")
    options.add_argument("--out", type=Path, default=Path("var/soak"))
    given = options.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.1f}")
    with real(SHARDS) as system:
        begin(system, given.people, (2.35, 48.86, "FR"))
        soak = Soak(system, given.rate, given.people)
        soak.run(given.hours * 3600)
        wait_for(lambda: idle(system), "all dealt with", 120)
        print(f"{soak.sent:,} check-ins sent; lag at the end: 0 of the stages")
        codes = {role: one.end(15, 60) for role, one in soak.processes.items()}
        written(soak.samples, given.out)
        well = verdict(soak.samples, given.warm * 60)
    print(f"exit codes: {codes}")
    return int(not well or any(codes.values()))


if __name__ == "__main__":
    sys.exit(main())
