"""MERGE on Apache Kafka: what foreign clients publish arrives, once or more, never not at all."""

import json
import os
import signal
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import httpx
import pytest
from aiokafka.partitioner import murmur2

from schemas.codec import encode
from schemas.codelists import Verb
from streams.core.stage import derive_id
from tests.support.engine import advice, at, command, quake
from tests.support.running import Process, wait_for
from tests.support.topics import topics_on

EACH = 300
SHARDS = 4
REPLAY = {"kind": "scenario", "start": "2023-02-06T00:00:00Z", "speed": 1.0}


class Merging(Process):
    """``rollcall merge`` as a process; its port is free."""

    def __init__(self, topics, data):
        env = os.environ | topics.env
        super().__init__(data, "merge", "--metrics-port", "0", env=env)
        self.topics = topics

    def ready(self):
        self.wait_for("merging as")
        (line,) = (line for line in self.lines if "merging as" in line)
        self.url = line.partition("; ")[2].removesuffix("/metrics")
        return self

    def ask(self, path):
        return httpx.get(f"{self.url}{path}", trust_env=False)

    def figures(self):
        lines = (line for line in self.ask("/metrics").text.splitlines() if line[0] != "#")
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def partitions(self):
        return self.ask("/healthz").json()["partitions"]

    def leads(self):
        return self.ask("/healthz").json()["leads"]

    def dealt_with(self):
        figures = self.figures().items()
        return sum(n for name, n in figures if "routed" in name or "rejected" in name)


@pytest.fixture
def topics(kafka):
    with topics_on(kafka, SHARDS) as made:
        yield made


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(topics):
        running.append(Merging(topics, tmp_path))
        return running[-1]

    yield begin
    for one in running:
        one.close()


def person(number):
    return f"h{number}.1"


def shard(number, shards=SHARDS):
    return (murmur2(f"h{number}".encode()) & 0x7FFFFFFF) % shards


def said(topic, number):
    """Return what a foreign client says, and where it must arrive, by hand."""
    common = {"event_id": f"{topic}-{number}", "source": "app"}
    common["occurred_at"] = "2026-05-01T08:00:00Z"
    if topic == "check-ins":
        fields = {"person_id": person(number), "state": "safe"}
    elif topic == "contacts":
        fields = {
            "person_id": person(number), "outcome": "no_answer", "channel": "phone", "by": "u1",
        }  # fmt: skip
    elif topic == "registrations":
        fields = {"person_id": person(number), "registration_id": "r1"}
    else:
        built = {
            "reports": quake(6.0, at("01:30"), name=f"us{number}"),
            "advisories": advice("TR", 4, at("01:30")),
            "commands": command(Verb.DECLARE, at("01:30"), title="Storm"),
        }[topic]
        fields = json.loads(encode(built))
        del fields["received_at"]
        fields["occurred_at"] = common["occurred_at"]
        return fields | {"event_id": common["event_id"]}
    return common | fields


def place(topic, number):
    if topic in {"check-ins", "contacts", "registrations"}:
        return "shard-input", shard(number), person(number)
    keys = {"reports": f"usgs:us{number}", "advisories": "test:TR", "commands": f"{topic}-{number}"}
    return "desk-input", 0, keys[topic]


NAMES = {
    "registrations": "RegistrationFiled",
    "check-ins": "CheckedIn",
    "contacts": "ContactRecorded",
    "reports": "IncidentReported",
    "advisories": "AdvisoryIssued",
    "commands": "CommandIssued",
}
HEADERS = {name: [("type", said.encode()), ("version", b"1")] for name, said in NAMES.items()}
BAD = [
    lambda _: (b"\xff\xfe", []),
    lambda fields: (json.dumps(fields | {"phone": "+32 470 12 34 56"}).encode(), []),
    lambda fields: (json.dumps(fields).encode(), [("type", b"Tick")]),
    lambda fields: (json.dumps(fields).encode(), [("version", b"2")]),
    lambda _: (None, []),
    lambda fields: (json.dumps(fields).replace('"2026', 'NaN, "x": "2026').encode(), []),
    lambda fields: (json.dumps(fields | {"status": "Test"}).encode(), []),
    lambda _: (b"x" * (4 * 1024 * 1024 + 1), []),
]


