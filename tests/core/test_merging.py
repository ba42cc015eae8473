"""What a record of a public topic becomes: exact, repeatable, and never an exception."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import VERSION, encode
from schemas.codelists import Bucket, CheckInState, Status, Verb
from schemas.operations import MessageRejected
from schemas.person import CheckedIn
from streams.clock import WALL, scenario
from streams.core.stage import derive_id
from streams.merge import CLAMPED
from streams.merging import is_letter, merged
from streams.ports import MAX_RECORD_BYTES, NewRecord, Record
from streams.topology import DEAD_LETTERS, PUBLIC
from tests.support.engine import advice, at, command, override, quake, stays_in

STAMP_MS = 1_777_680_000_123
STAMP = datetime(2026, 5, 2, 0, 0, 0, 123_000, tzinfo=UTC)
DECLARED = "cmd:declare:2023-02-06T05:00:00+00:00"
REPLAY = scenario(datetime(2023, 2, 6, tzinfo=UTC))
SAFE = {
    "event_id": "c1", "source": "app", "occurred_at": "2026-05-01T08:00:00Z",
    "person_id": "h1.1", "state": "safe",
}  # fmt: skip


def record(body, topic="check-ins", name="CheckedIn", version=1, key="k"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Record(topic, 3, 41, key, name, version, body, STAMP_MS)


def letter(one, clock=WALL):
    (written,) = merged(one, 8, clock)
    assert (written.topic, written.partition, written.key) == (DEAD_LETTERS, 0, one.topic)
    assert isinstance(written.event, MessageRejected)
    return written.event


def reason(one, clock=WALL):
    return letter(one, clock).reason


def test_a_check_in_goes_to_the_shard_of_its_home_and_came_in_when_the_broker_got_it():
    claimed = SAFE | {"received_at": "2026-05-01T08:00:01Z"}
    assert merged(record(claimed), 8, WALL) == [
        NewRecord(
            "shard-input",
            1,
            "h1.1",
            CheckedIn(
                event_id="c1",
                source="app",
                occurred_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
                received_at=STAMP,
                person_id="h1.1",
                state=CheckInState.SAFE,
            ),
        )
    ]
    assert merged(record(SAFE | {"received_at": "never"}), 8, WALL) == merged(
        record(SAFE | {"type": "CheckedIn"}), 8, WALL
    )


def test_in_a_scenario_it_came_in_when_it_says_also_after_the_brokers_now():
    ((_, _, _, said),) = merged(record(SAFE | {"received_at": "2027-01-01T00:00:00Z"}), 8, REPLAY)
    assert said.received_at == datetime(2027, 1, 1, tzinfo=UTC)
    ((_, _, _, silent),) = merged(record(SAFE), 8, REPLAY)
    assert silent.received_at == STAMP


def test_a_time_from_the_future_is_clamped_to_the_brokers():
    ((_, _, _, event),) = merged(record(SAFE | {"occurred_at": "2026-05-02T09:00:00Z"}), 8, WALL)
    assert (event.occurred_at, event.cause_ids) == (STAMP, (CLAMPED,))


PLACES = [
    (override("h1.1", "s1", Bucket.SAFE, at("05:00")), ("shard-input", 1, "h1.1")),
    (command(Verb.ACKNOWLEDGE, at("05:00"), alert_id="a1"), ("room-input", 0, "a1")),
    (command(Verb.DECLARE, at("05:00"), title="Storm"), ("desk-input", 0, DECLARED)),
    (advice("TR", 4, at("05:00")), ("desk-input", 0, "test:TR")),
    (quake(7.8, at("01:20")), ("desk-input", 0, "usgs:us1")),
    (stays_in("h1.1", "adana"), ("shard-input", 1, "h1.1")),
]


@pytest.mark.parametrize(("said", "place"), PLACES, ids=[type(e).__name__ for e, _ in PLACES])
def test_every_message_goes_where_it_is_dealt_with(said, place):
    name = type(said).__name__
    topic = next(one.name for one in PUBLIC if name in one.messages)
    (written,) = merged(record(encode(said), topic, name), 8, REPLAY)
    assert written[:3] == place
    assert written.event == said


REFUSED = [
    (record(SAFE, name="Tick"), "the header type says Tick; check-ins takes CheckedIn"),
    (
        record(SAFE, name="Ana Peeters"),
        "the header type says something else; check-ins takes CheckedIn",
    ),
    (
        record(SAFE, version=2),
        "the header version says version 2; this engine reads version 1",
    ),
    (record(SAFE, version=-1), "the header version says no number; this engine reads version 1"),
    (record(b""), "the record is empty; what was said is not taken back by deleting it"),
    (record(b"\xff\xfe"), "JSON is malformed: invalid character (byte 0)"),
    (record(b'{"event_id": NaN}'), "JSON is malformed: invalid character (byte 13)"),
    (record(b"[1]"), "Expected `object`, got `array`"),
    (record(b"[" * 100_000), "Expected `object`, got `array`"),
    (record(SAFE | {"type": "Tick"}), "its field type says something else than CheckedIn"),
    (record(SAFE | {"status": "Test"}), "c1: status Test: a transport test concerns nobody"),
    (
        record(SAFE | {"phone": "+32 470 12 34 56"}),
        "direct identifiers belong in the vault, not in a topic",
    ),
    (
        record(b" " * (MAX_RECORD_BYTES + 1)),
        "the record has 4194305 bytes; a record holds at most 4194304",
    ),
    (record(SAFE)._replace(appended_ms=-1), "the broker gave no time that can be"),
    (record(SAFE)._replace(appended_ms=10**18), "the broker gave no time that can be"),
]


@pytest.mark.parametrize(("one", "why"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_may_not_enter_is_one_dead_letter_with_its_reason(one, why):
    found = letter(one)
    assert found.reason == why
    assert (found.topic, found.partition, found.offset) == ("check-ins", 3, 41)
    # A newer engine may read a newer version, from where it stands.
    newer = one.version > VERSION
    assert (found.retryable, found.traceback, found.source) == (newer, None, "merge")
    assert found.event_id == derive_id("reject", "check-ins", 3, 41) == letter(one).event_id


def test_a_dead_letter_is_of_the_brokers_time_and_in_a_scenario_of_the_scenarios():
    bad = SAFE | {"state": "well", "received_at": "2023-02-06T02:00:00Z"}
    assert letter(record(bad)).received_at == STAMP
    assert letter(record(bad), REPLAY).received_at == datetime(2023, 2, 6, 2, tzinfo=UTC)
    assert letter(record(bad | {"received_at": 3}), REPLAY).received_at == STAMP


def test_of_people_a_dead_letter_keeps_names_of_fields_and_no_value_nor_key_nor_header():
    one = record(SAFE | {"phone": "+32 470 12 34 56"}, key="ana@example.org")
    assert letter(one).body.partition(" (mark ")[0] == "withheld, it holds phone"
    odd = letter(record(SAFE | {"state": "Ana Peeters"}, name="CheckedIn", key="ana@example.org"))
    assert odd.reason == "Invalid enum value ... - at `$.state`"
    assert odd.body.startswith("withheld, it holds event_id, occurred_at, person_id, source, state")
    stranger = letter(record(SAFE, name="ana@example.org"))
    assert (stranger.message_type, stranger.body) == ("unknown", "")


def test_of_the_world_a_dead_letter_keeps_what_was_said():
    said = {"event_id": "a1", "source": "mfa", "occurred_at": "2026-05-01T08:00:00Z", "level": 9}
    found = letter(record(said, "advisories", "AdvisoryIssued"))
    assert json.loads(found.body) == said
    assert found.message_type == "AdvisoryIssued"


def test_an_exercise_stays_one_also_when_it_is_refused():
    assert letter(record(SAFE | {"status": "Exercise", "state": "x"})).status is Status.EXERCISE
    assert letter(record(SAFE | {"status": "Test"})).status is Status.ACTUAL


def test_a_fault_of_ours_is_a_dead_letter_that_can_be_retried():
    found = letter(record(SAFE, topic="no-topic-of-ours"))
    assert (found.reason, found.retryable) == ("a fault of Rollcall: KeyError", True)
    assert found.traceback is not None
    assert "in _read" in found.traceback
    assert found.traceback.endswith("KeyError")
    assert "no-topic" not in found.traceback


@given(
    topic=st.sampled_from(PUBLIC),
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(sorted({*SAFE, "status", "areas", "position", "stays", "x"})),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=12,
        ).map(lambda said: json.dumps(said).encode()),
        st.fixed_dictionaries(
            dict.fromkeys(SAFE, st.text(max_size=8) | st.just("2026-05-01T08:00:00Z"))
        ).map(lambda said: json.dumps(said).encode()),
    ),
    name=st.none() | st.text(max_size=10) | st.sampled_from(["CheckedIn", "Tick"]),
    version=st.sampled_from([1, 1, 1, -1, 2]),
    stamp_ms=st.integers(-(2**63), 2**63 - 1) | st.just(STAMP_MS),
    clock=st.sampled_from([WALL, REPLAY]),
)
def test_any_bytes_become_the_records_of_one_event_or_exactly_one_dead_letter(
    topic, body, name, version, stamp_ms, clock
):
    one = Record(
        topic.name, 0, 7, "", topic.messages[0] if name is None else name, version, body, stamp_ms
    )
    written = merged(one, 8, clock)
    assert written == merged(one, 8, clock)
    assert len({each.event.event_id for each in written}) == 1
    if is_letter(written):
        (refusal,) = written
        assert isinstance(refusal.event, MessageRejected)
        newer = f"version {version}; this engine reads version" in refusal.event.reason
        assert refusal.event.retryable == (newer and version > VERSION)
    assert all(len(encode(each.event)) <= MAX_RECORD_BYTES for each in written)
