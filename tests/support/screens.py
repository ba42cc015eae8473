"""A small crisis in a store, and a dashboard over it, for tests of screens."""

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from dashboard.hub import Hub
from dashboard.pages import PageModule
from dashboard.process import Process
from dashboard.store import Store
from schemas.zone import ZoneChanged
from streams.backends.sqlite import SqliteLog
from streams.ports import NewRecord
from streams.serving.deliveries import DELIVERIES_FILE
from streams.serving.postgres import Database
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall import snapshot
from streams.serving.writer import Writer
from tests.serving.builders import SHARDS, story

ROOT = Path(__file__).parents[2]
LISTENS = re.compile(r"the dashboard listens on (http://127\.0\.0\.1:\d+)")


def fill(data: Path, records: Sequence[NewRecord] = (), database: Database | None = None) -> None:
    """Write records, or the small crisis of the builders, into a store in ``data``.

    With ``database`` the store is there instead.
    """
    with closing(SqliteLog.open(data, shards=SHARDS)) as log:
        log.append(list(records) or [_placed(record) for record in story()])
        store = open_store(database or data / STORE_FILE)
        Writer(log, store).drain()
        store.dispose()


def _placed(record: NewRecord) -> NewRecord:
    """Return a record whose zone names its situation, as the desk's do."""
    if isinstance(record.event, ZoneChanged):
        return record._replace(event=msgspec.structs.replace(record.event, situation_id="sit-1"))
    return record


def process(data: Path, pages: tuple[PageModule, ...] = ()) -> Process:
    """Return the parts of a dashboard over ``data``; nothing runs yet."""
    store = Store(data)
    hub = Hub(store.engine, snapshot, stamp=store.stamp)
    return Process(data / DELIVERIES_FILE, "http://127.0.0.1:9", store, hub, pages)


@dataclasses.dataclass(frozen=True)
class Running:
    """A dashboard in a process of its own: where it is, what it reads, how it is paused."""

    url: str
    data: Path
    pause_file: Path
    pid: int


@contextmanager
def running(
    data: Path, scratch: Path, *more: str, database: Database | None = None
) -> Iterator[Running]:
    """Start ``python -m dashboard`` on a free port, and stop it as a supervisor would."""
    pause, log = scratch / "pause", scratch / "dashboard.log"
    where = ("--store", database.url) if database else ("--data", str(data))
    command = [sys.executable, "-m", "dashboard", *where, "--port", "0"]
    with log.open("w", encoding="utf-8") as said:
        child = subprocess.Popen(
            [*command, "--pause-file", str(pause), *more], cwd=ROOT, stdout=said, stderr=said
        )
    try:
        yield Running(_where(child, log), data, pause, child.pid)
    finally:
        child.terminate()
        ended = child.wait(30)
    assert ended == 0, log.read_text(encoding="utf-8")


def _where(child: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the address the dashboard says it listens on."""
    while child.poll() is None:
        if found := LISTENS.search(log.read_text(encoding="utf-8")):
            return found[1]
        try:
            child.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text(encoding="utf-8"))
