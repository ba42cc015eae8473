"""Every metric there is: its name, its sentence, its labels; and their home.

``METRICS`` is the closed list from which ``docs/api/metrics.md`` is made. No
label ever holds the id of a person. What others hold (log, store, clock) is
read when somebody asks (``Measure``); what happens is counted as it happens.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector


class Kind(StrEnum):
    """How a metric behaves, as Prometheus calls it."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric; a counter's samples end in ``_total``, as Prometheus writes it."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()


class Reading(NamedTuple):
    """What a gauge reads now, for the values of its labels, in their order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


def _gauge(name: str, about: str, *labels: str) -> Metric:
    return Metric(f"rollcall_{name}", Kind.GAUGE, about, labels)


UP = _gauge("up", "1 while the engine runs.")
INPUT_LAG = _gauge(
    "input_lag_records",
    "Records in a stage's input that it has not dealt with.",
    "stage", "partition",
)  # fmt: skip
STOPPED = _gauge(
    "partition_stopped", "1 where a stage's partition stands still after faults.",
    "stage", "partition",
)  # fmt: skip
SKIPPED = _gauge(
    "skipped_records", "Records that a stage has put aside without applying them.",
    "stage", "partition",
)  # fmt: skip
WRITER_LAG = _gauge("writer_lag_records", "Records of the stages not yet in the serving store.")
TICK_AGE = _gauge(
    "tick_age_seconds",
    "Real seconds since this process last wrote a tick; absent before the first, and on a cluster "
    "in every process but the one that leads.",
)
FEED_AGE = _gauge(
    "feed_age_seconds",
    "Seconds of the log's clock since a feed last answered well; absent if it never did.",
    "feed",
)
FEED_STATE = _gauge(
    "feed_state", "1 for the state a feed is in: ok, late, suspect, down, unknown.",
    "feed", "state",
)  # fmt: skip
SUMS_AGE = _gauge(
    "sums_age_seconds",
    "Seconds of the log's clock since the tick of the newest totals; absent before the first.",
)
SHARDS_REACHED = _gauge("shards_reached", "Shards behind the newest totals.", "status")
SHARDS = _gauge("shards", "Shards there are.")
PEOPLE = _gauge("people", "People of whom something is on record.", "status")
KNOWN = _gauge("known_people", "Distinct people known in any situation.", "status")
BUCKET = _gauge(
    "accountability_people",
    "People of a status by bucket, summed over its open situations: one in two counts twice.",
    "status", "bucket",
)  # fmt: skip
IMBALANCE = _gauge(
    "ledger_imbalance",
    "How far a ledger is off, all situations together, by check; must read 0.",
    "check",
)
FAULTS = _gauge("faults_open", "Faults that are not cleared, by what they are.", "fault")
DEAD_LETTERS = _gauge("dead_letters", "Refused records that nobody has put back.")
ALERTS_OPEN = _gauge(
    "alerts_open", "Alerts that nobody has acknowledged and no silence mutes.", "status"
)
DELIVERIES = _gauge("deliveries", "Deliveries by state, where a dispatcher keeps them.", "state")
ITEMS = Metric(
    "rollcall_intake_items",
    Kind.COUNTER,
    "Items that came in, by what they are and what became of them: "
    "accepted, duplicate, conflict, rejected. Since this process started.",
    ("kind", "outcome"),
)
CHECK_IN_TO_FLAG = Metric(
    "rollcall_check_in_to_flag_seconds",
    Kind.HISTOGRAM,
    "Real seconds from a check-in's arrival until what follows from it is in the serving store.",
)

STORED: tuple[Metric, ...] = (
    SUMS_AGE, FEED_AGE, FEED_STATE, SHARDS_REACHED, SHARDS, PEOPLE, KNOWN, BUCKET, IMBALANCE,
    FAULTS, DEAD_LETTERS, ALERTS_OPEN, DELIVERIES,
)  # fmt: skip
"""What the serving store and the deliveries say."""

METRICS: tuple[Metric, ...] = (
    UP, INPUT_LAG, STOPPED, SKIPPED, WRITER_LAG, TICK_AGE, *STORED, ITEMS, CHECK_IN_TO_FLAG,
)  # fmt: skip
"""Every metric of the engine, in the order of the documentation."""

WELL = _gauge("well", "1 while a process does its work; 0 while `GET /healthz` says 503.", "role")

MERGE_RECORDS = Metric(
    "rollcall_merge_records",
    Kind.COUNTER,
    "Records of a public topic: read, and of those routed to a stage or rejected as a dead "
    "letter; read less both is on its way. Since this process started.",
    ("topic", "outcome"),
)
MERGE_LAG = _gauge(
    "merge_lag_records", "Records of a public topic that no process has merged.",
    "topic", "partition",
)  # fmt: skip
MERGE_PARTITIONS = _gauge("merge_partitions", "Partitions of public topics that this one merges.")
MERGE_LEADS = _gauge("merge_leads", "1 for the process that writes the ticks.")
MERGE_COMPLETE_AGE = _gauge(
    "merge_complete_age_seconds",
    "Seconds since the newest moment up to which all is merged; absent while none is known.",
)

MERGE: tuple[Metric, ...] = (
    WELL, TICK_AGE, MERGE_RECORDS, MERGE_LAG, MERGE_PARTITIONS, MERGE_LEADS, MERGE_COMPLETE_AGE,
)  # fmt: skip
"""Every metric of `rollcall merge`."""

WORKER_PARTITIONS = _gauge("worker_partitions", "Partitions that this worker works on.", "stage")
WORKER_LAG = _gauge(
    "worker_lag_records",
    "Records that a partition of this worker had waiting when it last looked.",
    "stage", "partition",
)  # fmt: skip
WORKER_STANDS_STILL = _gauge(
    "worker_stands_still",
    "1 where this worker does not get on: stopped after faults, or failing again and again.",
    "stage", "partition",
)  # fmt: skip
WORKER_RECORDS = Metric(
    "rollcall_worker_records",
    Kind.COUNTER,
    "Records that this worker has dealt with, applied or put aside. Since it started.",
    ("stage",),
)
WORKER_EVENTS = Metric(
    "rollcall_worker_events",
    Kind.COUNTER,
    "What stages have said of it, dead letters and faults included. Since it started.",
    ("stage",),
)
WORKER_COMMIT = Metric(
    "rollcall_worker_commit_seconds",
    Kind.HISTOGRAM,
    "Seconds that a commit took: what a stage says and its place, in one transaction.",
    ("stage",),
)

WORKER: tuple[Metric, ...] = (
    WELL, WORKER_PARTITIONS, WORKER_LAG, WORKER_STANDS_STILL, WORKER_RECORDS, WORKER_EVENTS,
    WORKER_COMMIT,
)  # fmt: skip
"""Every metric of `rollcall worker`."""

WRITER_RECORDS = Metric(
    "rollcall_writer_records",
    Kind.COUNTER,
    "Records carried into the serving store. Since this process started.",
)

WRITE: tuple[Metric, ...] = (
    WELL, INPUT_LAG, STOPPED, SKIPPED, WRITER_LAG, WRITER_RECORDS, *STORED,
)  # fmt: skip
"""Every metric of `rollcall write`."""

API: tuple[Metric, ...] = (WELL, ITEMS)
"""Every metric of `rollcall api`."""

ANSWERS = ("ok", "late", "suspect", "down")
"""What an answer of a feed can mean for it."""

POLL_ANSWERS = Metric(
    "rollcall_poll_answers",
    Kind.COUNTER,
    "Answers of a feed by what they mean for it: ok, late, suspect, down. Since this one started.",
    ("feed", "state"),
)

POLL: tuple[Metric, ...] = (WELL, POLL_ANSWERS)
"""Every metric of `rollcall poll`."""

ATTEMPT_OUTCOMES = ("delivered", "refused", "retry", "in_doubt")
"""How an attempt at a delivery can end."""

DISPATCH_ATTEMPTS = Metric(
    "rollcall_dispatch_attempts",
    Kind.COUNTER,
    "Attempts at a delivery that ended: delivered, refused, retry, in_doubt. Since it started.",
    ("channel", "outcome"),
)
DISPATCH_WAITING = _gauge(
    "dispatch_waiting", "Deliveries that are not sent yet, those in flight included.", "channel"
)

DISPATCH: tuple[Metric, ...] = (WELL, DISPATCH_ATTEMPTS, DISPATCH_WAITING)
"""Every metric of `rollcall dispatch`."""

ROLES: dict[str, tuple[Metric, ...]] = {
    "merge": MERGE,
    "worker": WORKER,
    "write": WRITE,
    "api": API,
    "poll": POLL,
    "dispatch": DISPATCH,
}
"""Every metric of each role of a cluster."""

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Design 9 asks for p50 <= 50 ms and p99 <= 250 ms."""

