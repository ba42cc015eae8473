"""What the wall reads beside its situations: alerts, feeds, changes, input."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, case, func, or_, select

from schemas.alert import AlertRaised
from schemas.codelists import ContactOutcome, Status
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving import wall_answers as w
from streams.serving.figures import feed_by_now, silent_feed
from streams.serving.runtime import Runtime

ALERTS_SHOWN = 20
CHANGES_SHOWN = 12
UNPLACED_SHOWN = 20

NOBODY_REACHED = (ContactOutcome.NO_ANSWER, ContactOutcome.WRONG_NUMBER)
"""Outcomes of a contact in which nobody was spoken to."""

HEARD: tuple[tuple[Literal["registrations", "check_ins", "contacts"], str], ...] = (
    ("registrations", "RegistrationFiled"),
    ("check_ins", "CheckedIn"),
    ("contacts", "ContactRecorded"),
)
"""What people file, and the message it comes as."""

IN_FORCE = ("reported", "active")
"""States of an incident that is not over."""


class Incident(NamedTuple):
    """An incident, and the situation that it belongs to, if to any."""

    situation_id: str | None
    status: str
    said: w.WallIncident


def incidents(connection: Connection, situation_ids: Collection[str]) -> list[Incident]:
    """Return the incidents of some situations, and those of none that are not over."""
    c = t.incidents.c
    names = [field.name for field in msgspec.structs.fields(w.WallIncident)]
    unplaced = c.situation_id.is_(None) & c.life.in_(IN_FORCE)
    query = (
        select(c.situation_id, c.status, *(c[name] for name in names))
        .where(or_(c.situation_id.in_(sorted(situation_ids)), unplaced))
        .order_by(c.onset_at, c.incident_id)
    )
    return [
        Incident(
            row["situation_id"],
            row["status"],
            w.WallIncident(**{name: row[name] for name in names}),
        )
        for row in connection.execute(query).mappings()
    ]


def alerts(connection: Connection) -> w.WallAlerts:
    """Return alerts in figures, and the oldest open ones.

    Of an alert about a person the wall says only that there is one: its title
    names the person.
    """
    c, taken = t.alerts.c, t.acknowledgements.c.alert_id
    state = case((taken.is_not(None), "acknowledged"), (c.silence_id.is_not(None), "silenced"))
    joined = t.alerts.join(t.acknowledgements, c.alert_id == taken, isouter=True)
    figures = {
        name or "open": count
        for name, count in connection.execute(
            select(state, func.count()).select_from(joined).group_by(state)
        )
    }
    query = (
        select(t.alerts)
        .select_from(joined)
        .where(taken.is_(None), c.silence_id.is_(None))
        .order_by(c.raised_at, c.alert_id)
        .limit(ALERTS_SHOWN)
    )
    items = []
    for row in connection.execute(query).mappings():
        of_person = "person_id" in msgspec.json.decode(row["body"], type=AlertRaised).facts
        items.append(
            w.WallAlert(
                alert_id=row["alert_id"],
                status=row["status"],
                rule=row["rule"],
                severity=row["severity"],
                title=None if of_person else row["title"],
                situation_id=row["situation_id"],
                raised_at=row["raised_at"],
                late_s=row["late_s"],
            )
        )
    return w.WallAlerts(
        open=figures.get("open", 0),
        acknowledged=figures.get("acknowledged", 0),
        silenced=figures.get("silenced", 0),
        oldest_at=items[0].raised_at if items else None,
        items=tuple(items),
    )


def changes_shown(
    connection: Connection, situation_ids: Collection[str]
) -> tuple[w.WallChange, ...]:
    """Return the latest changes that concern the room, newest first.

    Those of advice (but not that it was read for the first time), of the
    situations shown, and of incidents of no situation; what has merged into
    another is told there.
    """
    c = j.changes.c
    gone = select(c.about_id).where(c.change == "merged")
    concerns = or_(c.situation_id.in_(sorted(situation_ids)), c.situation_id.is_(None))
    query = (
        select(j.changes)
        .where(c.change.not_in(("first", "merged")), concerns, c.about_id.not_in(gone))
        .order_by(c.at.desc(), c.event_id)
        .limit(CHANGES_SHOWN)
    )
    names = [field.name for field in msgspec.structs.fields(w.WallChange)]
    return tuple(
        w.WallChange(**{name: row[name] for name in names})
        for row in connection.execute(query).mappings()
    )


def feeds(
    connection: Connection, runtime: Runtime | None, now: datetime | None
) -> tuple[w.WallFeed, ...] | None:
    """Return all feeds that have spoken or should have, as of now."""
    configured = {} if runtime is None else {one.name: one.interval_s for one in runtime.feeds}
    found: dict[str, w.WallFeed] = {}
    for row in connection.execute(select(t.feed_health)).mappings():
        said = w.WallFeed(
            feed=row["feed"],
            state=row["state"],
            reason=row["reason"],
            last_success_at=row["last_success_at"],
            since=row["at"],
            expected_interval_s=row["expected_interval_s"] or configured.get(row["feed"]),
            items=row["items"],
            usual_items=row["usual_items"],
        )
        found[said.feed] = feed_by_now(said, now)
    for name, interval_s in configured.items():
        found.setdefault(name, silent_feed(name, interval_s))
    return tuple(found[name] for name in sorted(found)) or None


def inputs(connection: Connection) -> tuple[w.WallInput, ...]:
    """Return when each kind of what people file came in last."""
    body = connection.scalar(select(t.totals.c.heard).where(t.totals.c.status == Status.ACTUAL))
    heard = msgspec.json.decode(body or "{}", type=dict[str, datetime])
    return tuple(w.WallInput(kind=kind, last_at=heard.get(name)) for kind, name in HEARD)


def contacts(connection: Connection, now: datetime | None) -> w.WallContacts:
    """Return how many contacts were tried in the last hour, and how many reached."""
    if now is None:
        return w.WallContacts(hour=0, reached=0)
    c = j.inputs.c
    query = select(func.count(), func.count(case((c.what.not_in(NOBODY_REACHED), 1)))).where(
        c.name == "ContactRecorded",
        c.received_at > now - timedelta(hours=1),
        c.received_at <= now,
        c.status == Status.ACTUAL,
    )
    hour, reached = connection.execute(query).one()
    return w.WallContacts(hour=hour, reached=reached)


def pipeline(
    connection: Connection, runtime: Runtime | None, skipped: int | None
) -> w.WallPipeline:
    """Return how Rollcall itself is doing.

    Of a fault only what it is called: its detail quotes an error, which may name a person.
    """
    letters = connection.scalar(
        select(func.count()).select_from(t.deadletters).where(t.deadletters.c.retried_at.is_(None))
    )
    f = t.faults.c
    names = connection.scalars(select(f.fault).distinct().order_by(f.fault))
    return w.WallPipeline(
        lag=None if runtime is None else runtime.lag,
        dead_letters=letters or 0,
        skipped=skipped,
        faults=tuple(names),
    )


def clock(runtime: Runtime | None) -> w.WallClock:
    """Return which time it is in this system, as the engine said last."""
    if runtime is None:
        return w.WallClock(mode="live", phase="running")
    names = [field.name for field in msgspec.structs.fields(w.WallClock)]
    return w.WallClock(**{name: getattr(runtime, name) for name in names})
