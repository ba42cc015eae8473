"""Looking into topics and publishing to them: a real cluster, and the embedded log."""

import json
import subprocess
import sys
from contextlib import closing

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from streams.backends.kafka.admin import Admin
from streams.backends.kafka.clients import for_kafka_python, for_producing
from streams.topology import partition_of
from tests.cli.crisis import GAZIANTEP, PEOPLE, QUAKE, SAFE, happened, registration, said

NOBODY = said("who", "John Smith", "safe", "2023-02-06T02:00:00Z")
TEST = said("drill", "ben.1", "safe", "2023-02-06T02:00:00Z") | {"status": "Test"}


@pytest.fixture
def topics(cluster):
    with Admin.connect(cluster) as admin:
        admin.create(4, asked=None, clock=None)
    return cluster


def lines(*events):
    return "".join(json.dumps(event) + "\n" for event in events)


def body(event):
    return {key: value for key, value in event.items() if key != "type"}


@pytest.mark.kafka
@pytest.mark.usefixtures("topics")
def test_what_is_good_is_published_by_home_and_what_is_not_is_told_of(on_kafka):
    file = on_kafka.file("said.ndjson", lines(SAFE, NOBODY, registration("ana.1", GAZIANTEP), TEST))
    answer = on_kafka("publish", "check-ins", file, code=1)
    assert answer.out == "check-ins: 1 published, 3 refused\n"
    assert answer.err.splitlines() == [
        "  line 2: person_id is not <home>.<n>, for example h3f9a.1",
        "  reg-ana.1: a RegistrationFiled belongs into the topic registrations",
        "  drill: status Test: a transport test concerns nobody",
    ]
    (row,) = on_kafka("tail", "check-ins").rows
    assert row.pop("at") > "2026"
    assert row == {
        "topic": "check-ins",
        "partition": partition_of("ana.1", 4),
        "offset": 0,
        "key": "ana.1",
        "type": "CheckedIn",
        "version": 1,
        "body": body(SAFE),
    }


@pytest.mark.kafka
@pytest.mark.usefixtures("topics")
def test_unchecked_sends_also_what_will_be_refused(on_kafka):
    file = on_kafka.file("said.ndjson", lines(SAFE, NOBODY) + "nonsense\n")
    answer = on_kafka("publish", "check-ins", file, "--unchecked")
    assert answer.out == "check-ins: 3 published, 2 of them will be refused\n"
    rows = on_kafka("tail", "check-ins").rows
    assert sorted((row["key"], row["type"], json.dumps(row["body"])) for row in rows) == [
        ("", "CheckedIn", '"nonsense"'),
        ("", "CheckedIn", json.dumps(body(NOBODY))),
        ("ana.1", "CheckedIn", json.dumps(body(SAFE))),
    ]


@pytest.mark.kafka
@pytest.mark.usefixtures("topics")
def test_each_public_topic_takes_its_message_with_its_key(on_kafka):
    on_kafka("publish", "registrations", on_kafka.file("p", lines(*PEOPLE)))
    on_kafka("publish", "reports", on_kafka.file("q", lines(QUAKE)))
    rows = on_kafka("tail", "registrations").rows
    assert sorted((row["key"], row["partition"]) for row in rows) == [
        (person, partition_of(person, 4)) for person in ("ana.1", "ben.1", "cem.1")
    ]
    (row,) = on_kafka("tail", "reports").rows
    assert (row["key"], row["partition"], row["body"]) == ("test:q1", 0, body(QUAKE))
    answer = on_kafka("publish", "shard-input", on_kafka.file("q", lines(QUAKE)), code=2)
    assert answer.err == (
        "Error: shard-input is not a topic that anyone publishes to.\n"
        "Next: one of registrations, check-ins, contacts, reports, advisories, commands.\n"
    )


@pytest.mark.kafka
def test_a_stranger_s_record_is_shown_as_it_stands_and_cannot_move_the_cursor(on_kafka, topics):
    with closing(KafkaProducer(**for_kafka_python(topics))) as producer:
        producer.send(f"{topics.prefix}reports", b'{"title": "\\u001b[2J\xe2\x80\xae"}').get(30)
        producer.send(f"{topics.prefix}reports", b"\xff\xfe", b"\xff", [("type", b"X\x1b")]).get(30)
    answer = on_kafka("tail", "reports")
    assert all(line.isprintable() for line in answer.lines)
    first, second = answer.rows
    assert (first["key"], first["type"], first["version"]) == ("", "IncidentReported", 1)
    assert first["body"] == {"title": "\x1b[2J\u202e"}
    assert (second["key"], second["type"], second["body"]) == (
        "\ufffd", "X\x1b", "(2 bytes that are no text)",
    )  # fmt: skip


