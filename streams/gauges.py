"""What the gauges read: log, serving store and deliveries, when somebody asks."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from schemas.codelists import FeedState
from streams import metrics as m
from streams.backends.sqlite import SqliteLog
from streams.clock import Clock
from streams.compose import stage_keys
from streams.errors import DeliveriesFailedError, StoreFailedError
from streams.metrics import Reading
from streams.ports import EventLog
from streams.recovery import INPUT_OF
from streams.serving.answers import StatusNow
from streams.serving.deliveries import DELIVERIES_FILE, counts, reading_deliveries
from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.queries import status
from streams.serving.store import STORE_FILE, reading
from streams.serving.writer import lag


class TickAge:
    """How long ago the engine wrote its last tick, in seconds of this machine."""

    def __init__(self) -> None:
        """Know of no tick yet."""
        self._ticked_s: float | None = None

    def ticked(self) -> None:
        """Note that a tick was written just now."""
        self._ticked_s = time.monotonic()

    def seconds(self) -> float | None:
        """Return the age, None before the first tick."""
        return None if self._ticked_s is None else time.monotonic() - self._ticked_s


def readings(log: SqliteLog, data: Path, tick_age: TickAge) -> Iterator[Reading]:
    """Yield everything that the gauges of an engine read now."""
    yield Reading(m.UP, 1)
    yield Reading(m.SHARDS, log.shards)
    age_s = tick_age.seconds()
    if age_s is not None:
        yield Reading(m.TICK_AGE, age_s)
    yield from stages(log)
    yield from _stored(data / STORE_FILE, data / DELIVERIES_FILE, log.clock)
    with reading(data / STORE_FILE) as store:
        yield Reading(m.WRITER_LAG, lag(log, store))


def stages(log: EventLog) -> Iterator[Reading]:
    """Yield how every stage of a log stands."""
    for key in stage_keys(log.shards):
        labels = (key.stage, str(key.partition))
        progress = log.progress(*key)
        waiting = log.end(INPUT_OF[key.stage], key.partition) - progress.next_offset
        yield Reading(m.INPUT_LAG, waiting, labels)
        yield Reading(m.STOPPED, progress.stopped is not None, labels)
        yield Reading(m.SKIPPED, progress.skipped, labels)


def stored(database: Database, clock: Clock) -> Iterator[Reading]:
    """Yield what a cluster's database says; nothing while it cannot be asked."""
    try:
        yield from list(_stored(database, database, clock))
    except (StoreFailedError, DeliveriesFailedError, DatabaseError):
        return


def _stored(serving: Place, deliveries: Place, clock: Clock) -> Iterator[Reading]:
    with reading(serving) as store:
        yield from _numbers(status(store), clock)
    with reading_deliveries(deliveries) as there:
        yield from _deliveries(there)


def _numbers(now: StatusNow, clock: Clock) -> Iterator[Reading]:
    if now.totals:
        newest_at = max(total.completeness.as_of for total in now.totals)
        yield Reading(m.SUMS_AGE, (clock.now() - newest_at).total_seconds())
    for total in now.totals:
        yield Reading(m.SHARDS_REACHED, total.completeness.reached, (total.status,))
        yield Reading(m.PEOPLE, total.people, (total.status,))
        yield Reading(m.KNOWN, total.distinct_known, (total.status,))
    yield Reading(m.DEAD_LETTERS, now.dead_letters)
    yield from _ledgers(now)
    yield from _counted(m.FAULTS, (one.fault for one in now.faults))
    yield from _counted(m.ALERTS_OPEN, (one.status for one in now.alerts))
    for feed in now.feeds or ():
        for state in FeedState:
            yield Reading(m.FEED_STATE, feed.state == state, (feed.feed, state))
        if feed.last_success_at is not None:
            age = clock.now() - feed.last_success_at
            yield Reading(m.FEED_AGE, age.total_seconds(), (feed.feed,))


def _ledgers(now: StatusNow) -> Iterator[Reading]:
    """Yield buckets, and how far off the ledgers are; nothing before the first sum."""
    people: Counter[tuple[str, str]] = Counter()
    off: Counter[str] = Counter()
    summed = [one for one in now.situations if one.buckets is not None]
    for one in summed:
        if not one.closed:
            people.update({(one.status, b): n for b, n in (one.buckets or {}).items()})
        if one.imbalance is not None:
            checks = ("room", "buckets", "store")
            off.update({check: abs(getattr(one.imbalance, check)) for check in checks})
    for labels, count in sorted(people.items()):
        yield Reading(m.BUCKET, count, labels)
    for check, amount in sorted(off.items()):
        yield Reading(m.IMBALANCE, amount, (check,))


def _counted(metric: m.Metric, names: Iterable[str]) -> Iterator[Reading]:
    for name, count in sorted(Counter(names).items()):
        yield Reading(metric, count, (name,))


def _deliveries(deliveries: Engine | None) -> Iterator[Reading]:
    """Yield deliveries by state; nothing where no dispatcher ever ran."""
    if deliveries is None:
        return
    by_state: Counter[str] = Counter()
    for (_, state), count in counts(deliveries).items():
        by_state[state] += count
    for state, count in sorted(by_state.items()):
        yield Reading(m.DELIVERIES, count, (state,))
