"""Tables of the store, kept for half a minute: reading them anew takes a second.

One per process, shared by all visitors; a page says of when its rows are.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Engine

from streams.serving.deliveries import reading_deliveries
from streams.serving.explore import export_frame, tables, version
from streams.serving.place import Place
from streams.serving.sql import Sandbox, Tables
from streams.serving.sql_answers import Answered, Refusal

FRESH_S = 30.0


Store = tuple[Engine, object]
"""Which store it is, and how far it and the deliveries beside it have been written."""


class Read(NamedTuple):
    """An export as it was read, and when by the machine's clock."""

    rows: pa.Table | None
    read_wall_at: datetime


class Said(NamedTuple):
    """What a query came to, and of when the rows are that it asked."""

    answer: Answered | Refusal
    read_wall_at: datetime


class _Reading(NamedTuple):
    store: Store
    read_s: float


class Kept:
    """What was read last, by name; read again when it is old and has changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._frames: dict[str, tuple[_Reading, Read]] = {}
        self._asked: _Reading | None = None
        self._asked_wall_at = datetime.now(UTC)
        self.sandbox = Sandbox()

    def frame(self, engine: Engine, name: str, place: Place) -> Read:
        """Return an export; zones come with their areas.

        Deliveries come from a ``place`` of their own; where no dispatcher has
        ever run there are no ``rows``.
        """
        with self._lock:
            found = self._frames.get(name)
            now = engine, version(engine)
            if name == "deliveries":
                now = engine, _stamp(place)
            if found is None or self._stale(found[0], now):
                reading = _Reading(now, self._clock())
                rows = _rows(engine, name, place)
                found = reading, Read(rows, datetime.now(UTC))
                self._frames[name] = found
            return found[1]

    def ask(self, engine: Engine, place: Place, sql: str) -> Said:
        """Run a query of an analyst over all tables, read anew where they are old."""
        with self._lock:
            now = engine, (version(engine), _stamp(place))
            if self._asked is None or self._stale(self._asked, now):
                self._asked = _Reading(now, self._clock())
            asked = self._asked
        answer = self.sandbox.ask(sql, asked, lambda: self._tables(engine, place))
        return Said(answer, self._asked_wall_at)

    def forget(self) -> None:
        """Read everything anew the next time."""
        with self._lock:
            self._frames.clear()
            self._asked = None

    def _tables(self, engine: Engine, place: Place) -> Tables:
        self._asked_wall_at = datetime.now(UTC)
        with reading_deliveries(place) as deliveries:
            return tables(engine, deliveries)

    def _stale(self, reading: _Reading, now: Store) -> bool:
        # The engine itself, which is kept: its id could be that of the next one.
        if reading.store[0] is not now[0]:
            return True
        return self._clock() - reading.read_s > FRESH_S and reading.store != now


def _rows(engine: Engine, name: str, place: Place) -> pa.Table | None:
    if name != "deliveries":
        return export_frame(engine, name, area=True)
    with reading_deliveries(place) as deliveries:
        return None if deliveries is None else export_frame(deliveries, name)


def _stamp(place: Place) -> object:
    """Return what differs once something was written about deliveries.

    Of a database nobody knows without asking: there it always differs.
    """
    if not isinstance(place, Path):
        return object()
    path = place
    found: list[tuple[int, int, int] | None] = []
    for one in (path, path.with_name(f"{path.name}-wal")):
        try:
            told = one.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((told.st_ino, told.st_mtime_ns, told.st_size))
    return tuple(found)


KEPT = Kept()
"""That of this process."""