COMMIT_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""A transaction takes about 20 ms on one broker, more where three must agree."""

Measure = Callable[[], Iterable[Reading]]


class _Gauges(Collector):
    """Asks for all gauges at once, when a scrape comes."""

    def __init__(self, measure: Measure, metrics: Iterable[Metric]) -> None:
        self._measure = measure
        self._gauges = [one for one in metrics if one.kind is Kind.GAUGE]

    def collect(self) -> Iterator[Family]:
        """Yield one family per gauge, also those without a sample."""
        families = {
            one.name: GaugeMetricFamily(one.name, one.about, labels=one.labels)
            for one in self._gauges
        }
        for metric, value, labels in self._measure():
            families[metric.name].add_metric(list(labels), value)
        yield from families.values()

    def describe(self) -> Iterator[Family]:
        """Yield nothing: registering must not read log and store."""
        yield from ()


class RoleMetrics:
    """The metrics of one process, of a list; counting is safe from any thread."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        """Begin at 0."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # not a series of the list
        self.registry = CollectorRegistry()
        self._metrics = metrics
        self._counters = {
            one.name: Counter(one.name, one.about, one.labels, registry=self.registry)
            for one in metrics
            if one.kind is Kind.COUNTER
        }
        self._histograms = {
            one.name: Histogram(
                one.name,
                one.about,
                one.labels,
                registry=self.registry,
                buckets=COMMIT_BUCKETS_S if one is WORKER_COMMIT else BUCKETS_S,
            )
            for one in metrics
            if one.kind is Kind.HISTOGRAM
        }

    def read_gauges_from(self, measure: Measure) -> None:
        """Have ``measure`` called at every scrape, from the thread that answers it."""
        self.registry.register(_Gauges(measure, self._metrics))

    def begin(self, metric: Metric, *labels: Iterable[str]) -> None:
        """Begin at 0 for every combination: the first of a kind is seen to be one more."""
        for values in product(*labels):
            self.count(metric, 0, *values)

    def count(self, metric: Metric, amount: int, *labels: str) -> None:
        """Count so many more, for the values of the labels, in their order."""
        counter = self._counters[metric.name]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Note how long something took."""
        histogram = self._histograms[metric.name]
        (histogram.labels(*labels) if labels else histogram).observe(seconds)


class Metrics(RoleMetrics):
    """The metrics of one that takes in: of an engine, or of ``rollcall api``."""

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        """Begin at 0."""
        super().__init__(metrics)

    def count_items(self, kind: str, counts: dict[str, int]) -> None:
        """Count what became of items of one kind; the keys are ``OUTCOMES``."""
        for outcome in OUTCOMES:
            self.count(ITEMS, counts.get(outcome, 0), kind, outcome)

    def flagged(self, seconds: float, check_ins: int) -> None:
        """Note that so many check-ins took so long to the store."""
        for _ in range(check_ins):
            self.observe(CHECK_IN_TO_FLAG, seconds)


class MergeMetrics:
    """The metrics of one process that merges."""

    def __init__(self, topics: Iterable[str], measure: Measure) -> None:
        """Begin at 0 for each of ``topics``; ``measure`` is called at every scrape."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # not a series of the list
        self.registry = CollectorRegistry()
        about = (MERGE_RECORDS.name, MERGE_RECORDS.about, MERGE_RECORDS.labels)
        records = Counter(*about, registry=self.registry)
        self._records = {
            (topic, outcome): records.labels(topic, outcome)
            for topic in topics
            for outcome in ("read", "routed", "rejected")
        }
        self.registry.register(_Gauges(measure, MERGE))

    def count(self, topic: str, outcome: str, records: int) -> None:
        """Count records of a topic: ``read``, ``routed``, ``rejected``."""
        self._records[topic, outcome].inc(records)


