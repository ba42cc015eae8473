"""The partition of a key is the same for us and for every Kafka client.

Java's, aiokafka's and kafka-python's default; librdkafka's only if told to
(``partitioner=murmur2_random``), its own default is another hash.
"""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner as OfAiokafka
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from kafka.partitioner.default import DefaultPartitioner as OfKafkaPython

from streams.backends.kafka.clients import for_confluent, for_kafka_python
from streams.topology import murmur2, partition_of

PARTITIONS = 7
JAVA = Path(__file__).with_name("Partition.java")

KNOWN = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}
"""Keys with their hash as Apache Kafka's own UtilsTest has them."""

KEYS = [
    *("123456789"[:length] for length in range(10)),
    *KNOWN,
    "h3f9a",
    "H3F9A",
    "héloïse",
    "Ærøskøbing",
    "東京",
    "Ελλάδα",
    "🙂",
    "\x00",
    "ÿþ\x80\x7f",
    "a" * 1_000,
]


def ours(key: str, partitions: int = PARTITIONS) -> int:
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize(("key", "hashed"), KNOWN.items())
def test_the_hash_is_that_of_kafka_s_own_tests(key, hashed):
    assert murmur2(key.encode()) == hashed & 0xFFFFFFFF


def test_the_partition_of_a_person_is_that_of_the_home():
    assert [partition_of(f"h3f9a.{n}", PARTITIONS) for n in (1, 2, 30)] == [ours("h3f9a")] * 3
    assert partition_of("héloïse.1", PARTITIONS) == ours("héloïse")


@pytest.mark.parametrize("partitions", [1, 2, 7, 8, 100])
def test_aiokafka_and_kafka_python_agree(partitions):
    numbers = list(range(partitions))
    wanted = [ours(key, partitions) for key in KEYS]
    assert [OfAiokafka()(key.encode(), numbers, numbers) for key in KEYS] == wanted
    assert [
        OfKafkaPython().partition("t", key, key.encode(), b"", b"", Numbered(partitions))
        for key in KEYS
    ] == wanted


class Numbered:
    """As much of a cluster's metadata as a partitioner asks for."""

    def __init__(self, partitions):
        self.numbers = set(range(partitions))

    def topics(self):
        return {"t"}

    def partitions_for_topic(self, _topic):
        return self.numbers

    available_partitions_for_topic = partitions_for_topic


@pytest.mark.kafka
def test_java_agrees(kafka_jars):
    said = subprocess.run(
        ["java", "-cp", f"{kafka_jars}/*", JAVA, str(PARTITIONS)],  # noqa: S607 - wherever it is
        input="".join(f"{key.encode().hex()}\n" for key in KEYS),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(line) for line in said.stdout.split()] == [ours(key) for key in KEYS]


@pytest.mark.kafka
def test_confluent_agrees_if_told_to(cluster):
    topic = f"{cluster.prefix}keys"
    with closing(KafkaAdminClient(**for_kafka_python(cluster))) as admin:
        admin.create_topics(
            {topic: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True
        )
    producer = Producer(for_confluent(cluster) | {"partitioner": "murmur2_random"})
    went = {}

    def delivered(error, message):
        went[(message.key() or b"").decode()] = error or message.partition()

    for key in KEYS:
        producer.produce(topic, b"", key.encode(), on_delivery=delivered)
    assert producer.flush(30) == 0
    assert went == {key: ours(key) for key in KEYS}
