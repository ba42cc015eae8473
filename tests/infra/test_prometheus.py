"""What Prometheus is told: whom to scrape, when to raise an alert."""

import re

import pytest

from infra.prometheus.server import CONFIG, RULES, RULES_TEST, configured, promtool
from streams.metrics import ROLES
from tests.support.watching import metrics_in, rules

SEVERITIES = {"critical", "warning", "info"}


@pytest.mark.prometheus
def test_configuration_and_rules_are_valid(prometheus):  # noqa: ARG001 - it skips without promtool
    for kind, path in (("config", CONFIG), ("rules", RULES)):
        done = promtool("check", kind, path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(rules())} rules found" in done.stdout


@pytest.mark.prometheus
def test_every_rule_fires_when_it_must_and_at_no_other_time(prometheus):  # noqa: ARG001 - as above
    done = promtool("test", "rules", RULES_TEST)
    assert done.returncode == 0, done.stdout + done.stderr


def test_of_every_rule_it_is_tried_that_it_is_quiet_and_that_it_fires():
    text = RULES_TEST.read_text(encoding="utf-8")
    tried = re.findall(r'alertname="(\w+)".*\n.*\n +exp_samples: (\[\]|\[\{)', text)
    names = {rule.name for rule in rules()}
    assert {name for name, samples in tried if samples == "[]"} == names
    assert {name for name, samples in tried if samples == "[{"} == names


def test_every_rule_says_how_bad_it_is_what_it_means_and_where_to_read_on():
    for rule in rules():
        assert rule.fields["severity"] in SEVERITIES, rule.name
        assert len(rule.fields["summary"]) > 15, rule.name
        assert len(rule.fields["description"]) > 40, rule.name
        page = re.sub(r"(?<!^)(?=[A-Z])", "-", rule.name).lower()
        assert rule.fields["runbook"] == f"docs/runbooks/{page}.md"


def test_rules_ask_for_metrics_that_some_role_serves():
    served = {one.name for metrics in ROLES.values() for one in metrics}
    for rule in rules():
        assert metrics_in(rule.expression) <= served, rule.name


def test_every_role_is_scraped_by_the_name_it_has_in_its_network():
    text = CONFIG.read_text(encoding="utf-8")
    jobs = dict(re.findall(r"job_name: (\S+)\n\s+static_configs: \[\{targets: \[(.+?)\]", text))
    assert jobs.keys() == ROLES.keys()
    for job, targets in jobs.items():
        assert re.fullmatch(rf'("{job}(-\d)?:9464"(, )?)+', targets), targets
    elsewhere = configured({job: ["127.0.0.1:1"] for job in jobs}, "1s")
    assert elsewhere.count('targets: ["127.0.0.1:1"]') == len(jobs)
    assert elsewhere.count("_interval: 1s") == 2
    assert "9464" not in elsewhere
