"""The whole of a cluster at work: every role a process of its own, a stranger publishing.

Apache Kafka and PostgreSQL are real; what strangers publish with kafka-python
and with Java's console producer must stand in ``rollcall status``.
"""

import json
import signal
import subprocess
import time
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer

from infra.kafka import Cluster, jars
from streams.topology import partition_of
from tests.support.running import wait_for
from tests.support.system import SHARDS, System, check_in, quake

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(240)]


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
    found = {bucket: count for bucket, count in situation["buckets"].items() if count}
    assert found == {"unaccounted": 1, "needs_help": 1, "safe": 1}
    completeness = situation["completeness"]
    assert (completeness["reached"], completeness["shards"]) == (SHARDS, SHARDS)
    assert situation["imbalance"] == {"room": 0, "buckets": 0, "store": 0}
    assert [total["people"] for total in said["totals"]] == [3]
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


def test_a_frozen_worker_makes_the_sums_incomplete_until_another_has_taken_over(
    kafka, postgres, tmp_path, monkeypatch
):
    system = System(kafka, postgres, tmp_path, monkeypatch, workers=3)
    try:
        _frozen(system)
    finally:
        system.close()


def _frozen(system):
    def complete():
        totals = system.status().get("totals")
        return bool(totals) and totals[0]["completeness"]["complete"]

    wait_for(complete, "a complete sum")
    # One that has shards alone: without desk or room there would be no sum at all.
    one = next(name for name in system.workers if not system.has(name) & {"desk 0", "room 0"})
    silent = len(system.has(one))
    frozen = system.processes[one]
    frozen.process.send_signal(signal.SIGSTOP)

    def at_least():
        said = system.status()["totals"][0]["completeness"]
        return said if not said["complete"] else None

    said = wait_for(at_least, "a sum that is short of shards")
    assert (said["reached"], said["shards"]) == (SHARDS - silent, SHARDS)
    wait_for(complete, "a complete sum without it")
    frozen.process.send_signal(signal.SIGCONT)
    # The zombie is shut out, or told by the group; either way it stops working on them.
    wait_for(complete, "a complete sum with it back")
    assert system.end() == {}


def test_with_its_broker_gone_everything_waits_and_stops_when_told(
    kafka_tools,  # noqa: ARG001 - it skips where there is no Java
    postgres,
    tmp_path,
    monkeypatch,
):
    with Cluster(tmp_path / "kafka") as cluster:
        system = System(cluster.bootstrap, postgres, tmp_path, monkeypatch)
        try:
            wait_for(lambda: system.status()["totals"], "the first sum")
            before = system.status()["totals"][0]["completeness"]["as_of"]
            cluster.kill(1)
            system.processes["write"].wait_for("stands still")
            for name in ("write", "dispatch", *system.workers):
                _, said = wait_for(
                    lambda name=name: (found := system.healthz(name))[0] == 503 and found,
                    f"{name} not well",
                )
                assert said["reason"], name
            # What the store says is still known, what the cluster says is not.
            page = system.scrape("write")
            assert "rollcall_people{" in page
            assert "rollcall_input_lag_records{" not in page
            assert {name: one.process.poll() for name, one in system.processes.items()
                    if name != "merge" and one.process.poll() is not None} == {}  # fmt: skip
            cluster.start(1)

            def caught_up():
                said = system.status()
                if not said["totals"]:
                    return False
                newest = said["totals"][0]["completeness"]
                return newest["as_of"] > before and newest["complete"] and said["waiting"] == 0

            wait_for(caught_up, "everything caught up", 120)
            for name in ("write", "dispatch", *system.workers):
                wait_for(lambda name=name: system.healthz(name)[0] == 200, f"{name} well again")
            cluster.kill(1)
            began_s = time.monotonic()
            assert system.end() == {}
            assert time.monotonic() - began_s < 100  # five processes, 20 s each at most
        except AssertionError as error:
            raise AssertionError(error, system.lines()) from error
        finally:
            system.close()


def test_a_record_that_no_stage_survives_is_put_aside_and_put_back_when_mended(
    kafka, postgres, tmp_path, monkeypatch
):
    now = datetime.now(UTC)
    system = System(kafka, postgres, tmp_path, monkeypatch, ROLLCALL_TEST_POISON="app:2")

    def people():
        totals = system.status()["totals"]
        return totals[0]["people"] if totals else 0

    def letters():
        return [one for one in system.rollcall("deadletters", "list").lines if one]

    try:
        said = "".join(
            json.dumps(check_in(number, f"h{number}.1", now)) + "\n" for number in range(1, 5)
        )
        path = system.rollcall.file("said.ndjson", said)
        published = system.rollcall("publish", "check-ins", str(path))
        assert published.lines == ["check-ins: 4 published, 0 refused"]
        wait_for(lambda: people() == 3, "the three others")
        first, _, count = wait_for(lambda: len(letters()) == 3 and letters(), "the dead letter")
        assert first.endswith("[can be retried]")
        assert count == "1 dead letters, 1 of them can be retried"
        assert "record_quarantined" in {one["fault"] for one in system.status()["faults"]}
        system.mend_workers()
        system.rollcall("deadletters", "retry", "--all")
        wait_for(lambda: people() == 4, "all four")
        wait_for(lambda: not system.status()["faults"], "no fault")
        assert letters()[-1] == "1 dead letters, 0 of them can be retried"
        assert system.end() == {}
    finally:
        system.close()
