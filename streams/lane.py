"""A lane: one stage in one partition of its input, and how it deals with records.

A stage that is ahead of the log exists only between ``apply`` and ``commit``;
it is never seen from outside and never snapshotted.

**Poison.** If a stage raises, nothing of that batch is committed: its state is
restored, and the batch is taken up again record by record. The one that raises
alone is put aside as a dead letter with its traceback, and a fault is raised.
A process that died in a batch takes it up singly; a record at which it died
three times alone is put aside as well. An error of the machine (I/O, memory,
the log itself) is nobody's poison: it ends the pump. A fourth record to put
aside within a minute stops the lane where it stands, the others go on.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from schemas.codec import UndecodableError
from schemas.envelope import Event
from schemas.operations import EngineChanged
from streams.clock import Clock
from streams.core.stage import SHARD_INPUT, Stage, derive_id
from streams.errors import InvalidRecordError, LogFailedError, RecoveryError, RollcallError
from streams.ports import Commit, EventLog, NewRecord, Record, Skip, SkipKind, Snapshot
from streams.quarantine import SOURCE, UNKNOWN_OFFSET, fault, quarantined, refused, undecodable
from streams.recovery import INPUT_OF, NEVER_POISON, StageFactory, StageKey, decoded, recover

CONTROL = frozenset(
    {
        "ZoneChanged",
        "Tick",
        "SituationChanged",
        "LinkChanged",
        "AlertRaised",
        "EngineChanged",
    }
)
"""Messages without which a shard counts wrongly: skipping one degrades it."""

MAX_DEATHS = 3
"""A record at which the process died this often, alone, is put aside."""

MAX_SKIPS = 3
SKIP_WINDOW = timedelta(minutes=1)
"""More than ``MAX_SKIPS`` within this stop the lane."""


class Surroundings(NamedTuple):
    """What all lanes of a pump share.

    ``abort`` is called at the points "attempted", "applied", "committing",
    "committed" and "snapshot", for tests that die there.
    """

    log: EventLog
    engine: str
    clock: Clock
    batch_records: int
    abort: Callable[[str], None]


class _Work(NamedTuple):
    """What came of some records, ready to be committed."""

    outputs: list[NewRecord]
    skips: list[Skip]


class Lane:
    """One stage in one partition; see the module's docstring.

    ``stopped`` says in words why it stands still, or is None.
    """

    def __init__(self, key: StageKey, factory: StageFactory, around: Surroundings) -> None:
        """Recover the stage to its committed offset; take over if need be."""
        self.key = key
        self.stopped: str | None = None
        self._factory = factory
        self._log, self._engine, self._clock, self._batch_records, self._abort = around
        self._topic = INPUT_OF[key.stage]
        self._stage: Stage | None = None
        self._offset = 0
        self._snapshot_offset = 0
        self._singly_until = 0
        self._last_skips: deque[Skip] = deque(maxlen=MAX_SKIPS)
        # Faults to be committed together with the next records.
        self._notes: list[NewRecord] = []
        self._start()

    @property
    def stage(self) -> Stage:
        """The stage as of its committed offset."""
        if self._stage is None:
            what = f"{self.key} has no state: {self.stopped or 'its pump has failed'}"
            raise RecoveryError(what, hint="see the faults in `rollcall status`")
        return self._stage

    @property
    def since_snapshot(self) -> int:
        """Records committed since the newest snapshot."""
        return self._offset - self._snapshot_offset

    def batch(self) -> int:
        """Deal with the next records; return how many, 0 if there are none."""
        if self.stopped is not None:
            return 0
        limit = 1 if self._offset < self._singly_until else self._batch_records
        records = self._log.read(self._topic, self.key.partition, self._offset, limit)
        if not records:
            return 0
        deaths = self._log.attempt(*self.key, self._offset, records[-1].offset + 1)
        if deaths >= MAX_DEATHS and len(records) == 1:
            return self._put_aside(records[0], SkipKind.KILLED, None)
        self._abort("attempted")
        stage, self._stage = self.stage, None
        try:
            with self._not_by_death():
                work = self._apply(stage, records)
        except NEVER_POISON:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in a stage must not stop a crisis room
            return self._poisoned(records, error)
        self._abort("applied")
        try:
            with self._not_by_death():
                self._commit(records[-1].offset + 1, work.outputs, work.skips)
        except InvalidRecordError as error:
            return self._poisoned(records, error)
        self._stage = stage
        return len(records)

    def snapshot(self) -> None:
        """Snapshot the stage where it stands, if it stands beyond the last one."""
        if self._stage is None or self.since_snapshot == 0:
            return
        self._snapshot_offset = self._offset
        try:
            body = self._stage.snapshot()
        except NEVER_POISON:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in a stage must not stop a crisis room
            words = f"no snapshot at {self._offset}: {error!r}"
            self._commit(self._offset, [self._fault("snapshot_failed", words)])
            return
        self._abort("snapshot")
        self._log.save_snapshot(*self.key, Snapshot(self._offset, self._engine, body))

    def settle(self, upto: int) -> None:
        """Count as dealt with what is no record: before ``upto`` there is none left.

        Kafka's marks of transactions have offsets too; a stage that has dealt
        with everything would else look as if it had not.
        """
        if self.stopped is None and upto > self._offset:
            self._commit(upto, ())

    def _start(self) -> None:
        progress = self._log.progress(*self.key)
        self._last_skips.extend(
            skip for skip in self._log.skips(*self.key) if skip.kind is not SkipKind.UNDECODABLE
        )
        attempt = self._log.last_attempt(*self.key)
        if attempt is not None and attempt.first == progress.next_offset:
            self._singly_until = attempt.upto
        takes_over_from = self._recover()
        outputs = list(self._notes)
        if takes_over_from is not None:
            outputs.append(self._engine_changed(takes_over_from))
        if outputs:
            self._commit(self._offset, outputs, stopped=progress.stopped)
        if progress.stopped is not None:
            self._notes.append(self._fault("partition_stopped", progress.stopped, cleared=True))

    def _recover(self) -> str | None:
        """Set the lane to its committed offset; return whom it takes over from."""
        recovered = recover(self._log, self.key, self._factory, self._engine)
        self._stage = recovered.stage
        self._offset = recovered.offset
        self._snapshot_offset = recovered.snapshot_offset or 0
        self._notes.extend(self._fault("snapshot_damaged", w) for w in recovered.damage)
        return recovered.takes_over_from

    def _engine_changed(self, previous: str) -> NewRecord:
        now = self._clock.now()
        event = EngineChanged(
            event_id=derive_id("engine", self._engine, *self.key, self._offset),
            source=SOURCE,
            occurred_at=now,
            received_at=now,
            version=self._engine,
            previous=previous,
        )
        return NewRecord(self._topic, self.key.partition, "engine", event)

    @contextmanager
    def _not_by_death(self) -> Iterator[None]:
        """Let an error that ends the pump not count as a death at these records."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit, LogFailedError, *NEVER_POISON):
            self._log.forget_attempt(*self.key)
            raise

    def _apply(self, stage: Stage, records: Sequence[Record]) -> _Work:
        now = self._clock.now()
        taken: list[Record] = []
        events: list[Event] = []
        letters: list[tuple[int, NewRecord]] = []
        faults: list[NewRecord] = []
        skips: list[Skip] = []
        for record in records:
            try:
                events.append(decoded(record))
            except UndecodableError as error:
                letters.append((record.offset, undecodable(record, error, now)))
                skips.append(_skip(record, SkipKind.UNDECODABLE, now))
                if skips[-1].control:
                    faults.extend(self._control_skipped(record, str(error)))
            else:
                taken.append(record)
        outcome = stage.apply(events)
        if outcome.rejects:
            by_identity = {id(event): r.offset for event, r in zip(events, taken, strict=True)}
            by_id = {event.event_id: r.offset for event, r in zip(events, taken, strict=True)}
            for event, reason in outcome.rejects:
                known = by_id.get(event.event_id, UNKNOWN_OFFSET)
                offset = by_identity.get(id(event), known)
                letters.append((offset, refused(records[0], event, offset, reason, now)))
            letters.sort(key=itemgetter(0))
        return _Work([*outcome.events, *(letter for _, letter in letters), *faults], skips)

    def _commit(
        self,
        next_offset: int,
        outputs: Sequence[NewRecord],
        skips: Sequence[Skip] = (),
        stopped: str | None = None,
    ) -> None:
        self._abort("committing")
        self._log.commit(
            Commit(
                stage=self.key.stage,
                partition=self.key.partition,
                from_offset=self._offset,
                next_offset=next_offset,
                engine=self._engine,
                outputs=[*self._notes, *outputs],
                skips=skips,
                stopped=stopped,
            )
        )
        self._notes.clear()
        self._offset = next_offset
        self._abort("committed")

    # ------------------------------------------------------------------ poison

    def _poisoned(self, records: Sequence[Record], error: Exception) -> int:
        """Restore the stage; find the record that it raises at, and put it aside."""
        try:
            self._recover()
        except RollcallError as failure:
            if isinstance(failure, LogFailedError):
                raise
            return self._halt(str(failure), self._offset)
        if len(records) == 1:
            return self._put_aside(records[0], SkipKind.RAISED, error)
        self._singly_until = records[-1].offset + 1
        words = f"{len(records)} records failed together and are taken up singly: {error!r}"
        self._notes.append(self._fault("batch_failed", words, self._offset))
        return self.batch()

    def _put_aside(self, record: Record, kind: SkipKind, error: Exception | None) -> int:
        reason = f"killed the process {MAX_DEATHS} times" if error is None else repr(error)
        skip = _skip(record, kind, self._clock.now())
        if sum(skip.at - earlier.at < SKIP_WINDOW for earlier in self._last_skips) >= MAX_SKIPS:
            words = f"more than {MAX_SKIPS} records to put aside within a minute; now: {reason}"
            return self._halt(words, record.offset)
        words = f"{record.name} put aside: {reason}"
        outputs = [
            quarantined(record, reason, error, skip.at),
            self._fault("record_quarantined", words, record.offset),
        ]
        if skip.control:
            outputs.extend(self._control_skipped(record, reason))
        self._commit(record.offset + 1, outputs, [skip])
        self._last_skips.append(skip)
        return 1

    def _halt(self, words: str, offset: int) -> int:
        """Stop one partition, visibly; the record that did it stays in place."""
        self.stopped = words
        stop = self._fault("partition_stopped", words, offset)
        self._commit(self._offset, [stop], stopped=words)
        self._log.forget_attempt(*self.key)
        return 0

    def _control_skipped(self, record: Record, reason: str) -> list[NewRecord]:
        """Tell the wall, and a shard itself: it says so with every sum it gives."""
        words = f"{self.key} is degraded: it has not seen a {record.name} ({reason})"
        said = self._fault("control_skipped", words, record.offset)
        if self._topic != SHARD_INPUT:
            return [said]
        return [said, said._replace(topic=self._topic, partition=self.key.partition)]

    def _fault(
        self,
        name: str,
        words: str,
        offset: int | None = None,
        *,
        cleared: bool = False,
    ) -> NewRecord:
        now = self._clock.now()
        return fault(self.key, name, words, now, offset=offset, cleared=cleared)


def _skip(record: Record, kind: SkipKind, now: datetime) -> Skip:
    return Skip(record.offset, kind, record.name in CONTROL, now)
