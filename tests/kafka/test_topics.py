"""The topics of a real cluster: made once, never changed, every difference told."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from streams.backends.kafka.admin import Admin
from streams.backends.kafka.clients import for_kafka_python
from streams.clock import WALL
from streams.errors import NotFoundError, RollcallError, ShardsMismatchError
from streams.topology import CLUSTER, MAX_MESSAGE_BYTES

pytestmark = pytest.mark.kafka


def control_records(cluster):
    place = TopicPartition(f"{cluster.prefix}control", 0)
    with closing(
        KafkaConsumer(**for_kafka_python(cluster), isolation_level="read_committed")
    ) as one:
        one.assign([place])
        one.seek_to_beginning(place)
        end, found = one.end_offsets([place])[place], []
        while one.position(place) < end:
            found += one.poll(1_000).get(place, [])
        return [json.loads(record.value) for record in found]


def test_made_once_then_there_and_the_control_record_is_written_once(on_kafka, cluster):
    names = [cluster.prefix + topic.name for topic in CLUSTER]
    first = on_kafka("topics", "create", "--shards", 4)
    assert first.lines == [
        *(f"made    {name}" for name in names),
        "17 topics made, 0 were there; 4 shards, clock wall",
    ]
    again = on_kafka("topics", "create")
    assert again.lines == [
        *(f"there   {name}" for name in names),
        "0 topics made, 17 were there; 4 shards, clock wall",
    ]
    clock = {"kind": "wall", "start": None, "speed": None}
    assert control_records(cluster) == [{"format": 1, "shards": 4, "clock": clock}]
    assert on_kafka("topics", "verify").lines[-1].startswith("17 topics on 1 brokers are as dec")


def test_another_clock_or_number_of_shards_is_refused_with_words(on_kafka):
    on_kafka("topics", "create", "--scenario-start", "2023-02-06T00:00:00Z", "--shards", 2)
    answer = on_kafka("topics", "create", "--shards", 3, code=6)
    assert answer.err == (
        "Error: the log in this cluster has 2 shards, not 3.\n"
        "Next: leave the number out, or use another kafka.prefix: it is fixed at creation.\n"
    )
    other = on_kafka("topics", "create", "--scenario-start", "2023-02-07T00:00:00Z", code=6)
    assert other.err.startswith(
        "Error: the log in this cluster runs on the clock"
        " scenario(2023-02-06T00:00:00+00:00, 1), not scenario(2023-02-07T00:00:00+00:00, 1).\n"
    )
    said = on_kafka("topics", "create")
    assert said.lines[-1] == (
        "0 topics made, 17 were there; 2 shards, clock scenario(2023-02-06T00:00:00+00:00, 1)"
    )


def test_drift_is_told_and_nothing_is_changed(on_kafka, cluster):
    on_kafka("topics", "create", "--shards", 2)
    name = f"{cluster.prefix}reports"
    resource = ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": "1000"})
    with closing(KafkaAdminClient(**for_kafka_python(cluster))) as admin:
        admin.alter_configs([resource])
        admin.delete_topics([f"{cluster.prefix}skips"])
    sentences = [
        f"topic {name} has retention.ms = 1000, declared is 3024000000",
        f"topic {cluster.prefix}skips is missing; `rollcall topics create` makes it",
    ]
    answer = on_kafka("topics", "verify", code=1)
    assert [line for line in answer.lines if line.startswith("differs")] == [
        f"differs {sentence}" for sentence in sentences
    ]
    assert answer.err.startswith("Error: 2 things are not as declared.\n")
    told = json.loads(on_kafka("topics", "verify", "--json", code=1).out)
    found = [one["found"] for one in told["findings"] if one["level"] == "differs"]
    assert found == sentences
    doctor = on_kafka("doctor", code=1)
    assert f"fail  topics: {'; '.join(sentences)}; `rollcall topics verify` lists them" in (
        doctor.lines
    )
    made = on_kafka("topics", "create")
    assert [line for line in made.lines if line.startswith("made")] == [
        f"made    {cluster.prefix}skips"
    ]
    assert f"differs {sentences[0]}" in made.err
    assert on_kafka("topics", "verify", code=1).err.startswith("Error: 1 things are not")


def test_of_many_calls_at_once_one_writes_what_the_log_is(cluster):
    def create(shards):
        try:
            with Admin.connect(cluster) as admin:
                return admin.create(shards, asked=shards, clock=WALL).control.shards
        except RollcallError as error:
            return type(error).__name__

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, [3, 3, 3, 3]))
    assert len(control_records(cluster)) == 1
    assert 3 in answers
    with Admin.connect(cluster) as admin:
        assert admin.control().shards == 3


def test_topics_that_stand_there_otherwise_are_not_taken_for_a_log(cluster):
    with closing(KafkaAdminClient(**for_kafka_python(cluster))) as admin:
        admin.create_topics(
            {f"{cluster.prefix}shard-input": {"num_partitions": 2, "replication_factor": 1}},
            wait_for_metadata=True,
        )
    with Admin.connect(cluster) as admin:
        with pytest.raises(ShardsMismatchError, match="there with 2 partitions, not 8"):
            admin.create(8, asked=None, clock=None)
        with pytest.raises(NotFoundError, match="no log under the prefix"):
            admin.control()


def test_a_record_as_large_as_a_log_takes_fits_into_a_topic(cluster):
    with Admin.connect(cluster) as admin:
        admin.create(1, asked=None, clock=None)
    producer = KafkaProducer(**for_kafka_python(cluster), max_request_size=MAX_MESSAGE_BYTES)
    with closing(producer):
        body = bytes(4 * 1024 * 1024)
        place = producer.send(f"{cluster.prefix}desk-input", body, b"k", partition=0).get(30)
    assert place.offset == 0


def test_nobody_there_and_a_door_that_is_no_broker_are_told_apart(on_kafka, kafka, monkeypatch):
    answer = on_kafka("--kafka", "127.0.0.1:9", "topics", "verify", code=10)
    assert answer.err == (
        "Error: no broker answers at 127.0.0.1:9.\n"
        "Next: look at the address (host:port) and whether Kafka runs.\n"
    )
    monkeypatch.setenv("ROLLCALL_KAFKA_SECURITY", "ssl")
    answer = on_kafka("topics", "verify", code=11)
    assert answer.err.startswith(f"Error: {kafka} answers, but not as asked (ssl): [SSL: ")


def test_more_copies_than_brokers_are_refused_with_a_way_out(on_kafka, monkeypatch):
    monkeypatch.setenv("ROLLCALL_KAFKA_REPLICATION", "3")
    answer = on_kafka("topics", "create", code=2)
    assert answer.err == (
        "Error: the cluster has fewer than 3 brokers.\n"
        "Next: set kafka.replication to the number of brokers; 1 is enough for a trial.\n"
    )
    assert "fail  log: there is no log under the prefix" in on_kafka("doctor", code=1).out


def test_without_a_cluster_the_next_step_is_named(rollcall):
    answer = rollcall("topics", "verify", code=2)
    assert answer.err == (
        "Error: no Kafka cluster is named.\nNext: give --kafka host:port, or set kafka.bootstrap.\n"
    )
