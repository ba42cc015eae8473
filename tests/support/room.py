"""A whole embedded system, driven by the steps of a scenario and looked into.

The real stages, pump and SQLite log; what is left out is the serving store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.clock import scenario as scenario_clock
from streams.compose import make_pump, open_log
from streams.ingest.intake import Source, accept
from streams.merge import route
from streams.player import Scenario, Step
from streams.ports import IntakeLog, NewRecord
from streams.pump import Pump
from streams.recovery import StageKey
from streams.sections import LogSettings, Settings

Row = dict[str, object]

DESK_KINDS = frozenset({"incidents", "zones", "advisories", "situations"})


class CrisisRoom:
    """Takes steps in and gives the rows of the state exports back."""

    def __init__(self, log: IntakeLog, pump: Pump) -> None:
        self._log = log
        self._pump = pump

    def take(self, step: Step) -> None:
        """Put one step in the log and process all that follows from it."""
        if step.what == "tick":
            self._log.append(
                [
                    NewRecord(*place, event)
                    for event in step.events
                    for place in route(event, self._log.shards)
                ],
                durable=False,
            )
        else:
            source = Source(step.what, step.what, lambda *_: ())
            report = accept(self._log, source, (*step.events, *step.refused), step.at)
            assert report.rejections == ()
        self._pump.run_until_idle()
        assert self._pump.stopped == {}

    def rows(self, kind: str) -> list[Row]:
        """Return the rows of one state export, over all shards."""
        stage, partitions = ("desk", 1) if kind in DESK_KINDS else ("shard", self._log.shards)
        return [
            row
            for partition in range(partitions)
            for row in self._pump.stage(StageKey(stage, partition)).export(kind)
        ]

    def skipped(self) -> int:
        """Return how many records any stage has put aside."""
        return sum(
            self._log.progress(stage, partition).skipped
            for stage, partitions in (("desk", 1), ("room", 1), ("shard", self._log.shards))
            for partition in range(partitions)
        )


@contextmanager
def crisis_room(data: Path, scenario: Scenario, *, shards: int = 2) -> Iterator[CrisisRoom]:
    """Open a new system on the scenario's clock; closed at the end."""
    settings = Settings(log=LogSettings(shards=shards))
    log = open_log(data, settings, scenario_clock(scenario.start))
    try:
        with make_pump(log, settings) as pump:
            yield CrisisRoom(log, pump)
    finally:
        log.close()
