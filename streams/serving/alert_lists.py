"""Alerts and silences as lists: what is open, who took note, what is muted."""

from datetime import datetime

import msgspec
from sqlalchemy import Engine, func, select

from schemas.alert import AlertRaised
from streams.core.rules import RULES
from streams.serving import tables as t
from streams.serving.answers import Answer

SILENCEABLE = tuple(rule.name for rule in RULES if rule.silenceable)
"""Rules whose alerts an officer may mute; nobody silences a call for help."""


class AlertLine(Answer, frozen=True, kw_only=True):
    """One alert with its facts. ``state`` is open, acknowledged or silenced."""

    alert_id: str
    state: str
    status: str
    rule: str
    cause_id: str
    situation_id: str | None
    person_id: str | None
    audience: str
    intent: str
    title: str
    severity: str
    raised_at: datetime
    late_s: int
    facts: dict[str, str | int]
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_reason: str | None
    silence_id: str | None


class SilenceLine(Answer, frozen=True, kw_only=True):
    """One silence. ``in_force`` as of the last tick; ``muted`` counts its alerts."""

    silence_id: str
    status: str
    by: str
    reason: str
    rule: str | None
    situation_id: str | None
    until: datetime
    at: datetime
    in_force: bool
    muted: int


def alerts(engine: Engine) -> tuple[AlertLine, ...]:
    """Return all alerts: the open ones first, then the latest first."""
    taken = t.acknowledgements.c
    query = (
        select(
            t.alerts,
            taken.by.label("acknowledged_by"),
            taken.at.label("acknowledged_at"),
            taken.reason.label("acknowledged_reason"),
        )
        .join_from(
            t.alerts, t.acknowledgements, t.alerts.c.alert_id == taken.alert_id, isouter=True
        )
        .order_by(t.alerts.c.raised_at.desc(), t.alerts.c.alert_id)
    )
    lines = []
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            state = "open" if row["silence_id"] is None else "silenced"
            if row["acknowledged_by"] is not None:
                state = "acknowledged"
            said = msgspec.json.decode(row["body"], type=AlertRaised)
            columns = {name: value for name, value in row.items() if name != "body"}
            lines.append(AlertLine(**columns, state=state, facts=said.facts))
    lines.sort(key=lambda one: one.state != "open")
    return tuple(lines)


def silences(engine: Engine) -> tuple[SilenceLine, ...]:
    """Return all silences: those in force first, then by their end."""
    with engine.connect() as connection:
        now = connection.scalar(select(func.max(t.totals.c.tick_at)))
        counted = select(t.alerts.c.silence_id, func.count()).group_by(t.alerts.c.silence_id)
        muted = {row[0]: int(row[1]) for row in connection.execute(counted)}
        rows = connection.execute(
            select(t.silences).order_by(t.silences.c.until, t.silences.c.silence_id)
        ).mappings()
        lines = [
            SilenceLine(
                **row,
                in_force=now is None or row["until"] > now,
                muted=muted.get(row["silence_id"], 0),
            )
            for row in rows
        ]
    lines.sort(key=lambda one: not one.in_force)
    return tuple(lines)
