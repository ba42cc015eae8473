"""What stands in the files of Prometheus and Grafana: rules, panels, metrics."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from infra.prometheus.server import RULES
from streams.metrics import METRICS, ROLES, Kind

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "infra/grafana/dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs/runbooks"

FIELD = re.compile(r" {8,10}(\w+):(?: (.*)|)")
NAME = re.compile(r"\brollcall_\w+")


class Rule(NamedTuple):
    """One alert rule, as its lines say it."""

    name: str
    expression: str
    fields: dict[str, str]


def rules():
    """Every alert rule; the file is ours, so its layout is known."""
    found = []
    for block in RULES.read_text(encoding="utf-8").split("      - alert: ")[1:]:
        name, *lines = block.splitlines()
        fields: dict[str, str] = {}
        key = ""
        for line in lines:
            if begins := FIELD.fullmatch(line):
                key, fields[begins[1]] = begins[1], (begins[2] or "").removeprefix(">-").strip('"')
            elif line.startswith(" " * 10):
                fields[key] = f"{fields[key]} {line.strip()}".strip()
        found.append(Rule(name, fields.pop("expr"), fields))
    return found


def panels(path):
    return list(json.loads(path.read_text(encoding="utf-8"))["panels"])


def queries(path):
    """Each query of a dashboard, with its panel's title."""
    return [
        (panel["title"], target["expr"])
        for panel in panels(path)
        for target in panel.get("targets", ())
    ]


def metrics_in(expression):
    """The metrics that an expression names, as the lists have them."""
    return {_listed(name) for name in NAME.findall(expression)}


def _listed(name):
    kinds = {one.name: one.kind for metrics in (METRICS, *ROLES.values()) for one in metrics}
    if kinds.get(name) is Kind.GAUGE:
        return name
    for ending, kind in (("_total", Kind.COUNTER), ("_bucket", Kind.HISTOGRAM),
                         ("_count", Kind.HISTOGRAM), ("_sum", Kind.HISTOGRAM)):  # fmt: skip
        if kinds.get(name.removesuffix(ending)) is kind:
            return name.removesuffix(ending)
    msg = f"there is no metric {name}"
    raise AssertionError(msg)
