"""A worker: one process's share of the stages, over a cluster.

The group gives it partitions, and each is worked on by a thread of its own: a
shard that re-evaluates for seconds holds up no other. Whatever ends a lane's
work, its next beginning takes over anew: it shuts out whoever else may be at
it, and recovers to the committed offset. So a broker that is away, a kill and
a partition that has moved are one and the same case.
"""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from streams import metrics as m
from streams.backends.kafka.log import KafkaLog
from streams.backends.kafka.membership import Membership
from streams.errors import CommitConflictError, LogFailedError, RollcallError
from streams.lane import Lane, Surroundings
from streams.metrics import Reading, RoleMetrics
from streams.quarantine import fault
from streams.recovery import INPUT_OF, NEVER_POISON, StageFactory, StageKey

STAGE_OF = {topic: stage for stage, topic in INPUT_OF.items()}

IDLE_S = 0.25
"""How long a lane waits for records before it looks whether it is to stop."""

AGAIN_S = 2.0
"""Pause before a lane that failed is begun anew."""

GROUP_S = 0.1
"""How long the group is served before it is looked whether to stop."""

TAKEN_S = 5.0
"""Pause of a lane that another process has shut out."""

LAG_S = 1.0
"""How often a lane at work asks how much is left."""

SILENT_S = 30.0
"""Handing over may keep a worker from its group for some seconds."""

LANE_FAILED = "lane_failed"


class How(NamedTuple):
    """What all lanes of a worker share."""

    engine: str
    factories: Mapping[StageKey, StageFactory]
    batch_records: int
    snapshot_every: int
    say: Callable[[str], None]
    metrics: RoleMetrics
    abort: Callable[[str], None] = lambda _point: None


class Seat:
    """A partition given to this worker, and the thread that works on it."""

    def __init__(self, log: KafkaLog, key: StageKey, how: How, snapshots: threading.Lock) -> None:
        """Begin at once."""
        self.key = key
        self.lag: int | None = None
        self.stopped: str | None = None
        self._lag_due_s = 0.0
        self._log, self._how, self._snapshots = log, how, snapshots
        self._failing: str | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._sit, name=str(key), daemon=True)
        self._thread.start()

    @property
    def stands_still(self) -> str | None:
        """Say in words why the partition does not get on; None if it does."""
        return self._failing or self.stopped

    def leave(self) -> None:
        """Ask the thread to end at the next rest; returns at once."""
        self._leaving.set()

    def join(self) -> None:
        """Return when the partition is at rest, snapshot included."""
        self._thread.join()

    def _sit(self) -> None:
        try:
            while not self._leaving.is_set():
                try:
                    self._work()
                except CommitConflictError as error:
                    # Whose it is, the group will have said by then.
                    self._how.say(f"{self.key}: {error}")
                    self._leaving.wait(TAKEN_S)
                except RollcallError as error:
                    self._failed(str(error), told=isinstance(error, LogFailedError))
                except NEVER_POISON as error:
                    self._failed(f"the machine failed: {error!r}", told=False)
                except Exception as error:  # noqa: BLE001 - a partition never stands still in silence
                    traceback.print_exception(error)
                    self._failed(f"a fault of Rollcall: {type(error).__name__}", told=False)
        finally:
            self._log.leave()

    def _work(self) -> None:
        """Take over, work until told to leave, and hand over in good order."""
        log, how = self._log, self._how
        log.acquire(*self.key)
        try:
            around = Surroundings(log, how.engine, log.clock, how.batch_records, how.abort)
            lane = Lane(self.key, how.factories[self.key], around)
            self._recovered()
            while not self._leaving.is_set():
                self._turn(lane)
            with self._snapshots:
                lane.snapshot()
            how.say(f"{self.key} is handed over at {log.committed(*self.key)}")
        finally:
            log.release(*self.key)

    def _turn(self, lane: Lane) -> None:
        place = (INPUT_OF[self.key.stage], self.key.partition)
        count = lane.batch()
        self.stopped = lane.stopped
        if count:
            self._how.metrics.count(m.WORKER_RECORDS, count, self.key.stage)
            self._look(place)
            # One stage at a time: the others wait for one only.
            if lane.since_snapshot >= self._how.snapshot_every:
                with self._snapshots:
                    lane.snapshot()
            return
        if lane.stopped is not None:
            self._leaving.wait(IDLE_S)
        elif not self._log.wait([place], IDLE_S):
            self.lag = 0
            lane.settle(self._log.upto(*place))

    def _look(self, place: tuple[str, int]) -> None:
        """Learn how much is left, not at every batch."""
        now_s = time.monotonic()
        if now_s >= self._lag_due_s:
            self._lag_due_s = now_s + LAG_S
            self.lag = self._log.end(*place) - self._log.committed(*self.key)

    def _failed(self, words: str, *, told: bool) -> None:
        """Say so once, and pause; a fault is shown unless the log itself is away."""
        if self._failing != words:
            self._failing = words
            self._how.say(f"{self.key} stands still: {words}")
            if not told:
                self._tell(words, cleared=False)
        self._leaving.wait(AGAIN_S)

    def _recovered(self) -> None:
        words, self._failing = self._failing, None
        self._how.say(f"{self.key} goes on at {self._log.committed(*self.key)}")
        if words is not None:
            self._tell(words, cleared=True)

    def _tell(self, words: str, *, cleared: bool) -> None:
        now = self._log.clock.now()
        try:
            self._log.append([fault(self.key, LANE_FAILED, words, now, cleared=cleared)])
        except RollcallError as error:
            self._how.say(f"{self.key}: the fault could not be written: {error}")


