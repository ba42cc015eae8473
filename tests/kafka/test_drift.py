"""What a cluster should be, and how each difference is told."""

import pytest

from streams.backends.kafka.drift import Broker, Cluster, Layout, declared, drift, grave
from streams.sections import KafkaSettings
from streams.topology import CLUSTER, MAX_MESSAGE_BYTES

SETTINGS = KafkaSettings(prefix="r.", replication=3)
BROKER = {
    "socket.request.max.bytes": "104857600",
    "transaction.max.timeout.ms": "900000",
    "offsets.retention.minutes": "50400",
    "auto.create.topics.enable": "false",
}


def found(*, topics=None, broker=None):
    """Return a cluster as declared but for what is given."""
    there = declared(SETTINGS, 8) | (topics or {})
    layouts = {name: layout for name, layout in there.items() if layout is not None}
    return Cluster("4.1", [Broker(1, "k1:9092", BROKER | (broker or {}))], layouts)


def sentences(cluster):
    return [one.sentence for one in drift(SETTINGS, 8, cluster)]


def test_people_have_a_partition_a_shard_and_public_time_stamps_are_the_brokers():
    topics = declared(SETTINGS, 8)
    assert list(topics) == ["r." + topic.name for topic in CLUSTER]
    assert topics["r.check-ins"] == Layout(
        8,
        3,
        {
            "cleanup.policy": "delete",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": "3024000000",
            "min.insync.replicas": "2",
        },
    )
    assert topics["r.snapshots"] == Layout(
        8,
        3,
        {
            "cleanup.policy": "compact",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "message.timestamp.type": "CreateTime",
            "max.compaction.lag.ms": "86400000",
            "min.insync.replicas": "2",
        },
    )
    assert topics["r.desk-input"].partitions == topics["r.control"].partitions == 1


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "4")])
def test_one_copy_may_be_away_but_never_the_last(replication, in_sync):
    topics = declared(KafkaSettings(replication=replication), 1)
    assert {one.settings["min.insync.replicas"] for one in topics.values()} == {in_sync}


def test_a_cluster_as_declared_has_no_drift_and_other_topics_are_nobody_s_affair():
    assert sentences(found()) == []
    assert sentences(found(topics={"r.other": Layout(1, 1, {}), "x": Layout(1, 1, {})})) == []


def test_every_difference_of_a_topic_is_a_sentence_of_its_own():
    ours = declared(SETTINGS, 8)["r.check-ins"]
    other = Layout(4, 2, {**ours.settings, "retention.ms": "604800000", "min.insync.replicas": "1"})
    cluster = found(topics={"r.check-ins": other, "r.control": None})
    assert sentences(cluster) == [
        (
            "topic r.check-ins has 4 partitions, declared are 8; the number of a topic in use"
            " cannot be mended"
        ),
        "topic r.check-ins has 2 copies of each partition, declared are 3 (kafka.replication)",
        "topic r.check-ins has retention.ms = 604800000, declared is 3024000000",
        "topic r.check-ins has min.insync.replicas = 1, declared is 2",
        "topic r.control is missing; `rollcall topics create` makes it",
    ]
    assert len(grave(drift(SETTINGS, 8, cluster))) == 5


def test_what_a_broker_must_be_able_to_do():
    cluster = found(
        broker={"transaction.max.timeout.ms": "9999", "socket.request.max.bytes": "1000"}
    )
    assert sentences(cluster) == [
        (
            "broker 1 has socket.request.max.bytes = 1000, less than 4259840: a message may have"
            " 4259840 bytes"
        ),
        (
            "broker 1 has transaction.max.timeout.ms = 9999, less than 10000: transactions are"
            " begun with 10000"
        ),
    ]
    assert len(grave(drift(SETTINGS, 8, cluster))) == 2


def test_warnings_are_no_reason_to_refuse():
    cluster = found(
        broker={"offsets.retention.minutes": "10080", "auto.create.topics.enable": "true"},
        topics={"__transaction_state": Layout(50, 1, {}), "__consumer_offsets": Layout(50, 3, {})},
    )
    del cluster.brokers[0].settings["socket.request.max.bytes"]
    assert sentences(cluster) == [
        "broker 1 does not say its socket.request.max.bytes; it needs 4259840",
        (
            "broker 1 has offsets.retention.minutes = 10080, less than 50400: how far a stopped"
            " system had come would be forgotten before its records are"
        ),
        (
            "broker 1 makes topics that somebody misspells (auto.create.topics.enable): what is"
            " published there is read by nobody"
        ),
        (
            "Kafka's own topic __transaction_state has 1 copies of each partition, ours have 3: one"
            " broker lost stops all"
        ),
    ]
    assert grave(drift(SETTINGS, 8, cluster)) == []