@pytest.mark.kafka
@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_whatever_a_producer_compresses_with_can_be_read(on_kafka, topics, compression):
    producer = Producer(for_producing(topics) | {"compression.type": compression})
    producer.produce(f"{topics.prefix}desk-input", b"{}" + b" " * 10_000, b"k", 0)
    assert producer.flush(30) == 0
    assert [row["body"] for row in on_kafka("tail", "desk-input").rows] == [{}]


@pytest.mark.kafka
def test_only_what_is_committed_is_shown_and_a_person_is_looked_for_in_one_partition(
    on_kafka, topics
):
    topic = f"{topics.prefix}shard-input"
    producer = Producer(for_producing(topics) | {"transactional.id": f"{topics.prefix}t"})
    producer.init_transactions(30)

    def write(person, commit):
        producer.begin_transaction()
        said = {"event_id": f"{person} {commit}", "person_id": person}
        place = partition_of(person, 4)
        producer.produce(topic, json.dumps(said).encode(), person.encode(), place)
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    for person, commit in (("ana.1", True), ("ana.1", False), ("ben.1", True), ("ana.2", True)):
        write(person, commit)
    rows = on_kafka("tail", "shard-input").rows
    assert sorted(row["body"]["event_id"] for row in rows) == [
        "ana.1 True", "ana.2 True", "ben.1 True",
    ]  # fmt: skip
    (row,) = on_kafka("tail", "shard-input", "--person", "ana.1").rows
    assert (row["partition"], row["body"]["event_id"]) == (partition_of("ana.1", 4), "ana.1 True")
    at = max(row["at"] for row in rows)
    later = on_kafka("tail", "shard-input", "--from", at).rows
    assert at in {row["at"] for row in later}
    assert {row["at"] for row in later} <= {row["at"] for row in rows if row["at"] >= at}
    assert len(on_kafka("tail", "shard-input", "--limit", 2).rows) == 2
    assert on_kafka("tail", "shard-input", "--from", "2190-01-01T00:00:00Z").rows == []


@pytest.mark.kafka
@pytest.mark.usefixtures("topics")
def test_following_shows_what_comes_after_and_ends_with_its_limit(on_kafka):
    call = [sys.executable, "-m", "streams.cli", "tail", "check-ins", "--follow", "--limit", "2"]
    first = on_kafka.file("first.ndjson", lines(SAFE))
    on_kafka("publish", "check-ins", first)
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["key"] == "ana.1"
        second = said("ben-safe", "ben.1", "safe", "2023-02-06T02:00:00Z")
        on_kafka("publish", "check-ins", on_kafka.file("second.ndjson", lines(second)))
        assert json.loads(following.stdout.readline())["key"] == "ben.1"
        assert following.wait(30) == 0


@pytest.mark.kafka
def test_topics_that_are_not_there_are_told_with_a_next_step(on_kafka):
    answer = on_kafka("tail", "chekc-ins", code=3)
    assert answer.err.startswith("Error: there is no topic chekc-ins.\nNext: one of registr")
    answer = on_kafka("publish", "check-ins", on_kafka.file("x", lines(SAFE)), code=3)
    assert "make" in answer.err
    assert "`rollcall topics create` makes the topics" in answer.err


def test_the_embedded_log_is_looked_into_the_same_way(rollcall):
    happened(rollcall)
    rows = rollcall("tail", "shard-input", "--person", "ana.1").rows
    assert [(row["type"], row["key"]) for row in rows] == [
        ("RegistrationFiled", "ana.1"), ("CheckedIn", "ana.1"),
    ]  # fmt: skip
    assert {row["partition"] for row in rows} == {partition_of("ana.1", 8)}
    assert rows[1]["body"] == body(SAFE)
    assert len(rollcall("tail", "shard-input").rows) > 8
    assert len(rollcall("tail", "shard-input", "--limit", 3).rows) == 3
    at = rows[0]["at"]
    assert all(row["at"] >= at for row in rollcall("tail", "shard-input", "--from", at).rows)
    assert rollcall("tail", "desk-input", "--from", "2190-01-01T00:00:00Z").rows == []
    answer = rollcall("tail", "check-ins", code=3)
    assert answer.err.startswith("Error: the embedded log has no topic check-ins.\nNext: one of d")


def test_publishing_wants_a_cluster(rollcall):
    answer = rollcall("publish", "check-ins", rollcall.file("x", lines(SAFE)), code=2)
    assert answer.err.startswith("Error: no Kafka cluster is named.\n")