@pytest.mark.timeout(240)
def test_every_record_arrives_where_it_must_or_in_the_dead_letters(topics, start):
    arrived, refused, stamps = [], [], {}
    with topics.producer(max_request_size=5_000_000, compression_type="gzip") as producer:
        sent = []
        for topic in NAMES:
            for number in range(EACH):
                fields = said(topic, number)
                body: bytes | None = json.dumps(fields).encode()
                headers = HEADERS[topic] if number % 2 else []
                bad = number % 5 == 4
                if bad:
                    # The huge one comes once a topic, or it would be 200 MB.
                    body, headers = BAD[number // 5 % (8 if number < 40 else 7)](fields)
                future = producer.send(
                    topics.prefix + topic,
                    value=body,
                    key=b"ana@example.org",
                    headers=headers,
                    partition=number % topics.partitions[topic],
                )
                sent.append((topic, number, bad, future))
        for topic, number, bad, future in sent:
            stood = future.get(30)
            stamps[topic, number] = datetime.fromtimestamp(stood.timestamp / 1000, UTC)
            if bad:
                refused.append((topic, stood.partition, stood.offset))
            else:
                arrived.append((*place(topic, number), NAMES[topic], f"{topic}-{number}"))

    merging = start(topics).ready()
    wait_for(lambda: merging.dealt_with() == 6 * EACH, "all dealt with")
    figures = merging.figures()
    found = topics.read("desk-input", "shard-input", "room-input")
    letters = topics.read("dead-letters")
    assert merging.end(signal.SIGTERM) == 0

    events = [one for one in found if one.name != "Tick"]
    assert sorted((*one[:2], *one[3:5], one.event.event_id) for one in events) == sorted(arrived)
    for one in events:
        topic, _, number = one.event.event_id.rpartition("-")
        assert one.event.received_at == stamps[topic, int(number)]
    places = [(one.event.topic, one.event.partition, one.event.offset) for one in letters]
    assert sorted(places) == sorted(refused)
    assert {(one.name, one.event.event_id) for one in letters} == {
        ("MessageRejected", derive_id("reject", *where)) for where in refused
    }
    for topic in NAMES:
        labels = [f'{{outcome="{one}",topic="{topic}"}}' for one in ("read", "routed", "rejected")]
        counted = [figures[f"rollcall_merge_records_total{one}"] for one in labels]
        assert counted == [300, 240, 60]
    kept = [encode(one.event).decode() + one.key for one in letters] + merging.lines
    assert not [words for words in kept if "470 12" in words or "ana@" in words]


def test_in_a_scenario_records_came_in_when_they_say_and_ticks_are_not_merges(kafka, start):
    with topics_on(kafka, SHARDS, REPLAY) as topics, topics.producer() as producer:
        body = said("check-ins", 1) | {"occurred_at": "2023-02-06T01:00:00Z"}
        body["received_at"] = "2023-02-06T01:00:05Z"
        producer.send(topics.prefix + "check-ins", value=json.dumps(body).encode()).get(30)
        merging = start(topics).ready()
        wait_for(lambda: merging.dealt_with() == 1, "it is dealt with")
        (arrived,) = topics.read("desk-input", "shard-input")
        assert arrived[:2] == ("shard-input", shard(1))
        assert arrived.event.received_at == datetime(2023, 2, 6, 1, 0, 5, tzinfo=UTC)
        assert merging.end(signal.SIGTERM) == 0


def publish(producer, topics, numbers):
    """Publish check-ins; return once all of them are in the cluster."""
    futures = [
        producer.send(
            topics.prefix + "check-ins",
            value=json.dumps(said("check-ins", number)).encode(),
            partition=number % topics.shards,
        )
        for number in numbers
    ]
    for future in futures:
        future.get(60)


def ids(topics):
    return Counter(one.event.event_id for one in topics.read("shard-input") if one.name != "Tick")


@pytest.mark.timeout(240)
def test_two_share_the_partitions_and_when_one_is_killed_in_mid_stream_nothing_is_lost(
    topics, start
):
    first, second = start(topics).ready(), start(topics).ready()
    both = "each has half of the 15 partitions"
    wait_for(lambda: sorted(one.partitions() for one in (first, second)) == [7, 8], both)
    wait_for(lambda: first.leads() != second.leads(), "one leads")
    leader, other = (first, second) if first.leads() else (second, first)
    many = 20_000
    with topics.producer(linger_ms=5) as producer:
        publish(producer, topics, range(many // 2))
        wait_for(lambda: leader.dealt_with() > 500, "the leader is in mid-stream")
        leader.end(signal.SIGKILL)
        publish(producer, topics, range(many // 2, many))
    wait_for(other.leads, "the other leads")
    wait_for(lambda: len(ids(topics)) == many, "every check-in is there", 90)
    wait_for(lambda: other.partitions() == 15, "the other has all partitions")
    found = ids(topics)
    assert set(found) == {f"check-ins-{number}" for number in range(many)}
    twice = sum(found.values()) - many
    # What was sent and not yet acknowledged: a second of commits, and a batch.
    assert twice <= 6_000
    ticks = [one.event.at for one in topics.read("desk-input") if one.name == "Tick"]
    assert all((at - before).total_seconds() < 25 for before, at in pairwise(ticks))
    assert other.end(signal.SIGTERM) == 0
