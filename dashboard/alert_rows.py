"""Alerts, silences and deliveries as columns of tables: pure, over answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from dashboard.figures import age
from dashboard.words import Words
from streams.serving.alert_lists import AlertLine
from streams.serving.deliveries import DeliveryNow


class Sorted(NamedTuple):
    """Alerts by what is to be done about them, the newest first."""

    open: tuple[AlertLine, ...]
    acknowledged: tuple[AlertLine, ...]
    silenced: tuple[AlertLine, ...]


SEVERITY = {"critical": 0, "warning": 1}
"""The order of severities in the open list; others come last."""


def sort(rows: Sequence[AlertLine], situation_id: str | None) -> Sorted:
    """Return open (worst first), acknowledged and silenced alerts."""
    mine = [row for row in rows if situation_id is None or row.situation_id == situation_id]
    mine.sort(key=lambda row: (row.raised_at, row.alert_id), reverse=True)
    by_state = {state: [row for row in mine if row.state == state] for state in Sorted._fields}
    by_state["open"].sort(key=lambda row: SEVERITY.get(row.severity, len(SEVERITY)))
    return Sorted(**{state: tuple(rows_) for state, rows_ in by_state.items()})


def table(
    rows: Sequence[AlertLine],
    as_of: datetime | None,
    titles: Mapping[str, str],
    sent: Mapping[str, Sequence[DeliveryNow]] | None,
    say: Words,
    *,
    acknowledged: bool = False,
) -> dict[str, list[Any]]:
    """Return the columns of a list of alerts; ``sent`` None: not known."""
    columns: dict[str, list[Any]] = {
        "severity": [say.get(f"severity_{row.severity}", row.severity) for row in rows],
        "alert": [row.title for row in rows],
        "rule": [rule_name(row.rule, say) for row in rows],
        "raised": [row.raised_at for row in rows],
        "age": [
            say["unknown"] if as_of is None else age((as_of - row.raised_at).total_seconds(), say)
            for row in rows
        ],
        "late": [age(row.late_s, say) if row.late_s else say["on_time"] for row in rows],
        "situation": [titles.get(row.situation_id or "", row.situation_id or "—") for row in rows],
        "facts": [
            ", ".join(f"{name} {value}" for name, value in row.facts.items()) for row in rows
        ],
        "deliveries": [_sent(row.alert_id, sent, say) for row in rows],
        "status": [say[f"status_{row.status}"] for row in rows],
    }
    if acknowledged:
        columns |= {
            "by": [row.acknowledged_by for row in rows],
            "acknowledged": [row.acknowledged_at for row in rows],
            "reason": [row.acknowledged_reason for row in rows],
        }
    return columns


def rule_name(rule: str | None, say: Words) -> str:
    """Return what a rule is called; one we have no word for keeps its name."""
    return say["rule_every"] if rule is None else say.get(f"rule_{rule}", rule)


def _sent(alert_id: str, sent: Mapping[str, Sequence[DeliveryNow]] | None, say: Words) -> str:
    """Return deliveries in a few words: how many of each state."""
    if sent is None:
        return say["unknown"]
    counts: dict[str, int] = {}
    for one in sent.get(alert_id, ()):
        counts[one.state] = counts.get(one.state, 0) + 1
    parts = [f"{say.get(f'delivery_{state}', state)} {n}" for state, n in sorted(counts.items())]
    return ", ".join(parts) or "—"


def deliveries(found: Sequence[DeliveryNow], say: Words) -> dict[str, list[Any]]:
    """Return the columns of an alert's deliveries."""
    return {
        "channel": [one.channel for one in found],
        "recipient": [one.recipient for one in found],
        "state": [say.get(f"delivery_{one.state}", one.state) for one in found],
        "attempts": [one.attempts for one in found],
        "uncertain": [say["yes"] if one.uncertain else say["no"] for one in found],
        "error": [one.last_error or one.reason or "—" for one in found],
        "at": [one.delivered_at for one in found],
    }
