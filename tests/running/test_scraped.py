"""What a role says of its health, and who may ask."""

import httpx
import pytest

from streams.metrics import API, WRITE, Metrics, Reading, RoleMetrics
from streams.metrics import SHARDS as SHARDS_THERE
from streams.scraped import Pulse, answering, page_of
from streams.sections import PortsSettings

ANYWHERE = "0.0.0.0"  # noqa: S104 - as in a container


def asked(page, path, host="127.0.0.1"):
    url = f"http://127.0.0.1:{page.listener.getsockname()[1]}{path}"
    return httpx.get(url, headers={"host": host}, trust_env=False)


def test_a_role_is_not_well_until_it_gets_on_nor_when_it_is_hindered_or_silent():
    pulse = Pulse("has not begun", longest_s=60)
    assert pulse.why_not() == "has not begun"
    pulse.beat()
    assert pulse.why_not() is None
    pulse.hindered("the cluster is away")
    assert pulse.why_not() == "the cluster is away"
    pulse.beat()
    assert pulse.why_not() is None
    silent = Pulse("has not begun", longest_s=0)
    silent.beat()
    assert silent.why_not() == "has not got on for 0 s"


def test_health_is_200_or_503_with_the_reason_and_a_gauge_says_the_same():
    page, pulse = page_of(PortsSettings(), 0), Pulse("has not begun")
    said: list[object] = []
    measure = lambda: [Reading(SHARDS_THERE, 4)]
    with answering(page, "write", RoleMetrics(WRITE), pulse.why_not, measure, say=said.append):
        answer = asked(page, "/healthz")
        assert answer.status_code == 503
        assert answer.json() == {"role": "write", "well": False, "reason": "has not begun"}
        assert 'rollcall_well{role="write"} 0.0\n' in asked(page, "/metrics").text
        pulse.beat()
        answer = asked(page, "/healthz")
        assert answer.status_code == 200
        assert answer.json() == {"role": "write", "well": True, "reason": None}
        text = asked(page, "/metrics").text
        assert 'rollcall_well{role="write"} 1.0\n' in text
        assert "\nrollcall_shards 4.0\n" in text
        assert "\nrollcall_dead_letters " not in text
        port = page.listener.getsockname()[1]
        assert said == [f"metrics and health: http://127.0.0.1:{port}/metrics"]


@pytest.mark.parametrize(("host", "code"), [("127.0.0.1", 403), (ANYWHERE, 200)])
def test_who_listens_for_others_is_asked_by_any_name_and_nobody_else_is(host, code):
    page = page_of(PortsSettings(host=host), 0)
    with answering(page, "api", Metrics(API), lambda: None, say=str):
        assert asked(page, "/metrics", "worker-1:9464").status_code == code
        assert asked(page, "/metrics").status_code == 200
