"""What the gauges read: log, serving store and deliveries, when somebody asks."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Engine

from schemas.codelists import FeedState
from streams import metrics as m
from streams.backends.sqlite import SqliteLog
from streams.compose import backlog
from streams.metrics import Reading
from streams.recovery import StageKey
from streams.serving.answers import StatusNow
from streams.serving.deliveries import DELIVERIES_FILE, counts, reading_deliveries
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
    """Yield everything that the gauges read now."""
    yield Reading(m.UP, 1)
    yield Reading(m.SHARDS, log.shards)
    age_s = tick_age.seconds()
    if age_s is not None:
        yield Reading(m.TICK_AGE, age_s)
    yield from _stages(log)
    with reading(data / STORE_FILE) as store:
        yield Reading(m.WRITER_LAG, lag(log, store))
        yield from _numbers(status(store), log)
    with reading_deliveries(data / DELIVERIES_FILE) as deliveries:
        yield from _deliveries(deliveries)


def _stages(log: SqliteLog) -> Iterator[Reading]:
    for key, waiting in backlog(log).items():
        labels = _labels(key)
        progress = log.progress(*key)
        yield Reading(m.INPUT_LAG, waiting, labels)
        yield Reading(m.STOPPED, progress.stopped is not None, labels)
        yield Reading(m.SKIPPED, progress.skipped, labels)


def _labels(key: StageKey) -> tuple[str, str]:
    return (key.stage, str(key.partition))


def _numbers(now: StatusNow, log: SqliteLog) -> Iterator[Reading]:
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
            age = log.clock.now() - feed.last_success_at
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
