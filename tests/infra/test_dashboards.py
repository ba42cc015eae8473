"""What Grafana shows: whole panels, and metrics that there are."""

import json
import re

import pytest

from streams.metrics import ROLES
from tests.support.watching import DASHBOARDS, ROOT, metrics_in, panels, queries, rules

PROVISIONED = ROOT / "infra/grafana/provisioning"


def test_there_are_three_and_each_is_found_by_an_id_of_its_own():
    assert [path.name for path in DASHBOARDS] == ["delivery.json", "flow.json", "ledger.json"]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS]
    assert [one["uid"] for one in found] == [
        "rollcall-delivery",
        "rollcall-flow",
        "rollcall-ledger",
    ]
    for one in found:
        assert one["title"].startswith("Rollcall: ")
        assert one["timezone"] == "utc"
        assert not one["editable"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_in_which_unit_and_when_to_worry(path):
    shown = panels(path)
    assert len({one["id"] for one in shown}) == len(shown)
    assert len({one["title"] for one in shown}) == len(shown)
    for one in shown:
        assert len(one["description"]) > 20, one["title"]
        defaults = one["fieldConfig"]["defaults"]
        assert defaults["unit"], one["title"]
        steps = defaults["thresholds"]["steps"]
        assert steps[0]["value"] is None, one["title"]
        values = [step["value"] for step in steps[1:]]
        assert values == sorted(values), one["title"]
        assert one["targets"], one["title"]
        assert len({target["refId"] for target in one["targets"]}) == len(one["targets"])
        for target in one["targets"]:
            assert target["legendFormat"], one["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_panel_lies_upon_another(path):
    taken: set[tuple[int, int]] = set()
    for one in panels(path):
        at = one["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, one["title"]
        taken |= cells


def test_panels_ask_for_metrics_that_some_role_serves_and_every_metric_is_shown():
    served = {one.name for metrics in ROLES.values() for one in metrics}
    shown = set()
    for path in DASHBOARDS:
        for title, expression in queries(path):
            named = metrics_in(expression)
            assert named <= served, title
            shown |= named
    # Partitions are counted by worker.
    assert served - shown == {"rollcall_merge_partitions"}


def test_panels_point_to_pages_that_there_are():
    pages = {rule.fields["runbook"].rpartition("/")[2].removesuffix(".md") for rule in rules()}
    for path in DASHBOARDS:
        for one in panels(path):
            said = re.findall(r"Runbooks?: ([a-z, -]+)\.", one["description"])
            assert {page for names in said for page in names.split(", ")} <= pages, one["title"]


def test_panels_ask_the_server_that_is_provisioned():
    said = (PROVISIONED / "datasources/prometheus.yml").read_text(encoding="utf-8")
    (uid,) = re.findall(r"uid: (\S+)", said)
    for path in DASHBOARDS:
        for one in panels(path):
            assert one["datasource"] == {"type": "prometheus", "uid": uid}
            assert all(target["datasource"] == one["datasource"] for target in one["targets"])
