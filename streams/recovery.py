"""A stage's state, rebuilt from its snapshot and its log.

Recovery = the newest usable snapshot + the records between it and the
committed offset, applied with their outputs thrown away (they are in the log
already). That is true only if this engine version would have said the same,
so the records between must have been processed by this very version
(``Progress.engine_since``); a snapshot by another version serves only at
exactly the committed offset, with nothing between.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from schemas.codec import decode
from schemas.envelope import Event
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT, Stage
from streams.errors import EngineMismatchError, RecoveryError
from streams.ports import EventLog, Record

INPUT_OF = {"desk": DESK_INPUT, "shard": SHARD_INPUT, "room": ROOM_INPUT}
"""The topic each stage reads, in the order in which the stages take turns."""

BATCH_RECORDS = 2_000
"""Records applied at once."""

NEVER_POISON = (OSError, MemoryError)
"""Errors of the machine, never of the record being processed."""


class StageKey(NamedTuple):
    """One stage in one partition of its input."""

    stage: str
    partition: int

    def __str__(self) -> str:
        """Return it as faults and messages write it."""
        return f"{self.stage} {self.partition}"


class StageFactory(NamedTuple):
    """How a stage comes to be: new, or from one of its snapshots."""

    create: Callable[[], Stage]
    restore: Callable[[bytes], Stage]


class Recovered(NamedTuple):
    """A stage that stands at its committed offset.

    ``snapshot_offset`` is where the snapshot it came from stands, None if it
    was replayed from the beginning. ``takes_over_from`` is the other engine
    version that committed last, None if it was this one. ``damage`` says in
    words which snapshots were of no use, and why.
    """

    stage: Stage
    offset: int
    snapshot_offset: int | None
    takes_over_from: str | None
    damage: tuple[str, ...]


def recover(log: EventLog, key: StageKey, factory: StageFactory, engine: str) -> Recovered:
    """Return the stage at its committed offset; writes nothing.

    Raises ``EngineMismatchError`` if another engine version has left a tail
    without a snapshot at its end, and ``RecoveryError`` if no usable snapshot
    and no whole history of this version are left.
    """
    progress = log.progress(*key)
    committed = progress.next_offset
    takes_over = progress.engine if committed and progress.engine != engine else None
    oldest = committed if takes_over else progress.engine_since
    damage: list[str] = []
    for snapshot_offset, make in _beginnings(log, key, factory, oldest, damage):
        try:
            with uncollected():
                stage = _replayed(log, key, make, snapshot_offset or 0, committed)
        except (RecoveryError, *NEVER_POISON):
            raise
        except Exception as error:  # noqa: BLE001 - any bug in a stage; the next older is tried
            damage.append(f"snapshot at {snapshot_offset}: {error!r}")
            continue
        return Recovered(stage, committed, snapshot_offset, takes_over, tuple(damage))
    if takes_over:
        what = (
            f"{key} stands at {committed} under engine {takes_over}, which left no usable"
            f" snapshot there; engine {engine} must not guess what it had done"
            f"{''.join(f'; {words}' for words in damage)}"
        )
        hint = (
            f"start once with engine {takes_over} and stop it cleanly"
            " (`rollcall run --until-idle`): it writes the snapshots; then start this version"
        )
        raise EngineMismatchError(what, hint=hint)
    what = f"the state of {key} at {committed} cannot be rebuilt: {'; '.join(damage) or 'no data'}"
    raise RecoveryError(what, hint="restore the last backup (`rollcall restore`)")


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the garbage collector while a large state is built, then leave it out.

    Each of its passes would walk all objects of a register that is there to
    stay; frozen, they are no longer walked.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def decoded(record: Record) -> Event:
    """Return the event in a record; raises ``codec.UndecodableError``."""
    return decode(record.name, record.body, record.version)


def _beginnings(
    log: EventLog, key: StageKey, factory: StageFactory, oldest: int, damage: list[str]
) -> Iterator[tuple[int | None, Callable[[], Stage]]]:
    """Yield where recovery may begin, best first, and how to get a stage there."""
    for snapshot in log.snapshots(*key):
        if snapshot.offset < oldest:
            return
        if not snapshot.intact:
            damage.append(f"snapshot at {snapshot.offset}: wrong checksum")
            continue
        yield snapshot.offset, lambda body=snapshot.body: factory.restore(body)  # type: ignore[misc] # bound by default
    if oldest == 0:
        yield None, factory.create


def _replayed(
    log: EventLog, key: StageKey, make: Callable[[], Stage], start: int, end: int
) -> Stage:
    try:
        return _replay(log, key, make(), start, end, at_once=BATCH_RECORDS)
    except (RecoveryError, *NEVER_POISON):
        raise
    except Exception:  # noqa: BLE001 - a stage may fail on a batch whose records pass singly
        return _replay(log, key, make(), start, end, at_once=1)


def _replay(
    log: EventLog, key: StageKey, stage: Stage, start: int, end: int, *, at_once: int
) -> Stage:
    """Apply [start, end) but for what was skipped; the outputs are thrown away."""
    skipped = {skip.offset for skip in log.skips(*key)}
    topic, offset = INPUT_OF[key.stage], start
    while offset < end:
        records = log.read(topic, key.partition, offset, min(at_once, end - offset))
        if not records and log.end(topic, key.partition) < end:
            what = f"the input of {key} ends at {offset}, before its committed offset {end}"
            raise RecoveryError(what, hint="restore the last backup (`rollcall restore`)")
        # Where offsets have gaps, so many records can reach beyond the end.
        ours = [record for record in records if record.offset < end]
        stage.apply([decoded(r) for r in ours if r.offset not in skipped])
        offset = ours[-1].offset + 1 if ours else end
    return stage
