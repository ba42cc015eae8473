"""The composition root: settings to objects; the only file that knows them all.

A data directory holds ``log.sqlite`` (the truth), ``serving.sqlite`` (made
from it), ``deliveries.sqlite`` (what was sent) and, where one is kept,
``settings.toml``.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
from sqlalchemy.exc import DatabaseError

from geo.places import DATA_VERSION
from schemas.alert import AlertRaised
from schemas.envelope import Event
from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOG_FILE
from streams.channels import CHANNELS
from streams.channels.base import Surroundings
from streams.channels.decide import Policy
from streams.channels.dispatcher import Clocks, Dispatcher
from streams.clock import ClockSpec, WallClock
from streams.core.desk import Desk
from streams.core.room import Room
from streams.core.shard import Shard
from streams.core.stage import Outcome, Stage
from streams.delivery import About, Delivery
from streams.errors import StoreFailedError
from streams.ports import EventLog
from streams.pump import Pump
from streams.recovery import INPUT_OF, StageFactory, StageKey, recover
from streams.sections import Settings
from streams.serving.alert_about import about
from streams.serving.delivery_log import SqlDeliveryLog
from streams.serving.place import Place, place_of
from streams.serving.store import STORE_FILE, open_store, reading
from streams.serving.writer import Writer
from streams.settings import environment, load, secret

SETTINGS_FILE = "settings.toml"

RULES = ("schemas", "geo", "streams.core")
"""Packages whose code decides what a stage says."""


class Poisoned(NamedTuple):
    """Test only: a stage that raises on the event of one id, else as it is."""

    inner: Stage
    event_id: str

    def apply(self, records: Sequence[Event]) -> Outcome:
        """Apply as the stage inside does; raise on the poisonous event."""
        if any(record.event_id == self.event_id for record in records):
            msg = f"ROLLCALL_TEST_POISON is set to {self.event_id}"
            raise RuntimeError(msg)
        return self.inner.apply(records)

    def snapshot(self) -> bytes:
        """Return the state of the stage inside."""
        return self.inner.snapshot()

    @classmethod
    def restore(cls, data: bytes) -> Self:
        """Refuse: only the factory knows what is inside."""
        msg = f"a poisoned stage is restored by its factory, not from {len(data)} bytes"
        raise TypeError(msg)

    def export(self, kind: str) -> list[dict[str, object]]:
        """Return the export of the stage inside."""
        return self.inner.export(kind)


def settings_of(data: Path, named: Path | None = None) -> Settings:
    """Return the settings: of the named file, else of the data directory's."""
    path = named or Path(environment("ROLLCALL_SETTINGS") or data / SETTINGS_FILE)
    given = named is not None or environment("ROLLCALL_SETTINGS") is not None
    return load(path if given or path.exists() else None)


def engine_version(settings: Settings) -> str:
    """Return the version of code, rules and reference data together.

    Any change to them may change what a stage says of the same record, so a
    hash of all of it is part of the version.
    """
    digest = hashlib.blake2b(digest_size=6)
    for package in RULES:
        for name, body in sorted(_sources(files(package), package)):
            digest.update(name.encode() + b"\0" + body)
    digest.update(str(DATA_VERSION).encode())
    digest.update(msgspec.json.encode(settings.thresholds, order="deterministic"))
    try:
        package_version = version("rollcall")
    except PackageNotFoundError:
        package_version = "0"
    return f"{package_version}+{digest.hexdigest()}"


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, name)
        elif entry.name.endswith(".py"):
            yield name, entry.read_bytes()


def stage_factories(shards: int, settings: Settings) -> dict[StageKey, StageFactory]:
    """Return how to make every stage of a log with so many shards."""
    limits = settings.thresholds
    factories = {
        StageKey("desk", 0): StageFactory(
            partial(Desk, shards, limits), partial(Desk.restore, limits=limits)
        ),
        StageKey("room", 0): StageFactory(
            partial(Room, shards, limits), partial(Room.restore, limits=limits)
        ),
    }
    for shard in range(shards):
        factories[StageKey("shard", shard)] = StageFactory(
            partial(Shard, shard, shards, limits), partial(Shard.restore, limits=limits)
        )
    poison = environment("ROLLCALL_TEST_POISON")
    if poison is None:
        return factories
    return {key: _poisoned(factory, poison) for key, factory in factories.items()}


def _poisoned(factory: StageFactory, event_id: str) -> StageFactory:
    return StageFactory(
        lambda: Poisoned(factory.create(), event_id),
        lambda data: Poisoned(factory.restore(data), event_id),
    )


