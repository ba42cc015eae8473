"""Apache Kafka itself: what the topics, the pump and the clients will rely on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.admin import NewTopic

from infra.kafka import Access, Cluster, jars
from infra.kafka.node import BATCH_BYTES
from infra.processes import ServiceError
from tests.support.services import shared_cluster

PATIENCE_S = 90.0
WRONG = "not this one"


@pytest.fixture
def topic(kafka: str) -> str:
    return create(kafka, replicas=1)


def create(servers: str, replicas: int, **access: str) -> str:
    name = f"test-{uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=servers.split(","), **access)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=replicas)])
    admin.close()
    return name


def producer(servers: str, **settings: Any) -> Producer:
    limits = {"message.max.bytes": BATCH_BYTES, "linger.ms": 0}
    return Producer({"bootstrap.servers": servers, **limits, **settings})


def write(one: Producer, topic: str, values: list[bytes]) -> None:
    refused: list[object] = []
    for value in values:
        one.produce(topic, value, partition=0, on_delivery=lambda why, _: refused.append(why))
    assert one.flush(PATIENCE_S) == 0
    assert refused == [None] * len(values)


def read(servers: str, topic: str, count: int, **settings: str) -> list[bytes]:
    """Return the first records of a topic as a reader sees who skips what was aborted."""
    told = {"isolation.level": "read_committed", "group.id": "test", **settings}
    reader = Consumer({"bootstrap.servers": servers, **told})
    reader.assign([TopicPartition(topic, 0, 0)])
    found = reader.consume(count, PATIENCE_S)
    reader.close()
    assert [record.error() for record in found] == [None] * count
    return [record.value() or b"" for record in found]


def leader(servers: str, topic: str) -> int:
    metadata = producer(servers).list_topics(topic, timeout=PATIENCE_S)
    return int(metadata.topics[topic].partitions[0].leader)


def test_a_record_of_almost_four_megabytes_comes_back_as_it_went(kafka: str, topic: str) -> None:
    record = bytes(range(256)) * (3_900_000 // 256)
    write(producer(kafka), topic, [record])
    assert read(kafka, topic, 1) == [record]


def test_a_topic_that_nobody_declared_does_not_appear(kafka: str) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    name = f"misspelt-{uuid4().hex}"
    assert not consumer.partitions_for_topic(name)
    assert name not in consumer.topics()
    consumer.close()


def test_a_transaction_that_was_left_open_holds_readers_up_for_its_time_only(
    kafka: str, topic: str
) -> None:
    dead = producer(kafka, **{"transactional.id": topic, "transaction.timeout.ms": 1_000})
    dead.init_transactions(PATIENCE_S)
    dead.begin_transaction()
    dead.produce(topic, b"never committed", partition=0)
    dead.flush(PATIENCE_S)
    write(producer(kafka), topic, [b"after it"])
    assert read(kafka, topic, 1) == [b"after it"]


def test_what_javas_console_producer_writes_is_read(kafka: str, topic: str) -> None:
    told = ["--bootstrap-server", kafka, "--topic", topic]
    command = jars.java(jars.jars(), "org.apache.kafka.tools.ConsoleProducer", *told)
    subprocess.run(command, input=b"from Java\n", check=True)
    assert read(kafka, topic, 1) == [b"from Java"]


@pytest.mark.timeout(300)  # three brokers on a busy machine with two cores
@pytest.mark.usefixtures("kafka_tools")
def test_three_brokers_go_on_without_their_leader_and_take_it_back(tmp_path: Path) -> None:
    with Cluster(tmp_path / "three", brokers=3) as cluster:
        topic = create(cluster.bootstrap, replicas=3)
        # A frozen broker keeps its connections open: the client itself must give up on it.
        writer = producer(cluster.bootstrap, **{"acks": "all", "socket.timeout.ms": 5_000})
        write(writer, topic, [b"%d" % number for number in range(10)])

        first = leader(cluster.bootstrap, topic)
        cluster.kill(first)
        write(writer, topic, [b"%d" % number for number in range(10, 20)])
        assert cluster.running() == [number for number in (1, 2, 3) if number != first]
        second = leader(cluster.bootstrap, topic)
        assert second != first

        cluster.start(first)
        assert cluster.answering() == [1, 2, 3]
        cluster.freeze(second)
        write(writer, topic, [b"%d" % number for number in range(20, 30)])
        assert leader(cluster.bootstrap, topic) != second
        cluster.thaw(second)
        assert cluster.stop(first)
        numbers = [b"%d" % number for number in range(30)]
        assert read(cluster.bootstrap, topic, 30) == numbers


@pytest.fixture(scope="session")
def guarded(
    kafka_tools: None,  # noqa: ARG001 - it skips where there can be no broker
    locks: Path,
    service_folder: str,
) -> Iterator[Cluster]:
    folder = Path(f"{service_folder}-guarded")
    with shared_cluster(locks / "guarded.lock", folder, security="sasl_ssl") as cluster:
        yield cluster


def told(access: Access, password: str | None = None) -> dict[str, str]:
    assert access.password_file is not None
    return {
        "security.protocol": access.protocol,
        "sasl.mechanism": str(access.mechanism),
        "sasl.username": str(access.user),
        "sasl.password": password or access.password_file.read_text(encoding="utf-8"),
        "ssl.ca.location": str(access.ca_file),
    }


def test_clients_connect_with_tls_and_password(guarded: Cluster) -> None:
    access = guarded.access("PLAIN")
    settings = told(access)
    topic = create(
        access.bootstrap,
        replicas=1,
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_plain_username=settings["sasl.username"],
        sasl_plain_password=settings["sasl.password"],
        ssl_cafile=settings["ssl.ca.location"],
    )
    scram = told(guarded.access("SCRAM-SHA-512"))
    write(producer(access.bootstrap, **scram), topic, [b"guarded"])
    assert read(access.bootstrap, topic, 1, **scram) == [b"guarded"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_refused(guarded: Cluster, mechanism: str) -> None:
    access = guarded.access("PLAIN" if mechanism == "PLAIN" else "SCRAM-SHA-512")
    errors: list[object] = []
    wrong = producer(access.bootstrap, **told(access, WRONG), error_cb=errors.append)
    wrong.poll(PATIENCE_S)
    assert "_AUTHENTICATION" in str(errors)


def test_no_password_stands_in_a_process_list(guarded: Cluster) -> None:
    access = guarded.access()
    assert access.password_file is not None
    password = access.password_file.read_text(encoding="utf-8")
    pid = guarded.process(1).pid
    assert password not in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    assert access.password_file.stat().st_mode & 0o777 == 0o600


def test_what_runs_is_found_again_by_its_folder(kafka_cluster: Cluster) -> None:
    again = Cluster.open(kafka_cluster.folder)
    assert again.bootstrap == kafka_cluster.bootstrap
    assert again.answering() == [1]


def test_a_folder_of_another_cluster_is_refused_in_words(tmp_path: Path) -> None:
    Cluster(tmp_path, brokers=1)
    with pytest.raises(ServiceError, match="holds 1 broker"):
        Cluster(tmp_path, brokers=3)


def test_jars_that_are_not_those_of_the_lock_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kafka-clients.jar").write_bytes(b"something else")
    with pytest.raises(ServiceError, match="are not those of jars.sha256"):
        jars.verify(tmp_path, jars.locked())


def test_no_broker_answers_from_a_port_of_nobody(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    assert (cluster.running(), cluster.answering()) == ([], [])
