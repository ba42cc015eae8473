"""The pump: the loop that drives the stages, and their only caller.

It reads a batch of a stage's input, decodes it, has the stage apply it, and
commits outputs, dead letters and the new offset in one transaction. How one
stage deals with its records, and with those it cannot survive, stands in
``streams.lane``; here is in which order the stages take turns.

After an exception has left a method, throw the pump away and make a new one.
"""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from streams.clock import Clock
from streams.core.stage import Stage
from streams.lane import Lane, Surroundings
from streams.ports import EventLog
from streams.recovery import BATCH_RECORDS, INPUT_OF, StageFactory, StageKey

SNAPSHOT_EVERY = 50_000
"""Records after which a stage is snapshotted; bounds the replay at a start."""

IDLE_S = 0.01
"""How long the running pump sleeps when there was nothing to do."""


def _go_on(_point: str) -> None:
    """Do nothing at a crash point; tests die there instead."""


class Pump:
    """Drives stages over a log; see the module's docstring.

    ``stages`` says which stages run here and how they are made; the keys'
    stages are "desk", "shard", "room". ``engine`` is the version of code,
    rules and reference data together. ``clock`` times faults and dead letters.
    ``abort`` is called at the points of ``lane.Surroundings``.

    Making a pump recovers every stage; raises ``EngineMismatchError`` if this
    engine version cannot take over. In a ``with`` statement it stops at the
    end, unless an exception ended it.
    """

    def __init__(
        self,
        log: EventLog,
        stages: Mapping[StageKey, StageFactory],
        engine: str,
        clock: Clock,
        *,
        batch_records: int = BATCH_RECORDS,
        snapshot_every: int = SNAPSHOT_EVERY,
        abort: Callable[[str], None] = _go_on,
    ) -> None:
        """Recover every stage to its committed offset."""
        self._snapshot_every = snapshot_every
        around = Surroundings(log, engine, clock, batch_records, abort)
        order = list(INPUT_OF)
        keys = sorted(stages, key=lambda key: (order.index(key.stage), key.partition))
        self._lanes = {key: Lane(key, stages[key], around) for key in keys}

    def __enter__(self) -> Self:
        """Return the pump itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, unless an exception is on its way out."""
        if kind is None:
            self.stop()

    @property
    def stopped(self) -> dict[StageKey, str]:
        """The partitions that stand still, with the reason in words."""
        return {k: lane.stopped for k, lane in self._lanes.items() if lane.stopped is not None}

    def stage(self, key: StageKey) -> Stage:
        """Return a stage as of its committed offset, to export from, not to apply to."""
        return self._lanes[key].stage

    def step(self) -> int:
        """Give every stage one batch, in order; return the records dealt with."""
        count = sum(lane.batch() for lane in self._lanes.values())
        self._snapshot_the_most_overdue()
        return count

    def run_until_idle(self) -> int:
        """Work until no input is left; return the records dealt with.

        Each stage empties its input before the next one begins, so that the
        order in which records reach a shared topic depends on the input alone:
        not on the size of batches, nor on a crash in between.
        """
        total = 0
        while count := sum(self._drain(lane) for lane in self._lanes.values()):
            total += count
        return total

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then stop gracefully."""
        while not stop.is_set():
            if self.step() == 0:
                stop.wait(IDLE_S)
        self.stop()

    def stop(self) -> None:
        """Snapshot every stage where it stands, for the next start or version."""
        for lane in self._lanes.values():
            lane.snapshot()

    def _drain(self, lane: Lane) -> int:
        total = 0
        while count := lane.batch():
            total += count
            self._snapshot_the_most_overdue()
        return total

    def _snapshot_the_most_overdue(self) -> None:
        """Snapshot at most one stage, so that the others wait for one only."""
        # A lane that stands still may have no state: chosen again and again, it would starve all.
        going = [lane for lane in self._lanes.values() if lane.stopped is None]
        lane = max(going, key=lambda lane: lane.since_snapshot, default=None)
        if lane is not None and lane.since_snapshot >= self._snapshot_every:
            lane.snapshot()