def open_log(data: Path, settings: Settings, clock: ClockSpec | None = None) -> SqliteLog:
    """Return the log of a data directory, for writing; made if not there."""
    new = not (data / LOG_FILE).exists()
    return SqliteLog.open(data, shards=settings.log.shards if new else None, clock=clock)


def make_pump(log: EventLog, settings: Settings) -> Pump:
    """Return the pump of all stages, recovered."""
    return Pump(
        log,
        stage_factories(log.shards, settings),
        engine_version(settings),
        log.clock,
        batch_records=settings.pump.batch,
        snapshot_every=settings.pump.snapshot_every,
    )


def make_writer(log: EventLog, data: Path, settings: Settings) -> Writer:
    """Return the writer of the data directory's serving store."""
    return Writer(log, open_store(data / STORE_FILE), batch=settings.writer.batch)


class System(NamedTuple):
    """An embedded system at work: what goes in, what works, what comes out."""

    log: SqliteLog
    pump: Pump
    writer: Writer

    def settle(self) -> int:
        """Process all that is in the log and write it to the store."""
        count = self.pump.run_until_idle()
        self.writer.drain()
        return count


@contextmanager
def running(data: Path, settings: Settings, clock: ClockSpec | None = None) -> Iterator[System]:
    """Open a whole embedded system; snapshot and close it at the end."""
    log = open_log(data, settings, clock)
    try:
        with closing(make_writer(log, data, settings)) as writer, make_pump(log, settings) as pump:
            yield System(log, pump, writer)
    finally:
        log.close()


@contextmanager
def dispatching(
    log: EventLog,
    data: Path,
    settings: Settings,
    *,
    show: Callable[[str], None],
    say: Callable[[str], None],
    noted: Callable[[Delivery, str], None] = lambda _delivery, _outcome: None,
    abort: Callable[[str], None] = lambda _: None,
) -> Iterator[Dispatcher]:
    """Open the dispatcher of a log that others write; ``data`` is its own directory.

    ``show`` prints an alert (the console's line), ``say`` what became of a
    delivery, ``noted`` counts how attempts ended. At the end, what is in flight
    is waited for and noted.
    """
    with ExitStack() as stack:
        place = place_of(data, settings.store)
        deliveries = stack.enter_context(closing(SqlDeliveryLog.open(place)))
        wall = WallClock().now
        around = Surroundings(settings.dispatch, data, show, secret, wall)
        recipients = [one for channel in CHANNELS for one in channel.recipients(around)]
        for one in recipients:
            stack.callback(one.close)
        workers = stack.enter_context(ThreadPoolExecutor(max(1, len(recipients))))
        replay = log.clock_spec.kind == "scenario"
        dispatcher = Dispatcher(
            log,
            deliveries,
            recipients,
            policy=Policy(settings.dispatch.use_by_s, replay and not settings.dispatch.in_replay),
            workers=workers,
            clocks=Clocks(partial(log_now, log), wall),
            about=partial(_about, place_of(data / STORE_FILE, settings.store)),
            say=say,
            noted=noted,
            abort=abort,
        )
        yield dispatcher
        dispatcher.finish()


def _about(store: Place, alert: AlertRaised) -> About:
    """Return what an alert is about; nothing where the store cannot say.

    The store can be gone or broken and be made anew at any time. An alert goes
    out without its area rather than not at all.
    """
    try:
        with reading(store) as engine:
            return about(engine, alert)
    except (StoreFailedError, DatabaseError):
        return About()


def log_now(log: EventLog) -> datetime:
    """Return the time of a log that another process writes.

    A scenario's clock stands where its last tick has put it; the wall's goes
    on, whether its engine runs or not.
    """
    start = log.clock_spec.start
    return log.clock.now() if start is None else log.last_tick_at() or start


def restored(log: EventLog, settings: Settings, stage: str) -> list[Stage]:
    """Return a stage in all its partitions at the committed offset; read-only."""
    engine = engine_version(settings)
    return [
        recover(log, key, factory, engine).stage
        for key, factory in stage_factories(log.shards, settings).items()
        if key.stage == stage
    ]


def stage_keys(shards: int) -> list[StageKey]:
    """Return every stage in every partition."""
    keys = [StageKey(stage, 0) for stage in ("desk", "room")]
    return keys + [StageKey("shard", shard) for shard in range(shards)]


def backlog(log: EventLog) -> dict[StageKey, int]:
    """Return how many records each stage has not dealt with yet."""
    return {
        key: log.end(INPUT_OF[key.stage], key.partition) - log.committed(*key)
        for key in stage_keys(log.shards)
    }
