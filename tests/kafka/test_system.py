"""The whole of a cluster at work: every role a process of its own, a stranger publishing.

Apache Kafka and PostgreSQL are real; what strangers publish with kafka-python
and with Java's console producer must stand in ``rollcall status``.
"""

import json
import signal
import subprocess
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer

from infra.kafka import jars
from streams.topology import partition_of
from tests.cli.conftest import Rollcall
from tests.support.cluster import environment_of, make_topics, settings_for
from tests.support.running import Process, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(240)]

SHARDS = 4
ROLES = {
    "merge": ("merge", "--metrics-port", "0"),
    "worker-1": ("worker",),
    "worker-2": ("worker",),
    "write": ("write",),
    "dispatch": ("dispatch",),
}


def iso(at):
    return at.isoformat().replace("+00:00", "Z")


def quake(now):
    """What EMSC said of the great earthquake under Pazarcik, as if it were now."""
    return {
        "event_id": "emsc:20230206_r1:1",
        "source": "emsc",
        "occurred_at": iso(now),
        "chain_id": "emsc:20230206_r1",
        "msg_type": "Alert",
        "hazard": "earthquake",
        "title": "M 7.5 Türkiye-Syria border region",
        "onset_at": iso(now),
        "sent_at": iso(now),
        "revision": "corrects",
        "position": {"lon_deg": 37.08, "lat_deg": 37.17},
        "magnitude": 7.5,
    }


def check_in(number, person_id, now, **fields):
    return {
        "event_id": f"app:{number}",
        "source": "app",
        "occurred_at": iso(now),
        "person_id": person_id,
        "position": {"lon_deg": 37.1, "lat_deg": 37.2, "accuracy_m": 20.0},
        **fields,
    }


class System:
    """The processes of a cluster, and its command line."""

    def __init__(self, kafka, postgres, folder, monkeypatch):
        self.settings = settings_for(kafka, folder)
        make_topics(self.settings, SHARDS)
        said = environment_of(self.settings) | {"ROLLCALL_STORE_URL": postgres}
        for name in ("KAFKA_BOOTSTRAP", "KAFKA_PREFIX", "KAFKA_REPLICATION", "STORE_URL"):
            monkeypatch.setenv(f"ROLLCALL_{name}", said[f"ROLLCALL_{name}"])
        self.processes = {
            name: Process(folder / name, *words, env=said) for name, words in ROLES.items()
        }
        self.rollcall = Rollcall(folder)
        self.processes["merge"].wait_for("leads: writes the ticks")
        wait_for(lambda: len(self.at_work()) >= SHARDS + 2, "every partition at work")

    def at_work(self):
        """Which stages go on, as the workers say."""
        return {
            line.partition(" goes on")[0]
            for name in ("worker-1", "worker-2")
            for line in self.processes[name].lines
            if " goes on at " in line
        }

    def status(self):
        return json.loads(self.rollcall("status", "--json").out)

    def end(self):
        codes = {name: one.end(signal.SIGTERM, 20) for name, one in self.processes.items()}
        return {name: code for name, code in codes.items() if code}

    def close(self):
        for one in self.processes.values():
            one.close()


@pytest.fixture
def system(kafka, postgres, tmp_path, monkeypatch):
    system = System(kafka, postgres, tmp_path, monkeypatch)
    yield system
    system.close()


def test_what_strangers_publish_is_accounted_for(system, kafka):
    now = datetime.now(UTC)
    prefix = system.settings.prefix
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")

    def publish(topic, said):
        return producer.send(prefix + topic, json.dumps(said).encode()).get(30)

    publish("check-ins", check_in(1, "ana.1", now))
    publish("check-ins", check_in(2, "ben.1", now, state="needs_help"))
    publish("check-ins", check_in(2, "ben.1", now, state="needs_help"))
    publish("reports", quake(now))
    phone = publish("check-ins", check_in(3, "cem.1", now, phone="+32 470 12 34 56"))
    java = jars.java(
        jars.jars(),
        "org.apache.kafka.tools.ConsoleProducer",
        *("--bootstrap-server", kafka, "--topic", f"{prefix}check-ins"),
    )
    line = json.dumps(check_in(4, "dia.1", now, state="safe"))
    subprocess.run(java, input=line + "\n", text=True, check=True, timeout=60)
    producer.close()

    def three_of_ours():
        said = system.status()
        known = [one["known"] for one in said.get("situations", ())]
        return said if known == [3] and said["waiting"] == 0 else None

    said = wait_for(three_of_ours, "three people in the ledger")
    (situation,) = said["situations"]
    buckets = {one["bucket"]: one["count"] for one in situation["buckets"] if one["count"]}
    # They spoke before the earth shook as far as their clocks say, to the second.
    assert sum(buckets.values()) == 3
    assert situation["reached"] == situation["shards"] == SHARDS
    assert said["people"] == 3
    letters = system.rollcall("deadletters", "list").lines
    assert len(letters) == 3  # one letter of two lines, and the count
    assert f"check-ins {phone.partition} at {phone.offset}" in letters[0]
    assert "direct identifiers belong in the vault" in letters[1]
    assert "470" not in "\n".join(letters)
    ledger = [json.loads(one) for one in system.rollcall("export", "ledger").lines]
    assert sorted(row["person_id"] for row in ledger) == ["ana.1", "ben.1", "dia.1"]
    tail = system.rollcall("tail", "shard-input", "--person", "ben.1", "--no-follow").lines
    merged = [json.loads(one) for one in tail]
    assert {one["partition"] for one in merged} == {partition_of("ben.1", SHARDS)}
    assert [one["type"] for one in merged] == ["CheckedIn", "CheckedIn"]
    assert system.end() == {}
