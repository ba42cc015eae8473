"""Following a cause: the records that mention it, and those that follow from them.

Two steps: what is about an id or is that record itself, and what names one of
those as its cause. A whole situation can have moved tens of thousands of
people; so the answer is cut, and says so.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, or_, select

from schemas.incident import IncidentChanged
from schemas.zone import ZoneChanged
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.people_answers import Trace, Trail

MOST = 2_000
"""Records that an answer holds."""

MOST_CAUSES = 500
"""Causes that are followed one step further; an SQL list must end somewhere."""


def follow(engine: Engine, wanted: str, *, limit: int = MOST) -> Trail:
    """Return the trail of an event, incident, situation, advisory, alert or person."""
    with engine.connect() as connection:
        found = {trace.event_id: trace for trace in _about(connection, wanted)}
        causes = [*found, wanted][:MOST_CAUSES]
        for trace in _caused(connection, causes, limit):
            found.setdefault(trace.event_id, trace)
    ordered = sorted(found.values(), key=lambda one: (one.at, one.steps, one.event_id))
    return Trail(traces=tuple(ordered[:limit]), whole=len(ordered) <= limit)


def _about(connection: Connection, wanted: str) -> Iterator[Trace]:
    """Yield the record of that id, and what is about it."""
    ids = {wanted, *_members(connection, wanted)}
    inputs = j.inputs.c
    query = select(j.inputs).where(
        or_(inputs.event_id.in_(ids), inputs.about == wanted, inputs.also == wanted)
    )
    yield from map(_of_input, connection.execute(query).mappings())
    versions = j.versions.c
    query = select(j.versions).where(
        or_(
            versions.about_id == wanted,
            versions.situation_id == wanted,
            versions.event_id == wanted,
        )
    )
    yield from (_of_version(row, 0) for row in connection.execute(query).mappings())
    zones = t.zones.c
    query = select(t.zones.c.body).where(
        or_(zones.cause_id == wanted, zones.situation_id == wanted, zones.zone_id == wanted)
    )
    yield from (_of_zone(body) for body in connection.scalars(query))
    changes = j.changes.c
    query = select(j.changes).where(
        changes.kind == "advice", or_(changes.about_id == wanted, changes.event_id == wanted)
    )
    yield from map(_of_advice, connection.execute(query).mappings())
    alerts = t.alerts.c
    query = select(t.alerts).where(
        or_(
            alerts.alert_id == wanted, alerts.situation_id == wanted, alerts.cause_id == wanted,
            alerts.cause_id.startswith(f"{wanted}@", autoescape=True),
            alerts.cause_id.startswith(f"{wanted}/", autoescape=True),
        )
    )  # fmt: skip
    for row in connection.execute(query).mappings():
        yield _of_alert(row)
        taken = select(t.acknowledgements).where(t.acknowledgements.c.alert_id == row["alert_id"])
        yield from map(_of_note, connection.execute(taken).mappings())
    for table, what in ((t.movements, "to_bucket"), (j.exposure_changes, "tier")):
        query = select(table).where(table.c.event_id == wanted)
        yield from (_of_person(row, table.name, what, 0) for row in _rows(connection, query))


def _caused(connection: Connection, causes: Collection[str], limit: int) -> Iterator[Trace]:
    """Yield what follows from these records, at most one more than ``limit`` of each kind."""
    moved, exposed = t.movements.c, j.exposure_changes.c
    query = select(t.movements).where(
        or_(moved.trigger_id.in_(causes), moved.cause_event_id.in_(causes))
    )
    for row in _rows(connection, query.order_by(moved.at).limit(limit + 1)):
        yield _of_person(row, "movements", "to_bucket", 1)
    query = select(j.exposure_changes).where(exposed.trigger_id.in_(causes))
    for row in _rows(connection, query.order_by(exposed.at).limit(limit + 1)):
        yield _of_person(row, "exposure_changes", "tier", 1)
    query = select(j.versions).where(j.versions.c.trigger_id.in_(causes))
    yield from (_of_version(row, 1) for row in _rows(connection, query))
    query = select(t.alerts).where(t.alerts.c.cause_id.in_(causes))
    yield from map(_of_alert, _rows(connection, query))


def _rows(connection: Connection, query: Any) -> Iterable[Any]:
    return connection.execute(query).mappings().all()


def _members(connection: Connection, wanted: str) -> set[str]:
    """Return the reports that an incident, or those of a situation, are made of."""
    query = select(t.incidents.c.body).where(
        or_(t.incidents.c.incident_id == wanted, t.incidents.c.situation_id == wanted)
    )
    return {
        member.event_id
        for body in connection.scalars(query)
        for member in msgspec.json.decode(body, type=IncidentChanged).members
    }


def _of_input(row: Any) -> Trace:
    return Trace(
        kind=row["name"],
        event_id=row["event_id"],
        about_id=row["about"],
        at=row["occurred_at"],
        what=row["what"] or "",
        status=row["status"],
        source=row["source"],
        cause_ids=(),
        steps=0,
    )


def _of_version(row: Any, steps: int) -> Trace:
    magnitude = "" if row["magnitude"] is None else f" M {row['magnitude']:g}"
    return Trace(
        kind=row["kind"],
        event_id=row["event_id"],
        about_id=row["about_id"],
        at=row["at"],
        what=f"{row['title']}, {row['life']}{magnitude}",
        status=row["status"],
        source=None,
        cause_ids=(row["trigger_id"],) if row["trigger_id"] else (),
        steps=steps,
    )


def _of_zone(body: str) -> Trace:
    said = msgspec.json.decode(body, type=ZoneChanged)
    return Trace(
        kind="zone",
        event_id=said.event_id,
        about_id=said.cause_id,
        at=said.valid_from,
        what=f"{said.title}, {said.band}, version {said.version}",
        status=said.status.value,
        source=said.model,
        cause_ids=said.cause_ids,
        steps=0,
    )


def _of_advice(row: Any) -> Trace:
    return Trace(
        kind="advisory",
        event_id=row["event_id"],
        about_id=row["about_id"],
        at=row["at"],
        what=f"{row['title']}, {row['change']}",
        status=row["status"],
        source=None,
        cause_ids=(),
        steps=0,
    )


def _of_alert(row: Any) -> Trace:
    return Trace(
        kind="alert",
        event_id=row["alert_id"],
        about_id=row["situation_id"] or row["cause_id"],
        at=row["raised_at"],
        what=row["title"],
        status=row["status"],
        source=row["rule"],
        cause_ids=(row["cause_id"],),
        steps=1,
    )


def _of_note(row: Any) -> Trace:
    return Trace(
        kind="acknowledgement",
        event_id=f"{row['alert_id']}:acknowledged",
        about_id=row["alert_id"],
        at=row["at"],
        what=row["reason"],
        status=row["status"],
        source=row["by"],
        cause_ids=(row["alert_id"],),
        steps=1,
    )


def _of_person(row: Any, table: str, what: str, steps: int) -> Trace:
    causes = [row["trigger_id"], row.get("cause_event_id")]
    return Trace(
        kind="movement" if table == "movements" else "exposure",
        event_id=row["event_id"],
        about_id=row["person_id"],
        at=row["at"],
        what=row[what] or "withdrawn",
        status=row["status"],
        source=None,
        cause_ids=tuple(dict.fromkeys(one for one in causes if one)),
        steps=steps,
    )
