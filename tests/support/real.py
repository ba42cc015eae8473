"""A cluster with all its roles, to be measured: broker, database, processes."""

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.kafka import Cluster
from infra.postgres import Postgres
from streams.backends.kafka.public import PublicLog
from streams.clock import WALL
from streams.ports import NewRecord
from tests.support.cluster import environment_of, make_topics, settings_for
from tests.support.running import Process, wait_for

TICKS_S = os.sysconf("SC_CLK_TCK")

WORKS_ON = " goes on at "


class Real:
    """A system of ``shards`` under a prefix of its own; closes all it has started."""

    def __init__(self, closes, *, shards, brokers=1):
        # In /tmp: PostgreSQL's own user must be able to enter.
        self.folder = Path(closes.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-")))
        self.folder.chmod(0o755)
        self._closes = closes
        self.cluster = closes.enter_context(Cluster(self.folder / "kafka", brokers=brokers))
        self.postgres = closes.enter_context(Postgres(self.folder / "postgres"))
        self.settings = settings_for(self.cluster.bootstrap, self.folder, brokers)
        make_topics(self.settings, shards, WALL)
        self.shards = shards
        self.log = PublicLog(self.settings, self.folder / "reading")
        closes.callback(self.log.close)
        self.environment = environment_of(self.settings)
        self.environment["ROLLCALL_STORE_URL"] = self.postgres.url

    def start(self, *words, name=None, **said):
        """Start a role, as a process of its own."""
        told = self.environment | {f"ROLLCALL_{key}": str(value) for key, value in said.items()}
        process = Process(self.folder / (name or words[0]), *words, env=told)
        self._closes.callback(process.close)
        return process

    def merge(self):
        """Start MERGE; return it once it leads."""
        process = self.start("merge", "--metrics-port", "0")
        process.wait_for("leads: writes the ticks")
        return process

    def workers(self, count=1, **said):
        """Start workers; return them once every partition is at work."""
        found = [self.start("worker", name=f"worker-{n}", **said) for n in range(count)]

        def all_at_work():
            for one in found:
                assert one.process.poll() is None, one.lines[-10:]
            return sum(len(held_by(one)) for one in found) == self.shards + 2

        wait_for(all_at_work, f"all at work {[one.lines[-5:] for one in found]}", 180)
        return found

    def put(self, *routed):
        """Append records straight to the stages' inputs: (topic, partition, key, event)."""
        self.log.append([NewRecord(*one) for one in routed])


def held_by(worker):
    """The partitions that a worker says it works on."""
    mine = set()
    for line in list(worker.lines):
        if WORKS_ON in line:
            mine.add(line.partition(WORKS_ON)[0])
        elif " is handed over" in line:
            mine.discard(line.partition(" is handed over")[0])
    return mine


def cpu_s(pid):
    """CPU seconds of a process so far, its threads together, its ended children left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def rss_bytes(pid):
    """Memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid):
    """How many file descriptors a process holds."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def real(shards=8, brokers=1):
    """Yield a system; whatever it has started is ended with it."""
    with ExitStack() as closes:
        yield Real(closes, shards=shards, brokers=brokers)
