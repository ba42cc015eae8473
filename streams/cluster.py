"""The composition root of cluster mode: settings to the parts of one role."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import Any

from sqlalchemy.exc import DatabaseError

from streams import metrics as m
from streams.backends.kafka.asker import Asker
from streams.backends.kafka.log import KafkaLog
from streams.backends.kafka.membership import Membership
from streams.backends.kafka.metered import MeteredLog
from streams.backends.kafka.public import PublicLog
from streams.backends.sqlite import SqliteLog
from streams.clock import Clock
from streams.compose import engine_version, log_now, stage_factories
from streams.errors import BadInputError, LogFailedError, StoreFailedError
from streams.feeds import ndjson
from streams.gauges import stages, stored
from streams.ingest.api import application
from streams.ingest.inlet import Inlet
from streams.loopback import Served, url_of
from streams.metrics import Metrics, Reading, RoleMetrics
from streams.ports import EventLog
from streams.recovery import INPUT_OF
from streams.scraped import Page, Pulse, answering
from streams.sections import Settings
from streams.serving.postgres import Database
from streams.serving.runtime import (
    ConfiguredFeed,
    Runtime,
    forget_runtime,
    note_runtime,
    process_name,
)
from streams.serving.store import open_store
from streams.serving.writer import Writer, lag, partitions
from streams.topology import OPERATIONS
from streams.worker import How, Worker

BEAT_S = 1.0

LOOK_S = 3.0
"""How often API and workers see whether the brokers are there."""

NOT_YET = "the cluster has not answered yet"

WAIT_S = 0.2
"""Longest sleep of the writer before it looks whether to stop."""

AGAIN_S = 2.0
"""Pause of the writer after log or store has failed."""


@contextmanager
def cluster_log(data: Path, settings: Settings) -> Iterator[KafkaLog]:
    """Open the log of the cluster that the settings name; ``data`` is our own."""
    with closing(KafkaLog(settings.kafka, data)) as log:
        yield log


@contextmanager
def log_to_read(data: Path, settings: Settings) -> Iterator[EventLog]:
    """Open the log to read from: of the cluster, else of the data directory."""
    log: EventLog
    if settings.kafka.bootstrap:
        log = KafkaLog(settings.kafka, data)
    else:
        log = SqliteLog.open_read_only(data)
    with closing(log):
        yield log


@contextmanager
def public_log(data: Path, settings: Settings) -> Iterator[PublicLog]:
    """Open the public topics of the cluster, for what comes in from outside."""
    with closing(PublicLog(settings.kafka, data)) as log:
        yield log


def run_api(
    data: Path,
    settings: Settings,
    listener: socket,
    *,
    say: Callable[[str], None],
    asked: threading.Event,
    page: Page | None = None,
) -> None:
    """Answer HTTP until ``asked`` to stop: what comes in is published to the topics."""
    metrics, pulse = Metrics(m.API), Pulse(NOT_YET)
    with (
        answering(page, "api", metrics, pulse.why_not, say=say),
        public_log(data, settings) as log,
        _looking_out(settings, pulse),
    ):
        inlet = Inlet(log, metrics, lambda: None, most_waiting=0)

        def health() -> Mapping[str, Any]:
            at = log_now(log)
            state = "stopping" if asked.is_set() else "running"
            return {"state": state, "pid": os.getpid(), "as_of": at.isoformat()}

        answers = application(inlet, ndjson.parse, health)
        served = Served(answers, listener, "api", settings.ports.names)
        say(f"the API listens on {url_of(listener)}")
        asked.wait()
        inlet.closed = True
        served.stop()


@contextmanager
def _looking_out(settings: Settings, pulse: Pulse) -> Iterator[None]:
    """Let ``pulse`` say whether the brokers answer, for as long as this lasts.

    From a thread of its own, that nobody waits for: a question takes seconds while they are away.
    """
    over = threading.Event()

    def look() -> None:
        with closing(Asker(settings.kafka, f"{settings.kafka.prefix}stages")) as asker:
            while not over.is_set():
                try:
                    asker.end(OPERATIONS, 0)
                    pulse.beat()
                except LogFailedError as error:
                    pulse.hindered(str(error))
                over.wait(LOOK_S)

    threading.Thread(target=look, name="lookout", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def store_of(settings: Settings) -> Database:
    """Return the database of the serving store; ``BadInputError`` if none is named."""
    if not settings.store.url:
        what = "no serving store is named"
        hint = "set store.url, as postgresql://user@host:5432/rollcall, and store.password_file"
        raise BadInputError(what, hint=hint)
    return Database(settings.store.url, settings.store.password_file)


def run_worker(
    data: Path,
    settings: Settings,
    *,
    say: Callable[[str], None],
    stopped: Callable[[], bool],
    page: Page | None = None,
    abort: Callable[[str], None] = lambda _point: None,
) -> None:
    """Work on what the group gives, until ``stopped``; ``abort`` is called as ``Lane`` says.

    And with "writing" inside each transaction, for tests that die there.
    """
    metrics = RoleMetrics(m.WORKER)
    for counted in (m.WORKER_RECORDS, m.WORKER_EVENTS):
        metrics.begin(counted, INPUT_OF)
    with closing(MeteredLog(settings.kafka, data, metrics, abort)) as log:
        how = How(
            engine_version(settings),
            stage_factories(log.shards, settings),
            settings.pump.batch,
            settings.pump.snapshot_every,
            say,
            metrics,
            abort,
        )
        say(f"{log.shards} shards on {settings.kafka.bootstrap}, engine {how.engine}")

        def join(worker: Worker) -> Membership:
            topics = list(INPUT_OF.values())
            return Membership(settings.kafka, topics, worker.gained, worker.lost)

        worker, pulse = Worker(log, how), Pulse(NOT_YET)

        def why_not() -> str | None:
            # With the brokers gone a worker loses its partitions, and has nothing to complain of.
            return pulse.why_not() or worker.why_not()

        with (
            answering(page, "worker", metrics, why_not, worker.measure, say=say),
            _looking_out(settings, pulse),
        ):
            worker.run(join, stopped)


def run_writer(
    data: Path,
    settings: Settings,
    feeds: tuple[ConfiguredFeed, ...],
    *,
    say: Callable[[str], None],
    asked: threading.Event,
    page: Page | None = None,
) -> None:
    """Carry what the stages say into the serving store, until ``asked`` to stop.

    While log or store is away it says so, and goes on when both are back.
    ``StoreConflictError`` ends it: another writer is at work.
    """
    database = store_of(settings)
    metrics, known = RoleMetrics(m.WRITE), Known(database)
    failing: type[Exception] | None = None
    with answering(page, "write", metrics, known.pulse.why_not, known.measure, say=say):
        while not asked.is_set():
            try:
                with ExitStack() as closes:
                    log = closes.enter_context(cluster_log(data, settings))
                    store = open_store(database)
                    writer = closes.enter_context(
                        closing(Writer(log, store, batch=settings.writer.batch))
                    )
                    say(f"writing to {database}")
                    failing = None
                    beat = Beat(log, writer, feeds, known)
                    closes.callback(beat.end)
                    _write(log, writer, beat, metrics, asked)
            except (LogFailedError, StoreFailedError, DatabaseError) as error:
                kind = type(error)
                said = error.orig if isinstance(error, DatabaseError) else error
                known.pulse.hindered(f"stands still: {said}")
                if kind is not failing:
                    failing = kind
                    say(f"stands still: {said}")
                asked.wait(AGAIN_S)


def _write(
    log: KafkaLog, writer: Writer, beat: "Beat", metrics: RoleMetrics, asked: threading.Event
) -> None:
    places = list(partitions(log.shards))
    beat.due()
    beat.known.pulse.hindered("is still carrying over what was in the log when it started")
    metrics.count(m.WRITER_RECORDS, writer.drain())
    while not asked.is_set():
        ready = log.wait(places, WAIT_S)
        while ready:
            metrics.count(m.WRITER_RECORDS, writer.take(ready))
            ready = log.wait(places, 0)
            beat.due()
        writer.settle({one: log.upto(*one) for one in places})
        beat.due()


class Known:
    """What the writer last knew of the cluster, for its metrics; read from any thread.

    Who asks the brokers while they are away waits for seconds, and a scrape does not.
    """

    def __init__(self, database: Database) -> None:
        """Know nothing yet."""
        self.pulse = Pulse("has not reached the cluster and the store yet")
        self._database = database
        self._noted: tuple[Clock, tuple[Reading, ...]] | None = None

    def note(self, clock: Clock, readings: tuple[Reading, ...]) -> None:
        """Note how the cluster stands now."""
        self._noted = clock, readings
        self.pulse.beat()

    def measure(self) -> Iterator[Reading]:
        """Yield what is known: of the cluster while it is fresh, of the store while it answers."""
        noted = self._noted
        if noted is None:
            return
        clock, readings = noted
        if self.pulse.why_not() is None:
            yield from readings
        yield from stored(self._database, clock)


class Beat:
    """What the writer says of the cluster in the store, once a second."""

    def __init__(
        self, log: KafkaLog, writer: Writer, feeds: tuple[ConfiguredFeed, ...], known: Known
    ) -> None:
        """Have said nothing yet."""
        self.known = known
        self._log, self._writer, self._feeds = log, writer, feeds
        self._name = process_name("write")
        self._due_s = 0.0

    def due(self) -> None:
        """Say it, if it is time."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + BEAT_S
        replay = self._log.clock_spec.kind == "scenario"
        at = tuple(stages(self._log))
        waiting = sum(int(one.value) for one in at if one.metric is m.INPUT_LAG)
        writing = lag(self._log, self._writer.engine)
        said = Runtime(
            mode="replay" if replay else "live",
            phase="running",
            beat_wall_at=datetime.now(UTC),
            start_at=self._log.clock_spec.start,
            lag=waiting + writing,
            feeds=self._feeds,
        )
        note_runtime(self._writer.engine, said, self._name)
        ours = (Reading(m.SHARDS, self._log.shards), Reading(m.WRITER_LAG, writing))
        self.known.note(self._log.clock, (*ours, *at))

    def end(self) -> None:
        """Take back that it is at work; where that fails, its age says so."""
        try:
            forget_runtime(self._writer.engine, self._name)
        except DatabaseError:
            return
