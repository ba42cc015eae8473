"""A cluster at work, watched by a real Prometheus: every query of a dashboard or a rule runs."""

import json
import shutil
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kafka import KafkaProducer

from infra.prometheus import Prometheus
from tests.support.running import Process, wait_for
from tests.support.system import SHARDS, System
from tests.support.watching import DASHBOARDS, queries, rules

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.prometheus,
    pytest.mark.timeout(240),
]

QUAKES = Path(__file__).parents[2] / "streams/scenarios/turkiye-2023/usgs-0125.geojson"

RIGHTLY_EMPTY = {
    "max by (fault) (rollcall_faults_open)",
    'max by (status, bucket) (rollcall_accountability_people{status!="Actual"})',
}
"""In a healthy system there are no faults; and here, no exercise."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def mirror_of(folder):
    """Feeds as they lie in a folder, over HTTP."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def publish(kafka, prefix):
    """Somebody in need, somebody safe, and something that cannot enter."""
    at = datetime.now(UTC).isoformat()
    common = {"source": "app", "occurred_at": at}
    place = {"position": {"lon_deg": 37.1, "lat_deg": 37.2, "accuracy_m": 20.0}}
    quake = {
        "event_id": "emsc:20230206_r1:1", "source": "emsc", "occurred_at": at,
        "chain_id": "emsc:20230206_r1", "msg_type": "Alert", "hazard": "earthquake",
        "title": "M 7.5 Türkiye-Syria border region", "onset_at": at, "sent_at": at,
        "revision": "corrects", "position": {"lon_deg": 37.08, "lat_deg": 37.17},
        "magnitude": 7.5,
    }  # fmt: skip
    said = [
        ("check-ins", common | place | {"event_id": "app:1", "person_id": "ana.1"}),
        (
            "check-ins",
            common | place | {"event_id": "app:2", "person_id": "ben.1", "state": "needs_help"},
        ),
        ("check-ins", common | {"event_id": "app:3", "person_id": "cem.1", "phone": "+32 470"}),
        ("reports", quake),
    ]
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    for topic, body in said:
        producer.send(prefix + topic, json.dumps(body).encode()).get(30)
    producer.close()


@pytest.fixture
def system(kafka, postgres, tmp_path, monkeypatch):
    system = System(kafka, postgres, tmp_path, monkeypatch, more={"api": ("api", "--port", "0")})
    yield system
    system.close()


def test_every_query_runs_and_every_rule_is_quiet(
    kafka,
    system,
    prometheus,  # noqa: ARG001 - it skips where there is none
    tmp_path,
):
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    shutil.copy(QUAKES, feeds / "usgs")
    api = system.processes["api"]
    api.wait_for("the API listens on")
    (address,) = [line.rpartition(" ")[2] for line in api.lines if "API listens" in line]
    with mirror_of(feeds) as mirror:
        polling = {"ROLLCALL_FEEDS_ENABLED": '["usgs"]', "ROLLCALL_FEEDS_MIRROR": mirror}
        env = system.environment | polling
        system.processes["poll"] = Process(tmp_path / "poll", "poll", "--api", address, env=env)
        publish(kafka, system.settings.prefix)
        targets: dict[str, list[str]] = {}
        for name in system.processes:
            targets.setdefault(name.partition("-")[0], []).append(system.metrics_of(name))
        with Prometheus(tmp_path / "prometheus", targets) as watching:
            _watched(watching, sum(map(len, targets.values())))
        assert system.end() == {}


def _watched(watching, processes):
    def all_up():
        up = watching.query("up")
        return len(up) == processes and all(one["value"][1] == "1" for one in up)

    wait_for(all_up, "every process scraped")
    asked = {(path.stem, *one) for path in DASHBOARDS for one in queries(path)}
    assert {expression for *_, expression in asked} >= RIGHTLY_EMPTY

    def without_a_sample():
        return {one for one in asked if one[2] not in RIGHTLY_EMPTY and not watching.query(one[2])}

    try:
        wait_for(lambda: not without_a_sample(), "a sample of every panel")
    except AssertionError as error:
        raise AssertionError(without_a_sample()) from error
    for expression in RIGHTLY_EMPTY:
        assert watching.query(expression) == []
    for rule in rules():
        watching.query(rule.expression)

    def evaluated():
        groups = watching.ask("rules")["groups"]
        found = [one for group in groups for one in group["rules"]]
        return found if all(one["health"] != "unknown" for one in found) else None

    found = wait_for(evaluated, "every rule evaluated")
    assert {one["name"] for one in found} == {one.name for one in rules()}
    assert {one["health"] for one in found} == {"ok"}
    assert [one["name"] for one in found if one["state"] == "firing"] == []
    assert watching.query("max(rollcall_shards)")[0]["value"][1] == str(SHARDS)
    assert watching.query("max(rollcall_dead_letters)")[0]["value"][1] == "1"
    assert watching.query("sum(rollcall_merge_leads)")[0]["value"][1] == "1"
    assert watching.query('rollcall_feed_state{feed="usgs"} == 1')[0]["metric"]["state"] == "ok"
