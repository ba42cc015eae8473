"""The engine: one process that owns a log, works it off and answers for it.

One thread works: it puts in what is due, has every stage take one batch, and
writes what came of it to the store, so that an act is to be seen at once. Two
more answer HTTP: the API, which appends to the log and wakes the first, and
the metrics. Once a second the engine says in the store that it is alive.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import socket
from typing import Any, NamedTuple

import msgspec

from streams.clock import ClockSpec
from streams.clock import scenario as scenario_clock
from streams.compose import System, backlog, make_pump, make_writer, open_log
from streams.drives import Drive, ScenarioDrive, WallDrive
from streams.errors import ClockMismatchError
from streams.feeds import ndjson
from streams.gauges import TickAge, readings
from streams.ingest.api import application
from streams.ingest.inlet import Inlet
from streams.loopback import Served, bound, url_of
from streams.metrics import Metrics
from streams.player import Scenario
from streams.scraped import pages
from streams.sections import Settings
from streams.serving.runtime import ConfiguredFeed, note_runtime
from streams.serving.writer import lag

ENGINE_FILE = "engine.json"
"""Where a running engine says how it can be reached."""

BEAT_S = 1.0
LONGEST_WAIT_S = 1.0


class EngineFile(msgspec.Struct, frozen=True, kw_only=True):
    """What ``engine.json`` holds; a killed engine leaves it behind."""

    pid: int
    api: str
    metrics: str


class Wanted(NamedTuple):
    """How an engine is to run: the wall's time, or a scenario at a pace.

    ``api`` and ``metrics`` are bound sockets; ``feeds`` those to be polled.
    """

    data: Path
    settings: Settings
    api: socket
    metrics: socket
    feeds: tuple[ConfiguredFeed, ...] = ()
    scenario: Scenario | None = None
    speed: float = 1.0


class Wake:
    """Wakes the one thread that waits for it; called from any thread and signal handler.

    A ``threading.Event`` that a handler sets can find its own lock taken, by
    the very code that the signal has interrupted, and wait for ever.
    """

    def __init__(self) -> None:
        """Begin asleep."""
        self._calls: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Let whoever waits go on, or not begin to wait."""
        self._calls.put(None)

    def taken(self) -> bool:
        """Tell whether it was set since the last look."""
        found = False
        while not self._calls.empty():
            self._calls.get()
            found = True
        return found

    def wait(self, longest_s: float) -> None:
        """Return when it is set, which the next look still sees, or time is up."""
        try:
            self._calls.get(timeout=longest_s)
        except Empty:
            return
        self._calls.put(None)


class Engine:
    """One engine at work; ``stop`` may be called from anywhere."""

    def __init__(self, system: System, drive: Drive, inlet: Inlet, wake: Wake) -> None:
        """Work on what is open."""
        self._system, self._drive, self._inlet, self._wake = system, drive, inlet, wake
        self._stopping = False
        self._beat_due_s = 0.0
        self._drained_s = 0.0
        self._unwritten = True  # what a kill has left

    def run(self) -> None:
        """Work until told to stop."""
        idle = False
        while not self._stopping:
            woken = self._wake.taken()
            moved = self._drive.advance(idle=idle)
            count = self._system.pump.step()
            self._unwritten |= bool(count) or moved or woken
            if time.monotonic() - self._drained_s >= self._drive.patience_s():
                self._write()
            idle = count == 0
            self._beat()
            if idle and not moved:
                self._wake.wait(min(max(self._drive.wait_s(), 0.0), LONGEST_WAIT_S))
        self._write()

    def _write(self) -> None:
        """Carry what the stages said into the store, where there is something."""
        if not self._unwritten:
            return
        self._unwritten = False
        reached = self._inlet.reached()
        self._system.writer.drain()
        self._inlet.drained(reached)
        self._drained_s = time.monotonic()

    def stop(self) -> None:
        """Take in no more, and end after the batch under way."""
        self._inlet.closed = True
        self._stopping = True
        self._wake.set()

    def last_tick_at(self) -> datetime | None:
        """Return where the log's clock stands, None before the first tick."""
        return self._system.log.last_tick_at()

    def health(self) -> Mapping[str, Any]:
        """Return how the engine is, for whoever asks over HTTP."""
        said = self._drive.runtime(datetime.now(UTC), 0)
        as_of = self._system.log.last_tick_at()
        return {
            "state": "stopping" if self._stopping else "running",
            "pid": os.getpid(),
            "mode": said.mode,
            "phase": said.phase,
            "as_of": None if as_of is None else as_of.isoformat(),
        }

    def _beat(self) -> None:
        now_s = time.monotonic()
        if now_s < self._beat_due_s:
            return
        self._beat_due_s = now_s + BEAT_S
        log, store = self._system.log, self._system.writer.engine
        behind = sum(backlog(log).values()) + lag(log, store)
        note_runtime(store, self._drive.runtime(datetime.now(UTC), behind))


@contextmanager
def engine(wanted: Wanted, say: Callable[[str], None]) -> Iterator[Engine]:
    """Open everything an engine needs, serve it, and close it in order."""
    data, settings = wanted.data, wanted.settings
    log = open_log(data, settings, _clock(wanted))
    with ExitStack() as closes:
        closes.callback(log.close)
        if wanted.scenario is None and log.clock_spec.kind != "wall":
            what = f"the log in {data} is a replay's: it runs on the clock {log.clock_spec}"
            raise ClockMismatchError(what, hint="name its scenario with --demo")
        writer = closes.enter_context(closing(make_writer(log, data, settings)))
        say("reading the state back" if log.last_tick_at() else "starting on an empty log")
        pump = closes.enter_context(make_pump(log, settings))
        wake, ticks, metrics = Wake(), TickAge(), Metrics()
        inlet = Inlet(log, metrics, wake.set)
        drive: Drive
        if wanted.scenario is None:
            drive = WallDrive(log, wanted.feeds, ticks.ticked)
        else:
            drive = ScenarioDrive(inlet, wanted.scenario, wanted.speed, ticks.ticked, say)
        working = Engine(System(log, pump, writer), drive, inlet, wake)
        metrics.read_gauges_from(partial(readings, log, data, ticks))
        api = application(inlet, ndjson.parse, working.health)
        closes.callback(Served(api, wanted.api, "api").stop)
        closes.callback(Served(pages(metrics.registry), wanted.metrics, "metrics").stop)
        closes.enter_context(_announced(wanted))
        yield working


def _clock(wanted: Wanted) -> ClockSpec | None:
    return None if wanted.scenario is None else scenario_clock(wanted.scenario.start)


@contextmanager
def _announced(wanted: Wanted) -> Iterator[None]:
    """Keep ``engine.json`` in the data directory for as long as this lasts."""
    said = EngineFile(pid=os.getpid(), api=url_of(wanted.api), metrics=url_of(wanted.metrics))
    path = wanted.data / ENGINE_FILE
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.encode(said))
    unfinished.rename(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def listening(api: int, metrics: int) -> tuple[socket, socket]:
    """Return the bound sockets of API and metrics; ``PortInUseError`` in words."""
    first = bound(api, "the HTTP API")
    try:
        return first, bound(metrics, "the metrics")
    except BaseException:
        first.close()
        raise