class Worker:
    """The seats of one process; ``run`` is called by one thread."""

    def __init__(self, log: KafkaLog, how: How) -> None:
        """Have no partitions yet."""
        self._log, self._how = log, how
        self._seats: dict[StageKey, Seat] = {}
        self._snapshots = threading.Lock()
        self._served_s: float | None = None

    @property
    def seats(self) -> list[Seat]:
        """The partitions that are worked on here."""
        return list(self._seats.values())

    def run(self, join: Callable[["Worker"], Membership], stopped: Callable[[], bool]) -> None:
        """Work on what the group gives, until ``stopped``; then hand over."""
        membership = join(self)
        try:
            while not stopped():
                membership.poll(GROUP_S)
                self._served_s = time.monotonic()
        finally:
            self._leave(list(self._seats))
            membership.close()

    def why_not(self) -> str | None:
        """Say in words why this worker is not well; None if it is."""
        served_s = self._served_s
        if served_s is None:
            return "has not joined the group yet"
        silent_s = time.monotonic() - served_s
        if silent_s > SILENT_S:
            return f"has not taken part in the group for {silent_s:.0f} s"
        still = [
            f"{one.key} stands still: {why}" for one in self.seats if (why := one.stands_still)
        ]
        return "; ".join(still) or None

    def measure(self) -> Iterator[Reading]:
        """Yield what the gauges read now."""
        seats = self.seats
        for stage, count in sorted(Counter(one.key.stage for one in seats).items()):
            yield Reading(m.WORKER_PARTITIONS, count, (stage,))
        for one in seats:
            labels = (one.key.stage, str(one.key.partition))
            yield Reading(m.WORKER_STANDS_STILL, one.stands_still is not None, labels)
            if one.lag is not None:
                yield Reading(m.WORKER_LAG, one.lag, labels)

    def gained(self, places: Iterable[tuple[str, int]]) -> None:
        """Begin to work on partitions."""
        for key in map(_key, places):
            self._seats[key] = Seat(self._log, key, self._how, self._snapshots)

    def lost(self, places: Iterable[tuple[str, int]]) -> None:
        """Bring partitions to rest."""
        self._leave([_key(place) for place in places])

    def _leave(self, keys: list[StageKey]) -> None:
        seats = [seat for key in keys if (seat := self._seats.pop(key, None)) is not None]
        for seat in seats:
            seat.leave()
        for seat in seats:
            seat.join()


def _key(place: tuple[str, int]) -> StageKey:
    topic, partition = place
    return StageKey(STAGE_OF[topic], partition)
