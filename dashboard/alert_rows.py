"""Alerts, silences and deliveries as columns of tables: read and put into words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select

from dashboard.figures import age
from dashboard.words import Words
from streams.serving import tables as t
from streams.serving.deliveries import DeliveryNow


class AlertRow(NamedTuple):
    """One alert with what became of it; ``silence_id``: raised under a silence."""

    alert_id: str
    status: str
    rule: str
    severity: str
    title: str
    facts: Mapping[str, Any]
    situation_id: str | None
    raised_at: datetime
    late_s: int
    silence_id: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_reason: str | None


class Silence(NamedTuple):
    """A silence as it stands: what it mutes, by whom, why, until when."""

    silence_id: str
    status: str
    by: str
    reason: str
    rule: str | None
    situation_id: str | None
    until: datetime


class Sorted(NamedTuple):
    """Alerts by what is to be done about them, the newest first."""

    open: tuple[AlertRow, ...]
    acknowledged: tuple[AlertRow, ...]
    silenced: tuple[AlertRow, ...]


SEVERITY = {"critical": 0, "warning": 1}
"""The order of severities in the open list; others come last."""


def alert_rows(found: Sequence[Mapping[str, Any]]) -> list[AlertRow]:
    """Return the journal's alerts as rows."""
    return [AlertRow(**{name: one[name] for name in AlertRow._fields}) for one in found]


def sort(rows: Sequence[AlertRow], situation_id: str | None) -> Sorted:
    """Return open (worst first), acknowledged and silenced alerts."""
    mine = [row for row in rows if situation_id is None or row.situation_id == situation_id]
    mine.sort(key=lambda row: (row.raised_at, row.alert_id), reverse=True)
    taken = [row for row in mine if row.acknowledged_at is not None]
    left = [row for row in mine if row.acknowledged_at is None]
    open_ = [row for row in left if row.silence_id is None]
    open_.sort(key=lambda row: SEVERITY.get(row.severity, len(SEVERITY)))
    return Sorted(tuple(open_), tuple(taken), tuple(r for r in left if r.silence_id is not None))


def read_silences(engine: Engine) -> tuple[Silence, ...]:
    """Return all silences, those that end last first."""
    c = t.silences.c
    query = select(*(c[name] for name in Silence._fields)).order_by(c.until.desc(), c.silence_id)
    with engine.connect() as connection:
        return tuple(Silence._make(row) for row in connection.execute(query))


def in_force(found: Sequence[Silence], as_of: datetime | None) -> tuple[Silence, ...]:
    """Return the silences that still mute something; before any sum, all of them."""
    return tuple(one for one in found if as_of is None or one.until > as_of)


def table(
    rows: Sequence[AlertRow],
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
