"""Every metric there is: its name, its sentence, its labels; and their home.

``METRICS`` is the closed list from which ``docs/api/metrics.md`` is made. No
label ever holds the id of a person. What others hold (log, store, clock) is
read when somebody asks (``Measure``); what happens is counted as it happens.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
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
    "tick_age_seconds", "Real seconds since the engine last wrote a tick; absent before the first."
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
    "accepted, duplicate, conflict, rejected. Since the engine started.",
    ("kind", "outcome"),
)
CHECK_IN_TO_FLAG = Metric(
    "rollcall_check_in_to_flag_seconds",
    Kind.HISTOGRAM,
    "Real seconds from a check-in's arrival until what follows from it is in the serving store.",
)

METRICS: tuple[Metric, ...] = (
    UP, INPUT_LAG, STOPPED, SKIPPED, WRITER_LAG, TICK_AGE, FEED_AGE, FEED_STATE, SHARDS_REACHED,
    SHARDS, PEOPLE, KNOWN, BUCKET, IMBALANCE, FAULTS, DEAD_LETTERS, ALERTS_OPEN, DELIVERIES, ITEMS,
    CHECK_IN_TO_FLAG,
)  # fmt: skip
"""Every metric, in the order of the documentation."""

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
    MERGE_RECORDS, MERGE_LAG, MERGE_PARTITIONS, MERGE_LEADS, MERGE_COMPLETE_AGE,
)  # fmt: skip
"""Every metric of `rollcall merge`."""

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Design 9 asks for p50 <= 50 ms and p99 <= 250 ms."""

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


class Metrics:
    """The metrics of one engine; counting is safe from any thread."""

    def __init__(self) -> None:
        """Begin at 0."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # not a series of the list
        self.registry = CollectorRegistry()
        self._items = Counter(ITEMS.name, ITEMS.about, ITEMS.labels, registry=self.registry)
        self._flag_s = Histogram(
            CHECK_IN_TO_FLAG.name, CHECK_IN_TO_FLAG.about, registry=self.registry, buckets=BUCKETS_S
        )

    def read_gauges_from(self, measure: Measure) -> None:
        """Have ``measure`` called at every scrape, from the thread that answers it."""
        self.registry.register(_Gauges(measure, METRICS))

    def count_items(self, kind: str, counts: dict[str, int]) -> None:
        """Count what became of items of one kind; the keys are ``OUTCOMES``."""
        for outcome in OUTCOMES:
            self._items.labels(kind, outcome).inc(counts.get(outcome, 0))

    def flagged(self, seconds: float, check_ins: int) -> None:
        """Note that so many check-ins took so long to the store."""
        for _ in range(check_ins):
            self._flag_s.observe(seconds)


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
        "## `rollcall merge`",
        "",
        "Each process that merges answers the same way, and `GET /healthz` with 200 or 503.",
        *_table(MERGE),
    ]
    return "\n".join(lines) + "\n"


def _table(metrics: Iterable[Metric]) -> Iterator[str]:
    yield from ("", "| metric | kind | labels | meaning |", "|---|---|---|---|")
    for one in metrics:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        name = f"{one.name}_total" if one.kind is Kind.COUNTER else one.name
        yield f"| `{name}` | {one.kind} | {labels} | {one.about} |"
