"""Every role of a cluster tells how it is, and what it does, and nothing about a person."""

from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import ROLES, Kind
from tests.support.running import started, wait_for
from tests.support.system import SHARDS, System

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(240)]

POLL_NOTHING = {"ROLLCALL_FEEDS_ENABLED": "[]"}


def check_in(number, person_id):
    at = datetime.now(UTC).isoformat()
    return {
        "event_id": f"app:{number}", "source": "app", "occurred_at": at,
        "person_id": person_id, "state": "safe",
    }  # fmt: skip


def samples_of(text):
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def names_of(text):
    """Names as Prometheus has them: a counter's without its ending."""
    return {one.name for one in text_string_to_metric_families(text)}


def test_every_role_says_how_it_is_and_what_it_does(kafka, postgres, tmp_path, monkeypatch):
    more = {"api": ("api", "--port", "0")}
    system = System(kafka, postgres, tmp_path, monkeypatch, more=more)
    poll = started(tmp_path / "poll", "poll", env=system.environment | POLL_NOTHING)
    try:
        with poll as system.processes["poll"]:
            _said(system)
        del system.processes["poll"]
        assert system.end() == {}
    finally:
        system.close()


def _said(system):
    roles = {name: name.partition("-")[0] for name in system.processes}
    for name, role in roles.items():
        code, said = wait_for(
            lambda name=name: (found := system.healthz(name))[0] == 200 and found, f"{name} well"
        )
        assert (code, said["role"], said["well"], said["reason"]) == (200, role, True, None)
    (line,) = [one for one in system.processes["api"].lines if "API listens" in one]
    address = line.rpartition(" ")[2]
    bodies = [check_in(1, "ana.1"), check_in(2, "ben.1")]
    answer = httpx.post(f"{address}/v1/check-ins", json=bodies, trust_env=False)
    assert answer.status_code == 202, answer.text

    def counted():
        return samples_of(system.scrape("write")).get(("rollcall_people", "Actual")) == 2

    wait_for(counted, "two people in the numbers")
    pages = {name: system.scrape(name) for name in roles}
    for name, text in pages.items():
        listed = {one.name for one in ROLES[roles[name]]}
        assert names_of(text) == listed, name
        assert samples_of(text)["rollcall_well", roles[name]] == 1
        assert "ana" not in text
        assert "ben" not in text
    written, taken = samples_of(pages["write"]), samples_of(pages["api"])
    assert taken["rollcall_intake_items_total", "check-ins", "accepted"] == 2
    assert written["rollcall_shards",] == SHARDS
    assert written["rollcall_shards_reached", "Actual"] == SHARDS
    assert written["rollcall_dead_letters",] == 0
    assert 0 <= written["rollcall_sums_age_seconds",] < 60
    assert written["rollcall_writer_records_total",] > 0
    lags = {key[1:] for key in written if key[0] == "rollcall_input_lag_records"}
    assert lags == {("0", "desk"), ("0", "room"), *((one, "shard") for one in "0123")}
    workers = [samples_of(pages[name]) for name in system.workers]
    held = [
        sum(v for k, v in one.items() if k[0] == "rollcall_worker_partitions") for one in workers
    ]
    assert sum(held) == SHARDS + 2
    for stage in ("desk", "shard", "room"):
        dealt = sum(one.get(("rollcall_worker_records_total", stage), 0) for one in workers)
        commits = sum(
            one.get(("rollcall_worker_commit_seconds_count", stage), 0) for one in workers
        )
        assert dealt > 0, stage
        assert commits > 0, stage
    assert all(
        value == 0
        for one in workers
        for key, value in one.items()
        if key[0] == "rollcall_worker_stands_still"
    )
    merge = samples_of(pages["merge"])
    assert 0 <= merge["rollcall_tick_age_seconds",] < 60


def test_a_metric_has_one_kind_and_one_meaning_wherever_it_is_served():
    seen: dict[str, tuple[Kind, str, tuple[str, ...]]] = {}
    for metrics in ROLES.values():
        assert len({one.name for one in metrics}) == len(metrics)
        for one in metrics:
            assert seen.setdefault(one.name, one[1:]) == one[1:]
