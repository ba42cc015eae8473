"""What a played crisis writes is what the topology declares, topic by topic."""

import json
from datetime import UTC, datetime
from pathlib import Path

from schemas.codec import decode
from streams.backends.sqlite import SqliteLog
from streams.topology import TOPICS
from tests.cli.crisis import QUAKE, envelope, happened
from tests.cli.test_officer import WHO
from tests.cli.test_story import situation

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def example(name):
    path = min((EXAMPLES / name / "valid").glob("*.json"))
    return {"type": name, **json.loads(path.read_bytes())}


def messages_of(data):
    """Return the types that stand in each topic; every record is read once."""
    log = SqliteLog.open_read_only(data)
    found: dict[str, set[str]] = {}
    for topic in TOPICS:
        found[topic.name] = set()
        for partition in range(log.shards if topic.sharded else 1):
            for record in log.read(topic.name, partition, 0, 100_000):
                assert decode(record.name, record.body, record.version)
                found[topic.name].add(record.name)
    log.close()
    return found


def test_every_message_of_a_crisis_stands_where_it_is_declared(rollcall, monkeypatch):
    now = datetime.now(UTC).isoformat()
    happened(rollcall)
    situation_id = situation(rollcall)["situation_id"]
    (alert,) = rollcall("export", "alerts").rows
    rollcall("do", "acknowledge", f"alert_id={alert['alert_id']}", *WHO)
    rollcall("do", "silence", "rule=affected_threshold", "until=2190-01-01T00:00:00Z", *WHO)
    about = ("person_id=ben.1", f"situation_id={situation_id}", "bucket=evacuated")
    rollcall("do", "override", *about, *WHO)
    rollcall("do", "link", "person_id=ana.1", "other_id=cem.1", *WHO)
    advice = example("AdvisoryIssued")
    called = example("ContactRecorded") | {"person_id": "cem.1"}
    poison = envelope(
        "poison", "2023-02-06T02:10:00Z", type="CheckedIn", person_id="cem.1", state="safe"
    )
    revised = QUAKE | {
        "event_id": "test:q1:2",
        "msg_type": "Update",
        "sent_at": "2023-02-06T02:20:00Z",
        "magnitude": 7.5,
    }
    rollcall("ingest", rollcall.events("more.ndjson", advice, called, poison, revised))
    rollcall("ingest", rollcall.file("bad.ndjson", b"nonsense\n"), code=1)
    monkeypatch.setenv("ROLLCALL_TEST_POISON", "poison")
    rollcall("run", "--until-idle", "--now", now)
    monkeypatch.delenv("ROLLCALL_TEST_POISON")
    monkeypatch.setenv("ROLLCALL_THRESHOLDS_DWELL", "PT20M")
    rollcall("run", "--until-idle")
    rollcall("do", "close", f"situation_id={situation_id}", *WHO)
    rollcall("run", "--until-idle", "--now", datetime.now(UTC).isoformat())
    found = messages_of(rollcall.data)
    declared = {topic.name: set(topic.messages) for topic in TOPICS}
    assert {name: types - declared[name] for name, types in found.items()} == {
        name: set() for name in declared
    }
    unseen = {name: sorted(declared[name] - types) for name, types in found.items()}
    # Without a poller, and without a zone that a shard could not survive.
    assert {name: types for name, types in unseen.items() if types} == {
        "operations": ["FeedHealthChanged"],
        "shard-input": ["FaultRaised"],
    }
