"""A worker: one process's share of the stages, over a cluster.

The group gives it partitions, and each is worked on by a thread of its own: a
shard that re-evaluates for seconds holds up no other. Whatever ends a lane's
work, its next beginning takes over anew: it shuts out whoever else may be at
it, and recovers to the committed offset. So a broker that is away, a kill and
a partition that has moved are one and the same case.
"""

import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from streams.backends.kafka.log import KafkaLog
from streams.backends.kafka.membership import Membership
from streams.errors import CommitConflictError, LogFailedError, RollcallError
from streams.lane import Lane, Surroundings
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

LANE_FAILED = "lane_failed"


class How(NamedTuple):
    """What all lanes of a worker share."""

    engine: str
    factories: Mapping[StageKey, StageFactory]
    batch_records: int
    snapshot_every: int
    say: Callable[[str], None]
    abort: Callable[[str], None] = lambda _point: None


class Seat:
    """A partition given to this worker, and the thread that works on it."""

    def __init__(self, log: KafkaLog, key: StageKey, how: How, snapshots: threading.Lock) -> None:
        """Begin at once."""
        self.key = key
        self.lag = 0
        self.stopped: str | None = None
        self._log, self._how, self._snapshots = log, how, snapshots
        self._failing: str | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._sit, name=str(key), daemon=True)
        self._thread.start()

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
            # One stage at a time: the others wait for one only.
            if lane.since_snapshot >= self._how.snapshot_every:
                with self._snapshots:
                    lane.snapshot()
            return
        if lane.stopped is not None:
            self._leaving.wait(IDLE_S)
        elif not self._log.wait([place], IDLE_S):
            lane.settle(self._log.upto(*place))

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
        finally:
            self._leave(list(self._seats))
            membership.close()

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
