"""A log on the broker of the tests: topics of its own, under a prefix of its own."""

from hashlib import blake2b

import msgspec
from confluent_kafka import Producer
from kafka.admin import KafkaAdminClient, NewTopic

from streams.backends.kafka.clients import for_kafka_python, for_producing
from streams.backends.kafka.control import KEY, Control
from streams.backends.kafka.log import KafkaLog
from streams.clock import WALL
from streams.sections import KafkaSettings
from streams.topology import CLUSTER, CONTROL, settings_of


def settings_for(kafka, directory):
    """Settings of a log that belongs to a test's directory."""
    prefix = f"t{blake2b(str(directory).encode(), digest_size=6).hexdigest()}."
    return KafkaSettings(bootstrap=kafka, prefix=prefix, replication=1)


def make_topics(settings, shards=4, clock=WALL):
    admin = KafkaAdminClient(**for_kafka_python(settings))
    new = [
        NewTopic(
            settings.prefix + topic.name,
            shards if topic.sharded else 1,
            1,
            topic_configs=settings_of(topic),
        )
        for topic in CLUSTER
    ]
    admin.create_topics(new)
    admin.close()
    producer = Producer(for_producing(settings))
    body = msgspec.json.encode(Control(clock=clock, shards=shards))
    producer.produce(settings.prefix + CONTROL, key=KEY, value=body, partition=0)
    producer.flush(10)


def open_log(kafka, directory, *, shards=None, clock=None, **more):
    settings = settings_for(kafka, directory)
    if shards is not None:
        make_topics(settings, shards, clock or WALL)
    return KafkaLog(settings, directory / "state", **more)
