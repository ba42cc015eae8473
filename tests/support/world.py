"""A small world of toys over a real log, for stories about the pump."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from schemas.codec import decode
from schemas.person import CheckedIn
from streams.backends.sqlite import SqliteLog
from streams.pump import Pump
from streams.recovery import StageKey
from streams.topology import OPERATIONS
from tests.support.toy import EVERYWHERE, Crash, Hand, at_desk, dump, toys

SHARDS = 3
DESK, ROOM = StageKey("desk", 0), StageKey("room", 0)
ROOT = Path(__file__).parents[2]
CROWD = [at_desk(n, f"h{n % 5}.1") for n in range(40)] + [at_desk(40, EVERYWHERE)]


class World:
    """A log in a folder, pumped by toys, dying and starting again."""

    def __init__(self, folder, engine="v1", **settings):
        self.folder = folder
        self.engine = engine
        self.settings = settings
        self.hand = Hand()

    @contextmanager
    def log(self, abort=None):
        extra = {} if abort is None else {"abort": abort}
        log = SqliteLog.open(self.folder, shards=SHARDS, wall=self.hand, **extra)
        try:
            yield log
        finally:
            log.close()

    @contextmanager
    def pump(self, abort=None):
        with self.log(abort) as log:
            yield log, self.on(log, abort)

    def on(self, log, abort=None):
        extra = {} if abort is None else {"abort": abort}
        return Pump(log, toys(SHARDS), self.engine, self.hand, **self.settings, **extra)

    def put(self, records):
        with self.log() as log:
            log.append(records)

    def run(self):
        """Run until idle and stop cleanly; return the records dealt with."""
        with self.pump() as (_, pump), pump:
            return pump.run_until_idle()

    def die(self, point, times=1):
        """Run until the n-th passing of a crash point; return whether it died there."""
        passed = 0

        def abort(at):
            nonlocal passed
            passed += point in {at, "any"}
            if passed == times:
                raise Crash

        try:
            with self.pump(abort) as (_, pump), pump:
                pump.run_until_idle()
        except Crash:
            return True
        return False

    def all(self):
        with self.log() as log:
            return dump(log)


def events(log, topic, partition=0):
    return [decode(r.name, r.body) for r in log.read(topic, partition, 0, 1000)]


def faults(log):
    return [(f.fault, f.stage, f.partition, f.offset, f.cleared) for f in events(log, OPERATIONS)]


def said(log, topic, partition=0):
    """Return whom the toy check-ins of a topic are about."""
    return [e.person_id for e in events(log, topic, partition) if isinstance(e, CheckedIn)]


def undisturbed(tmp_path, *parts, **settings):
    """Return all that stands in a log whose pump ran once after each part, unharmed."""
    world = World(tmp_path / "undisturbed", **settings)
    for records in parts:
        world.put(records)
        world.run()
    return world.all()


def worker(folder, death_at=0):
    command = [sys.executable, "-m", "tests.support.toy_worker", str(folder), str(death_at)]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode
