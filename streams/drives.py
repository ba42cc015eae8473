"""What drives a running engine's time: the machine's clock, or a scenario.

A drive puts into the log what is due, one step at a time, and says what stage
the system is at. The wall's drive owes a tick a second; the scenario's plays
its plan at its pace, goes on where a kill stopped it, and once the scenario is
over lets its clock walk on, a second in a second.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal, Protocol

from schemas.person import RegistrationFiled
from streams.core.stage import DESK_INPUT
from streams.ingest.inlet import Inlet
from streams.ingest.intake import Source
from streams.player import Scenario, Step, plan
from streams.ports import EventLog, NewRecord
from streams.serving.runtime import ConfiguredFeed, Runtime
from streams.ticks import due, tick_of

FAST = 30
"""How many times faster a scenario's quiet stretch is taken (``fast_until``)."""

CATCH_UP_S = 2.0
"""A replay that fell behind by more than this stays behind."""

LOADING_PATIENCE_S = 2.0

Phase = Literal["loading", "running", "ended"]


class Drive(Protocol):
    """What ``streams.engine`` asks of what drives it."""

    def advance(self, *, idle: bool) -> bool:
        """Put into the log what is due, if anything; ``idle``: all was processed."""
        ...

    def wait_s(self) -> float:
        """Return the seconds until something is due."""
        ...

    def patience_s(self) -> float:
        """Return how long what the stages said may wait for the store."""
        ...

    def runtime(self, beat_wall_at: datetime, lag: int) -> Runtime:
        """Return what the engine says of itself."""
        ...


class WallDrive:
    """A tick a second by the machine's clock; after a gap it is marked."""

    def __init__(
        self, log: EventLog, feeds: tuple[ConfiguredFeed, ...], ticked: Callable[[], None]
    ) -> None:
        """Go on after the log's last tick; ``ticked`` is told of every one."""
        self._log, self._feeds, self._ticked = log, feeds, ticked

    def advance(self, *, idle: bool) -> bool:
        """Write the tick of this second, unless it is there."""
        del idle  # time passes whether or not all was processed
        tick = due(self._log.clock.now(), self._log.last_tick_at(), "engine")
        if tick is None:
            return False
        self._log.append([NewRecord(DESK_INPUT, 0, "tick", tick)], durable=False)
        self._ticked()
        return True

    def wait_s(self) -> float:
        """Return the rest of this second."""
        return 1.0 - self._log.clock.now().microsecond / 1_000_000

    def patience_s(self) -> float:
        """Return that nothing may wait."""
        return 0.0

    def runtime(self, beat_wall_at: datetime, lag: int) -> Runtime:
        """Return that this is live."""
        return Runtime(
            mode="live", phase="running", beat_wall_at=beat_wall_at, lag=lag, feeds=self._feeds
        )


class ScenarioDrive:
    """A scenario at its pace; see the module."""

    def __init__(
        self,
        inlet: Inlet,
        scenario: Scenario,
        speed: float,
        ticked: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        """Go on after the log's last tick; ``speed`` is scenario seconds in a second."""
        self._inlet, self._scenario, self._speed = inlet, scenario, speed
        self._ticked, self._say = ticked, say
        last = inlet.log.last_tick_at()
        self._at = last or scenario.start
        self._due_s = time.monotonic()
        self._people: set[str] = set()
        every = timedelta(seconds=max(1, round(speed)))
        self._steps: Iterator[Step] = plan(scenario, last, tick_every=every)
        self._next = next(self._steps, None)
        if self._next is not None and last is not None:
            say(f"{scenario.name} goes on at {last:%Y-%m-%d %H:%M:%S}Z")

    @property
    def phase(self) -> Phase:
        """Loading its register, running, or over."""
        if self._next is None:
            return "ended"
        return "loading" if self._next.what == "register" else "running"

    def advance(self, *, idle: bool) -> bool:
        """Take the next step if it is due and what came before is processed."""
        due_s, now_s = self._step_due_s(), time.monotonic()
        if not idle or now_s < due_s:
            return False
        step = self._next or self._walk_on()
        self._at, self._due_s = step.at, max(due_s, now_s - CATCH_UP_S)
        self._put(step)
        if self._next is not None:
            self._next = next(self._steps, None)
            if step.what == "register":
                self._loaded(step)
            if self._next is None:
                self._say(f"{self._scenario.name} is over; its clock walks on")
        return True

    def wait_s(self) -> float:
        """Return the seconds until the next step is due."""
        return self._step_due_s() - time.monotonic()

    def patience_s(self) -> float:
        """Return that a register may: it is written sooner in larger pieces."""
        return LOADING_PATIENCE_S if self.phase == "loading" else 0.0

    def runtime(self, beat_wall_at: datetime, lag: int) -> Runtime:
        """Return what is played, and how far it is."""
        scenario = self._scenario
        loading = self.phase == "loading"
        polls = scenario.polls
        people = scenario.population.people if scenario.population is not None else None
        return Runtime(
            mode="replay",
            phase=self.phase,
            beat_wall_at=beat_wall_at,
            title=scenario.title,
            status=scenario.status,
            start_at=scenario.start,
            end_at=scenario.end,
            speed=self._pace(),
            done=len(self._people) if loading else None,
            of=people if loading else None,
            lag=lag,
            feeds=tuple(ConfiguredFeed(name=p.feed, interval_s=p.interval_s) for p in polls),
        )

    def _pace(self) -> float:
        """Return how many seconds of the scenario pass in one of ours, here."""
        if self._next is None:
            return 1.0
        quiet = self._scenario.fast_until
        return self._speed * FAST if quiet is not None and self._at < quiet else self._speed

    def _step_due_s(self) -> float:
        ahead = timedelta(seconds=1) if self._next is None else self._next.at - self._at
        return self._due_s + ahead.total_seconds() / self._pace()

    def _walk_on(self) -> Step:
        at = self._at + timedelta(seconds=1)
        return Step(at, "tick", (tick_of(at, self._at, "scenario"),))

    def _put(self, step: Step) -> None:
        log = self._inlet.log
        if step.what == "tick":
            log.append([NewRecord(DESK_INPUT, 0, "tick", e) for e in step.events], durable=False)
            self._ticked()
            return
        source = Source(f"{self._scenario.name}/{step.what}", step.what, lambda *_: ())
        report = self._inlet.take(source, (*step.events, *step.refused), kind="replay")
        if step.what not in {"register", "feeds"}:
            self._say(
                f"{step.at:%H:%M:%S}Z {step.what}: {report.accepted} accepted,"
                f" {len(report.rejections)} rejected, {report.duplicate} duplicate"
            )

    def _loaded(self, step: Step) -> None:
        """Say how far the register is; the clock begins once it is all there."""
        before = len(self._people) // 10_000
        self._people.update(e.person_id for e in step.events if isinstance(e, RegistrationFiled))
        population = self._scenario.population
        over = self.phase != "loading"
        if population is not None and (over or len(self._people) // 10_000 > before):
            self._say(f"register: {len(self._people)} of {population.people} people")
        if over:
            self._due_s = time.monotonic()
