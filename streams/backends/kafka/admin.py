"""The topics of a cluster: looked at, made where they are missing, never changed."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType

from streams.backends.kafka import control, drift
from streams.backends.kafka.clients import TRANSACTION_MS, for_kafka_python
from streams.backends.kafka.control import Control
from streams.backends.kafka.drift import Broker, Cluster, Layout
from streams.backends.kafka.words import in_words
from streams.clock import WALL, ClockSpec
from streams.errors import NotFoundError, ShardsMismatchError
from streams.sections import KafkaSettings
from streams.topology import CONTROL

ANSWER_MS = 10_000
"""How long a broker may be silent before it counts as away."""

_ALREADY_THERE = kafka_errors.TopicAlreadyExistsError.errno


class Created(NamedTuple):
    """What a call found and made: full names of topics, and what the log is."""

    control: Control
    made: tuple[str, ...]
    there: tuple[str, ...]


class Lag(NamedTuple):
    """How far a group has come in one partition of a topic (full name)."""

    group: str
    topic: str
    partition: int
    committed: int
    end: int


class Admin:
    """The administrator's view of one cluster and one prefix."""

    def __init__(self, client: KafkaAdminClient, settings: KafkaSettings) -> None:
        """Use ``connect``."""
        self._client = client
        self._settings = settings

    @classmethod
    @contextmanager
    def connect(cls, settings: KafkaSettings) -> Iterator[Self]:
        """Yield the view; whatever goes wrong with the cluster is told in words."""
        said = for_kafka_python(settings) | {"bootstrap_timeout_ms": ANSWER_MS}
        with in_words(settings), closing(KafkaAdminClient(**said)) as client:
            yield cls(client, settings)

    # ------------------------------------------------------------------ look

    def cluster(self) -> Cluster:
        """Return what is there: brokers, our topics, and Kafka's own."""
        told = self._client.describe_cluster()
        brokers = {one["broker_id"]: f"{one['host']}:{one['port']}" for one in told["brokers"]}
        newest = self._client.get_broker_version_data(min(brokers)).broker_version
        settings = self._settings_of(ConfigResourceType.BROKER, map(str, brokers))
        return Cluster(
            ".".join(map(str, newest)),
            [Broker(n, address, settings.get(str(n), {})) for n, address in brokers.items()],
            self.topics(),
        )

    def topics(self) -> dict[str, Layout]:
        """Return the topics under our prefix and Kafka's own, by their full names."""
        prefix = self._settings.prefix
        names = [
            name
            for name in self._client.list_topics()
            if name.startswith(prefix) or name in drift.INTERNAL
        ]
        if not names:
            return {}
        partitions = {
            one["name"]: one["partitions"]
            for one in self._client.describe_topics(names)
            if not one["error_code"]
        }
        settings = self._settings_of(ConfigResourceType.TOPIC, partitions)
        return {
            name: Layout(
                len(found),
                min((len(one["replica_nodes"]) for one in found), default=0),
                settings.get(name, {}),
            )
            for name, found in partitions.items()
        }

    def without_leader(self) -> list[str]:
        """Return the partitions, as ``topic-partition``, that nobody can read or write now."""
        return sorted(
            f"{one['name']}-{each['partition_index']}"
            for one in self._client.describe_topics()
            if one["name"].startswith(self._settings.prefix)
            for each in one["partitions"]
            if each["leader_id"] < 0
        )

    def control(self) -> Control:
        """Return what the log was created with; ``NotFoundError`` if there is none."""
        found = self._read_control() if self._has_control() else None
        if found is None:
            what = f"there is no log under the prefix {self._settings.prefix!r} in this cluster"
            raise NotFoundError(what, hint="make it with `rollcall topics create`")
        return found

    def lags(self) -> list[Lag]:
        """Return how far every group under our prefix has come, by group and place."""
        prefix = self._settings.prefix
        groups = [
            one["group_id"]
            for one in self._client.list_groups()
            if one["group_id"].startswith(prefix)
        ]
        if not groups:
            return []
        committed = {
            (group, place): found.offset
            for group, places in self._client.list_group_offsets(dict.fromkeys(groups)).items()
            for place, found in places.items()
            if found.offset >= 0
        }
        with closing(self._consumer()) as consumer:
            ends = consumer.end_offsets([place for _, place in committed])
        return sorted(
            Lag(group, place.topic, place.partition, offset, ends[place])
            for (group, place), offset in committed.items()
        )

    def _settings_of(
        self, kind: ConfigResourceType, names: Iterator[str] | Mapping[str, Any]
    ) -> dict[str, dict[str, str]]:
        wanted = [ConfigResource(kind, name) for name in names]
        if not wanted:
            return {}
        found = self._client.describe_configs(wanted, config_filter="all")
        return {
            name: {key: one["value"] for key, one in values.items() if one["value"] is not None}
            for name, values in found.get(kind.name.lower(), {}).items()
        }

    # ------------------------------------------------------------------ make

    def create(self, shards: int, *, asked: int | None, clock: ClockSpec | None) -> Created:
        """Make the topics that are missing, and write once what the log is.

        ``shards`` where nobody asks for a number; ``asked`` and ``clock`` as
        given, None for what is there. Topics that are there stay as they are.
        """
        found = self._read_control() if self._has_control() else None
        if found is not None:
            control.refuse_other(found, asked, clock)
        wanted = found or Control(shards=asked or shards, clock=clock or WALL)
        layouts = drift.declared(self._settings, wanted.shards)
        there = self.topics()
        for name, layout in layouts.items():
            count = there[name].partitions if name in there else layout.partitions
            if found is None and count != layout.partitions:
                what = f"topic {name} is there with {count} partitions, not {layout.partitions}"
                hint = "use another kafka.prefix, or give --shards as the topics are"
                raise ShardsMismatchError(what, hint=hint)
        missing = {name: layout for name, layout in layouts.items() if name not in there}
        made = self._make(missing)
        if found is None:
            found = self._write_control(wanted)
            control.refuse_other(found, asked, clock)
        return Created(found, made, tuple(name for name in layouts if name not in made))

    def _make(self, missing: Mapping[str, Layout]) -> tuple[str, ...]:
        if not missing:
            return ()
        answer = self._client.create_topics(
            {
                name: {
                    "num_partitions": layout.partitions,
                    "replication_factor": layout.replication,
                    "configs": dict(layout.settings),
                }
                for name, layout in missing.items()
            },
            raise_errors=False,
        )
        codes = {one["name"]: one["error_code"] for one in answer["topics"]}
        for one in answer["topics"]:
            if one["error_code"] not in {0, _ALREADY_THERE}:
                why = f"{one['name']}: {one.get('error_message') or 'no reason given'}"
                raise kafka_errors.for_code(one["error_code"])(why)
        self._client.wait_for_topics(list(missing), timeout_ms=30_000)
        return tuple(name for name in missing if codes[name] == 0)

    # ------------------------------------------------------------------ control

    def _has_control(self) -> bool:
        return self._settings.prefix + CONTROL in self._client.list_topics()

    def _consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            **for_kafka_python(self._settings),
            bootstrap_timeout_ms=ANSWER_MS,
            isolation_level="read_committed",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
        )

    def _read_control(self) -> Control | None:
        """Return the newest control record, None before there is one."""
        place = TopicPartition(self._settings.prefix + CONTROL, 0)
        newest: bytes | None = None
        with closing(self._consumer()) as consumer:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                for record in consumer.poll(timeout_ms=1_000).get(place, ()):
                    if record.key == control.KEY and record.value is not None:
                        newest = record.value
        return None if newest is None else control.decode(newest)

    def _write_control(self, wanted: Control) -> Control:
        """Write the control record unless somebody else has; return what holds.

        A transactional producer of the same id fences whoever is at it too:
        of two calls at once only the later can commit, and it looks first.
        """
        producer = KafkaProducer(
            **for_kafka_python(self._settings),
            bootstrap_timeout_ms=ANSWER_MS,
            transactional_id=f"{self._settings.prefix}topics-create",
            transaction_timeout_ms=TRANSACTION_MS,
            allow_auto_create_topics=False,
        )
        with closing(producer):
            producer.init_transactions()
            found = self._read_control()
            if found is not None:
                return found
            producer.begin_transaction()
            producer.send(
                self._settings.prefix + CONTROL, control.encode(wanted), control.KEY, partition=0
            )
            try:
                producer.commit_transaction()
            except kafka_errors.ProducerFencedError:
                found = self._read_control()
                if found is None:
                    raise
                return found
        return wanted
