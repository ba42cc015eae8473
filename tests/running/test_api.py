"""The HTTP API of a running engine: what it takes, and every refusal."""

import json
import os

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.engine import ENGINE_FILE
from streams.ingest.api import MAX_BYTES
from streams.metrics import METRICS, Kind
from streams.serving.queries import dead_letters, status
from streams.serving.store import STORE_FILE, reading
from tests.support.running import running_engine_in, runtime_of, wait_for

SAFE = {"event_id": "c1", "person_id": "h1.1", "state": "safe"}
DECLARE = {
    "event_id": "d1", "verb": "declare", "by": "officer7", "role": "officer", "reason": "asked",
    "title": "Fighting", "hazard": "conflict", "areas": [{"kind": "countries", "codes": ["SD"]}],
}  # fmt: skip
TAKEN = {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": []}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def up(data):
    with running_engine_in(data) as at:
        yield at


def store(data, question):
    with reading(data / STORE_FILE) as engine:
        return question(engine)


def test_an_act_is_in_the_store_at_once_and_stands_in_the_log_once(up, data):
    assert (up.post("/v1/commands", DECLARE).status_code) == 202
    titles = lambda: [one.title for one in store(data, status).situations]
    assert wait_for(titles) == ["Fighting"]
    assert up.post("/v1/commands", DECLARE).json() == TAKEN | {"accepted": 0, "duplicate": 1}
    again = up.post("/v1/commands", DECLARE | {"occurred_at": "2024-05-01T10:00:00Z"})
    assert again.json()["conflict"] == 1
    said = SAFE | {"occurred_at": "2024-05-01T10:00:00Z"}
    assert up.post("/v1/check-ins", said).json() == TAKEN
    twice = up.post("/v1/check-ins", [said, said])
    assert twice.status_code == 202
    assert twice.json() == {"accepted": 0, "duplicate": 2, "conflict": 0, "rejected": []}


def test_one_bad_item_costs_no_other_and_all_bad_ones_are_422(up, data):
    said = SAFE | {"occurred_at": "2024-05-01T10:00:00Z"}
    bad = [
        said | {"event_id": "x1", "state": "fine"},
        said | {"event_id": "x2", "phone": "1234"},
        7,
        {"person_id": "h1.1", "state": "safe"},
        said | {"event_id": "x3", "type": "ContactRecorded"},
        said | {"event_id": "x4", "status": "Test"},
    ]
    mixed = up.post("/v1/check-ins", [*bad, said])
    assert mixed.status_code == 202
    assert mixed.json()["accepted"] == 1
    assert [(one["item"], one["code"]) for one in mixed.json()["rejected"]] == [
        ("item 1", "invalid_item"),
        ("item 2", "invalid_item"),
        ("item 3", "invalid_item"),
        ("item 4", "invalid_item"),
        ("item 5", "invalid_item"),
        ("x4", "not_admitted"),
    ]
    refused = up.post("/v1/check-ins", bad[:2])
    assert refused.status_code == 422
    assert refused.json()["rejected"][1]["reason"] == (
        "direct identifiers belong in the vault, not in a topic"
    )
    letters = wait_for(lambda: store(data, dead_letters))
    assert len(letters) == 6
    assert all("1234" not in letter.body + letter.reason for letter in letters)
    assert up.post("/v1/check-ins", []).json() == TAKEN | {"accepted": 0}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        ("/v1/check-ins", b"{", {}, 400, "not_json"),
        ("/v1/check-ins", b"\xff", {}, 400, "not_json"),
        ("/v1/check-ins", b" " * (MAX_BYTES + 1), {}, 413, "too_large"),
        ("/v1/people", b"{}", {}, 404, "not_found"),
        ("/v2", b"{}", {}, 404, "no_such_address"),
        ("/healthz", b"{}", {}, 405, "no_such_address"),
        ("/v1/check-ins", b"{}", {"host": "evil.example:8080"}, 403, "host_not_loopback"),
        ("/v1/check-ins", b"{}", {"host": "127.0.0.1.evil.example"}, 403, "host_not_loopback"),
        ("/v1/check-ins", b"{}", {"content-type": "text/plain"}, 415, "not_json"),
        ("/v1/polls", b'{"name": "x"}', {}, 400, "not_findings"),
        (
            "/v1/polls",
            b'{"name": "x", "kind": "x", "events": [{"type": "Tick", "event": {}}]}',
            {},
            400,
            "not_findings",
        ),
        ("/v1/faults", b"[]", {}, 400, "not_a_fault"),
    ],
)
def test_a_request_that_cannot_be_taken_says_why(up, path, body, headers, status, code):
    answer = up.post(path, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["reason"]


def test_the_names_of_this_machine_may_ask(up):
    for host in ("localhost", "localhost:80", "127.0.0.1:1", "[::1]:8080"):
        assert up.get("/healthz", host=host).status_code == 200
    assert httpx.get(f"{up.metrics}/metrics", headers={"host": "evil.example"}).status_code == 403


def test_a_stopping_engine_takes_nothing_and_says_so(up):
    up.working._inlet.closed = True
    answer = up.post("/v1/check-ins", SAFE)
    assert (answer.status_code, answer.json()["code"]) == (503, "stopping")
    assert answer.headers["retry-after"] == "2"
    assert up.get("/healthz").status_code == 503


def test_it_says_where_it_is_and_that_it_lives(up, data):
    said = json.loads((data / ENGINE_FILE).read_bytes())
    assert said == {"pid": os.getpid(), "api": up.api, "metrics": up.metrics}
    runtime = wait_for(lambda: store(data, runtime_of))
    assert (runtime.mode, runtime.phase, runtime.title) == ("live", "running", None)
    first = runtime.beat_wall_at
    wait_for(lambda: store(data, runtime_of).beat_wall_at > first)
    health = wait_for(lambda: (h := up.get("/healthz").json()) and h["as_of"] and h)
    assert (health["state"], health["mode"], health["pid"]) == ("running", "live", os.getpid())


def test_faults_of_processes_are_raised_and_cleared(up, data):
    fault = {"fault": "child_died_twice", "stage": "poll", "detail": "died"}
    assert up.post("/v1/faults", fault).status_code == 202
    (open_fault,) = wait_for(lambda: store(data, status).faults)
    assert (open_fault.fault, open_fault.stage, open_fault.detail) == (
        "child_died_twice", "poll", "died",
    )  # fmt: skip
    up.post("/v1/faults", fault | {"cleared": True})
    assert wait_for(lambda: store(data, status).faults == ())


def test_the_metrics_are_those_of_the_list(up):
    up.post("/v1/check-ins", [SAFE, SAFE, SAFE | {"state": "gone"}])
    wait_for(lambda: "rollcall_check_in_to_flag_seconds_count 1.0" in up.scrape())
    families = {one.name: one for one in text_string_to_metric_families(up.scrape())}
    assert sorted(families) == sorted(one.name for one in METRICS)
    assert {name: family.type for name, family in families.items()} == {
        one.name: str(one.kind) for one in METRICS
    }
    items = {
        (s.labels["kind"], s.labels["outcome"]): s.value
        for s in families["rollcall_intake_items"].samples
        if s.name == "rollcall_intake_items_total"
    }
    assert items == {
        ("check-ins", "accepted"): 1, ("check-ins", "duplicate"): 1,
        ("check-ins", "conflict"): 0, ("check-ins", "rejected"): 1,
    }  # fmt: skip
    lag = families["rollcall_input_lag_records"].samples
    assert {(s.labels["stage"], s.labels["partition"]) for s in lag} == {
        ("desk", "0"), ("room", "0"), *(("shard", str(n)) for n in range(8)),
    }  # fmt: skip
    (age,) = families["rollcall_tick_age_seconds"].samples
    assert 0 <= age.value < 10
    assert families["rollcall_deliveries"].samples == []
    known = {"stage", "partition", "feed", "state", "status", "bucket", "check", "fault", "kind",
             "outcome"}  # fmt: skip
    assert {label for one in METRICS for label in one.labels} == known
    assert {one.kind for one in METRICS} == set(Kind)
