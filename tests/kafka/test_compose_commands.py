"""Every command line and every health check of docker-compose.yml, without Docker.

Broker, database and Prometheus are real too, with the settings of the file; the
last two in the version of this machine. Nobody runs Grafana here.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.support.compose import OURS, STOP_S, Stand
from tests.support.running import wait_for

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.prometheus,
    pytest.mark.timeout(400),
    # Each service listens on a loopback address of its own.
    pytest.mark.allow_hosts(["127.0.0.0/8"]),
]


@pytest.fixture
def stand(
    kafka_tools,  # noqa: ARG001 - it skips where there is no Java
    postgres_server,  # noqa: ARG001 - it skips where there can be no server
    prometheus,  # noqa: ARG001 - it skips where there is no Prometheus
    tmp_path,
):
    # Nobody listens there: a feed that cannot be asked, as in a room whose network is closed.
    database = Path(tempfile.mkdtemp(prefix="rollcall-test-"))  # where the server's user may go
    stand = Stand(tmp_path, database, ROLLCALL_FEEDS_MIRROR="http://127.0.0.1:9")
    yield stand
    stand.close()


def iso(at):
    return at.isoformat().replace("+00:00", "Z")


def post(stand, kind, **said):
    url = stand.placed("api", f"http://api:8080/v1/{kind}")
    answer = httpx.post(url, json=said, trust_env=False)
    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted"] == 1


SCRAPED = ["api", "dispatch", "merge", "poll", "worker-1", "worker-2", "write"]


def scraped(stand):
    """Return what Prometheus says of each target, by the name of its service."""
    url = stand.placed("prometheus", "http://prometheus:9090/api/v1/targets")
    targets = httpx.get(url, trust_env=False).json()["data"]["activeTargets"]
    names = {stand.placed(name, f"{name}:9464"): name for name in stand.said}
    return {names[one["labels"]["instance"]]: one["health"] for one in targets}


def test_what_the_file_starts_accounts_for_two_of_ours_and_stops_when_told(stand):
    settings = stand.start_kafka()
    assert "socket.request.max.bytes=104857600\n" in settings
    stand.start_postgres()
    ours = [name for name, one in stand.said.items() if one["image"].startswith(OURS)]
    assert sorted(ours) == ["api", "dashboard", "dispatch", "merge", "poll", "topics",
                            "worker-1", "worker-2", "write"]  # fmt: skip
    roles = [name for name in ours if name != "topics"]
    for name in ours:
        stand.start(name)
    for name in roles:
        stand.await_healthy(name)

    verified = stand.run("topics", "rollcall", "topics", "verify")
    assert verified.returncode == 0, verified
    assert "warning" not in verified.stdout + verified.stderr

    def takes_in():
        try:
            return httpx.get(stand.placed("api", "http://api:8080/healthz"), trust_env=False)
        except httpx.TransportError:
            return None

    wait_for(takes_in, "the API")
    at = iso(datetime.now(UTC))
    place = {"lon_deg": 37.1, "lat_deg": 37.2, "accuracy_m": 20.0}
    said = {"source": "app", "occurred_at": at, "position": place}
    post(stand, "check-ins", event_id="app:1", person_id="ana.1", **said)
    post(stand, "check-ins", event_id="app:2", person_id="ben.1", state="needs_help", **said)
    post(
        stand,
        "reports",
        event_id="emsc:20230206_r1:1",
        source="emsc",
        occurred_at=at,
        chain_id="emsc:20230206_r1",
        msg_type="Alert",
        hazard="earthquake",
        title="M 7.5 Türkiye-Syria border region",
        onset_at=at,
        sent_at=at,
        revision="corrects",
        position={"lon_deg": 37.08, "lat_deg": 37.17},
        magnitude=7.5,
    )

    def both_accounted_for():
        told = stand.run("write", "rollcall", "status", "--json")
        found = json.loads(told.stdout) if told.returncode == 0 else {"situations": []}
        return [one for one in found["situations"] if one["known"] == 2]

    (situation,) = wait_for(both_accounted_for, "two people in the ledger")
    counted = {bucket: count for bucket, count in situation["buckets"].items() if count}
    assert counted == {"unaccounted": 1, "needs_help": 1}

    def on_the_wall():
        url = stand.placed("dashboard", "http://dashboard:8501/api/live/wall/snapshot")
        wall = httpx.get(url, trust_env=False)
        return wall.status_code == 200 and "Türkiye-Syria border region" in wall.text

    wait_for(on_the_wall, "the situation on the wall")
    alerts = stand.directories("dispatch")["/data"] / "alerts"
    wait_for(lambda: list(alerts.glob("*.xml")), "an alert as a file")

    stand.start("prometheus")
    stand.await_healthy("prometheus")
    wait_for(lambda: scraped(stand) == dict.fromkeys(SCRAPED, "up"), "every role scraped")
    roles.append("prometheus")

    codes, took_s = stand.end(roles)
    assert codes == dict.fromkeys(roles, 0)
    assert took_s < STOP_S
