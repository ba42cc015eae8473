"""What is wrong with a cluster; reads only."""

from collections.abc import Iterator
from itertools import groupby

from streams.backends.kafka import drift
from streams.backends.kafka.admin import Admin
from streams.cli.checks import Finding, Level
from streams.errors import RollcallError
from streams.sections import KafkaSettings

SHOWN = 5
"""Partitions or differences named in one finding; the rest is counted."""

MARK = 1
"""Behind its last record a partition may hold the mark of a transaction: no lag."""


def examine_cluster(settings: KafkaSettings) -> list[Finding]:
    """Return all findings; one alone if nobody lets us in."""
    try:
        with Admin.connect(settings) as admin:
            return list(_findings(admin, settings))
    except RollcallError as error:
        return [Finding(Level.FAIL, "cluster", str(error), error.hint)]


def _findings(admin: Admin, settings: KafkaSettings) -> Iterator[Finding]:
    cluster = admin.cluster()
    brokers = ", ".join(broker.address for broker in cluster.brokers)
    yield Finding(Level.OK, "cluster", f"Kafka {cluster.version}, brokers {brokers}")
    try:
        log = admin.control()
    except RollcallError as error:
        yield Finding(Level.FAIL, "log", str(error), error.hint)
        return
    yield Finding(Level.OK, "log", f"{log.shards} shards, clock {log.clock}")
    found = drift.drift(settings, log.shards, cluster)
    grave = [one.sentence for one in drift.grave(found)]
    if grave:
        yield Finding(Level.FAIL, "topics", _some(grave), "`rollcall topics verify` lists them")
    else:
        yield Finding(Level.OK, "topics", "as declared")
    for one in found:
        if not one.grave:
            yield Finding(Level.WARN, one.about, one.sentence)
    lost = admin.without_leader()
    if lost:
        advice = "bring back the brokers that hold them"
        yield Finding(Level.FAIL, "leaders", f"none for {_some(lost)}", advice)
    else:
        yield Finding(Level.OK, "leaders", "every partition has one")
    yield from _lags(admin)


def _lags(admin: Admin) -> Iterator[Finding]:
    """Yield how far each group is behind; the marks of transactions are no records."""
    lags = admin.lags()
    if not lags:
        advice = "no process has worked on this log yet; start merge and worker"
        yield Finding(Level.WARN, "groups", "none under the prefix", advice)
    for group, places in groupby(lags, key=lambda one: one.group):
        behind = [one for one in places if one.end - one.committed > MARK]
        if behind:
            count = sum(one.end - one.committed for one in behind)
            where = _some([f"{one.topic}-{one.partition}" for one in behind])
            advice = "look again: it must fall; if it does not, look at the group's processes"
            found = f"at most {count} records behind in {where}"
            yield Finding(Level.WARN, f"group {group}", found, advice)
        else:
            yield Finding(Level.OK, f"group {group}", "nothing waits")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{'; '.join(names[:SHOWN])}{more}"
