"""Topics of a test's own on a real cluster, and all that stands in them."""

import json
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, TopicPartition
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from schemas.codec import decode
from schemas.envelope import Event
from streams.topology import CLUSTER, settings_of

WALL = {"kind": "wall"}


class Stands(NamedTuple):
    """One record as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    name: str
    event: Event
    stamped_ms: int


class Topics:
    """All topics of a cluster under one prefix; deleted at the end."""

    def __init__(self, bootstrap, prefix, shards):
        self.bootstrap, self.prefix, self.shards = bootstrap, prefix, shards
        self.partitions = {topic.name: shards if topic.sharded else 1 for topic in CLUSTER}

    @property
    def env(self):
        return {"ROLLCALL_KAFKA_BOOTSTRAP": self.bootstrap, "ROLLCALL_KAFKA_PREFIX": self.prefix}

    @contextmanager
    def producer(self, **settings):
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, **settings)
        try:
            yield producer
        finally:
            producer.close()

    def committed(self, group):
        """Return the first offset of each place not yet dealt with by a group."""
        with admin_of(self.bootstrap) as admin:
            found = admin.list_group_offsets(group)[group]
            return {(tp.topic, tp.partition): at.offset for tp, at in found.items()}

    def read(self, *names):
        """Return all records of some topics, partition by partition."""
        return [one for name in names for one in self._read(name)]

    def _read(self, name):
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.prefix}test",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        left = set(range(self.partitions[name]))
        consumer.assign([TopicPartition(self.prefix + name, one, 0) for one in left])
        found = []
        try:
            while left:
                for message in consumer.consume(5000, 0.2):
                    error = message.error()
                    if error is None:
                        found.append(_stands(name, message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition())
                    else:
                        raise AssertionError(error)
        finally:
            consumer.close()
        return sorted(found)


def _stands(name, message):
    headers = dict(message.headers() or ())
    said = headers["type"].decode()
    event = decode(said, message.value(), int(headers["version"]))
    key = (message.key() or b"").decode()
    stamp = message.timestamp()[1]
    return Stands(name, message.partition(), message.offset(), key, said, event, stamp)


@contextmanager
def admin_of(bootstrap):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield admin
    finally:
        admin.close()


@contextmanager
def topics_on(bootstrap, shards=4, clock=WALL):
    """Yield all topics of a new log, whose control record says this clock."""
    topics = Topics(bootstrap, f"t{uuid4().hex[:8]}.", shards)
    new = [
        NewTopic(
            topics.prefix + one.name, topics.partitions[one.name], 1, topic_configs=settings_of(one)
        )
        for one in CLUSTER
    ]
    with admin_of(bootstrap) as admin:
        admin.create_topics(new)
    control = json.dumps({"format": 1, "clock": clock, "shards": shards}).encode()
    with topics.producer() as producer:
        producer.send(topics.prefix + "control", key=b"log", value=control).get(30)
    try:
        yield topics
    finally:
        with admin_of(bootstrap) as admin:
            admin.delete_topics([one.name for one in new])
