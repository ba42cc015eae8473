"""Tables of the store, kept for half a minute: reading them anew takes a second.

One per process, shared by all visitors; a page says of when its rows are.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import Engine

from streams.serving.explore import export_frame, tables, version
from streams.serving.sql import Sandbox, Tables

FRESH_S = 30.0

T = TypeVar("T")


class Read(NamedTuple, Generic[T]):
    """What was read of a store, and when, by the machine's clock."""

    what: T
    store: tuple[int, object]
    read_wall_at: datetime
    read_s: float


class Kept:
    """What was read last, by name; read again when it is old and has changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._reads: dict[str, Read[pa.Table]] = {}
        self._tables: Read[Tables] | None = None
        self.sandbox = Sandbox()

    def frame(self, engine: Engine, name: str) -> Read[pa.Table]:
        """Return an export, zones with their areas."""
        with self._lock:
            kept = self._reads.get(name)
            if kept is None or self._stale(kept, engine):
                store = _identity(engine)
                kept = self._read(export_frame(engine, name, area=True), store)
                self._reads[name] = kept
            return kept

    def tables(self, engine: Engine) -> Read[Tables]:
        """Return all tables that SQL may ask."""
        with self._lock:
            if self._tables is None or self._stale(self._tables, engine):
                store = _identity(engine)
                self._tables = self._read(tables(engine), store)
            return self._tables

    def forget(self) -> None:
        """Read everything anew the next time."""
        with self._lock:
            self._reads.clear()
            self._tables = None

    def _read(self, what: T, store: tuple[int, object]) -> Read[T]:
        return Read(what, store, datetime.now(UTC), self._clock())

    def _stale(self, kept: "Read[T]", engine: Engine) -> bool:
        now = _identity(engine)
        if kept.store[0] != now[0]:
            return True
        return self._clock() - kept.read_s > FRESH_S and kept.store != now


def _identity(engine: Engine) -> tuple[int, object]:
    """Return which store it is and how far it has been written."""
    return id(engine), version(engine)


KEPT = Kept()
"""That of this process."""