def as_markdown() -> str:
    """Return the documentation of all metrics (``docs/api/metrics.md``)."""
    lines = [
        "# Metrics",
        "",
        "Generated by `streams.metrics.as_markdown`; a test compares it. The engine answers",
        "`GET http://127.0.0.1:9464/metrics` in the text format of Prometheus. A gauge of which",
        "nobody knows the figure has no sample: unknown is not 0. No label holds a person's id.",
        *_table(METRICS),
        "",
        "## Roles of a cluster",
        "",
        "Each role answers the same way on `ports.host`:`ports.metrics` (`--metrics-port`), and",
        "`GET /healthz` with 200 while it does its work, else 503 and the reason. `poll` and",
        "`dispatch` do so on a cluster alone, or where `--metrics-port` is given.",
    ]
    for role, metrics in ROLES.items():
        lines += ["", f"### `rollcall {role}`", *_table(metrics)]
    return "\n".join(lines) + "\n"


def _table(metrics: Iterable[Metric]) -> Iterator[str]:
    yield from ("", "| metric | kind | labels | meaning |", "|---|---|---|---|")
    for one in metrics:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        name = f"{one.name}_total" if one.kind is Kind.COUNTER else one.name
        yield f"| `{name}` | {one.kind} | {labels} | {one.about} |"
