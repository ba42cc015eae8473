"""The one way into a running engine's log, for API, polls and replay alike.

Counts what became of every item, and times how long check-ins take until what
follows from them can be read.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from schemas.envelope import Event
from schemas.operations import FaultRaised
from schemas.person import CheckedIn
from streams.core.stage import SHARD_INPUT
from streams.ingest.intake import Parsed, Report, Source, accept
from streams.merge import route
from streams.metrics import Metrics
from streams.ports import IntakeLog, NewRecord
from streams.topology import OPERATIONS

MOST_WAITING = 10_000
"""More calls than wait for a shard that works; one that stands still leaves the oldest untimed."""


class _Waiting(NamedTuple):
    """Check-ins whose effect is not in the store yet, and where they stand."""

    began_s: float
    check_ins: int
    ends: dict[int, int]


class Inlet:
    """Takes events into the log and wakes the engine; safe from any thread."""

    def __init__(
        self,
        log: IntakeLog,
        metrics: Metrics,
        wake: Callable[[], None],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Take in for ``log``; ``wake`` is called when something new is in it."""
        self._log, self._metrics, self._wake = log, metrics, wake
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque(maxlen=most_waiting)
        self.closed = False

    @property
    def log(self) -> IntakeLog:
        """The log that is written."""
        return self._log

    def take(
        self, source: Source, found: Parsed, kind: str | None = None, repeated: int = 0
    ) -> Report:
        """Append what is good, quarantine the rest; durable when it returns.

        ``kind`` is what metrics call it, else the source's kind. ``received_at``
        of what is quarantined is the log's clock. So many of the same call were
        ``repeated``: known already, they are no part of what was found.
        """
        began_s = time.monotonic()
        report = accept(self._log, source, found, self._log.clock.now())
        report = report._replace(duplicate=report.duplicate + repeated)
        counts = {
            "accepted": report.accepted,
            "duplicate": report.duplicate,
            "conflict": report.conflict,
            "rejected": len(report.rejections),
        }
        self._metrics.count_items(kind or source.kind, counts)
        if report.accepted:
            check_ins = [one for one in found if isinstance(one, CheckedIn)]
            self._time(began_s, check_ins[: report.accepted])
        self._wake()
        return report

    def note_fault(self, fault: FaultRaised) -> None:
        """Append a fault, or the word that it is over."""
        self._log.append([NewRecord(OPERATIONS, 0, fault.fault, fault)])
        self._wake()

    def reached(self) -> dict[int, int]:
        """Return how far each shard that is waited for has come, before a drain."""
        with self._lock:
            partitions = {one for waiting in self._waiting for one in waiting.ends}
        return {one: self._log.committed("shard", one) for one in partitions}

    def drained(self, reached: dict[int, int]) -> None:
        """Note that what the shards had said up to ``reached`` is in the store."""
        if not reached:
            return
        now_s = time.monotonic()
        with self._lock:
            for _ in range(len(self._waiting)):
                one = self._waiting.popleft()
                if all(reached.get(place, 0) >= end for place, end in one.ends.items()):
                    self._metrics.flagged(now_s - one.began_s, one.check_ins)
                else:
                    self._waiting.append(one)

    def _time(self, began_s: float, check_ins: Collection[Event]) -> None:
        if not check_ins:
            return
        shards = self._log.shards
        places = {place for one in check_ins for _, place, _ in route(one, shards)}
        ends = {place: self._log.end(SHARD_INPUT, place) for place in places}
        with self._lock:
            self._waiting.append(_Waiting(began_s, len(check_ins), ends))
