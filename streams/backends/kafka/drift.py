"""What a cluster should be and what it is: compared, and told in sentences.

Pure: ``admin`` asks the cluster. Nothing is ever changed because it differs; a
topic that somebody has set otherwise may have its reason. A broker's own
``message.max.bytes`` counts only for topics that do not say it; ours do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from streams.backends.kafka.clients import TRANSACTION_MS
from streams.sections import KafkaSettings
from streams.topology import CLUSTER, MAX_MESSAGE_BYTES, RETENTION, settings_of

RETENTION_MINUTES = int(RETENTION.total_seconds() // 60)

INTERNAL = ("__consumer_offsets", "__transaction_state")
"""Topics of Kafka itself, without which no stage commits."""


class Layout(NamedTuple):
    """A topic as declared, or as found: partitions, copies of each, settings."""

    partitions: int
    replication: int
    settings: Mapping[str, str]


class Broker(NamedTuple):
    """One broker and its settings."""

    number: int
    address: str
    settings: Mapping[str, str]


class Cluster(NamedTuple):
    """What is there: version, brokers, and the topics by their full names."""

    version: str
    brokers: Sequence[Broker]
    topics: Mapping[str, Layout]


class Drift(NamedTuple):
    """One thing that is not as declared; ``grave`` if Rollcall cannot work with it."""

    about: str
    sentence: str
    grave: bool = True


def declared(settings: KafkaSettings, shards: int) -> dict[str, Layout]:
    """Return every topic of a cluster by its full name, as it should be."""
    in_sync = {"min.insync.replicas": str(max(1, settings.replication - 1))}
    return {
        settings.prefix + topic.name: Layout(
            shards if topic.sharded else 1, settings.replication, settings_of(topic) | in_sync
        )
        for topic in CLUSTER
    }


def drift(settings: KafkaSettings, shards: int, found: Cluster) -> list[Drift]:
    """Return all that is not as declared, topics first; empty if all is well."""
    wanted = declared(settings, shards)
    return [
        *(one for name, layout in wanted.items() for one in of_topic(name, layout, found.topics)),
        *(one for broker in found.brokers for one in _of_broker(broker)),
        *_of_internal(settings, found.topics),
    ]


def of_topic(name: str, wanted: Layout, topics: Mapping[str, Layout]) -> Iterator[Drift]:
    """Yield how a topic differs from what is declared."""
    found = topics.get(name)
    if found is None:
        yield Drift(name, f"topic {name} is missing; `rollcall topics create` makes it")
        return
    if found.partitions != wanted.partitions:
        yield Drift(
            name, f"topic {name} has {found.partitions} partitions, declared are"
            f" {wanted.partitions}; the number of a topic in use cannot be mended",
        )  # fmt: skip
    if found.replication != wanted.replication:
        yield Drift(
            name, f"topic {name} has {found.replication} copies of each partition, declared"
            f" are {wanted.replication} (kafka.replication)",
        )  # fmt: skip
    for key, value in wanted.settings.items():
        if found.settings.get(key) != value:
            yield Drift(
                name, f"topic {name} has {key} = {found.settings.get(key, 'unknown')},"
                f" declared is {value}",
            )  # fmt: skip


def _of_broker(broker: Broker) -> Iterator[Drift]:
    about = f"broker {broker.number}"
    least = [
        (
            "socket.request.max.bytes", MAX_MESSAGE_BYTES, True,
            f"a message may have {MAX_MESSAGE_BYTES} bytes",
        ),
        (
            "transaction.max.timeout.ms", TRANSACTION_MS, True,
            f"transactions are begun with {TRANSACTION_MS}",
        ),
        (
            "offsets.retention.minutes", RETENTION_MINUTES, False,
            "how far a stopped system had come would be forgotten before its records are",
        ),
    ]  # fmt: skip
    for key, needed, grave, why in least:
        value = broker.settings.get(key, "")
        if not value.lstrip("-").isdigit():
            yield Drift(about, f"{about} does not say its {key}; it needs {needed}", grave=False)
        elif int(value) < needed:
            yield Drift(about, f"{about} has {key} = {value}, less than {needed}: {why}", grave)
    if broker.settings.get("auto.create.topics.enable") == "true":
        yield Drift(
            about, f"{about} makes topics that somebody misspells"
            " (auto.create.topics.enable): what is published there is read by nobody",
            grave=False,
        )  # fmt: skip


def _of_internal(settings: KafkaSettings, topics: Mapping[str, Layout]) -> Iterator[Drift]:
    for name in INTERNAL:
        found = topics.get(name)
        if found is not None and found.replication < settings.replication:
            yield Drift(
                name, f"Kafka's own topic {name} has {found.replication} copies of each"
                f" partition, ours have {settings.replication}: one broker lost stops all",
                grave=False,
            )  # fmt: skip


def grave(found: Iterable[Drift]) -> list[Drift]:
    """Return those with which Rollcall cannot work as declared."""
    return [one for one in found if one.grave]
