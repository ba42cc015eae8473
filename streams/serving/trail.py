"""All records about a person or of a cause, each with what it follows from.

The links are those the engine itself gave: ``cause_ids`` of its outputs, the
statement a movement rests on and the record with which it was found.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Table, or_, select

from streams.serving import journals as j
from streams.serving import tables as t

MOST_RECORDS = 5_000
IDS_AT_ONCE = 10_000
"""So many ids one statement of SQLite takes with ease."""


class TrailRecord(NamedTuple):
    """One record: what happened, who stands behind it, and what it follows from.

    ``kind`` is the name of a message that came in, or incident, situation,
    zone, advisory, exposure, movement, alert, acknowledgement or silence.
    ``what`` is its outcome: a word of the code lists, or a title. ``who`` is a
    person, a user, a source or, of a movement, who stands behind it.
    """

    event_id: str
    cause_ids: tuple[str, ...]
    at: datetime
    kind: str
    about_id: str
    what: str
    who: str
    why: str
    status: str


_FLOW = (
    "incident", "situation", "advisory", "zone", "exposure", "movement", "alert",
    "acknowledgement",
)  # fmt: skip
"""What the engine makes, in the order in which one follows from the other."""


def in_time(record: TrailRecord) -> tuple[datetime, int, str]:
    """Return the order of records: by time, of one instant as they follow."""
    place = _FLOW.index(record.kind) + 1 if record.kind in _FLOW else 0
    return record.at, place, record.event_id


class Trail(NamedTuple):
    """Records by time; ``whole`` False: these are the first of more."""

    records: tuple[TrailRecord, ...]
    whole: bool


class _Body(msgspec.Struct, frozen=True):
    """The parts of a message that say what it follows from, and who said it."""

    event_id: str
    cause_ids: tuple[str, ...] = ()
    by: str | None = None
    reason: Any = None


_decode = msgspec.json.Decoder(_Body).decode


def trail_of_person(engine: Engine, person_id: str, most: int = MOST_RECORDS) -> Trail:
    """Return what came in about a person, and what the engine made of it.

    With the zones that flagged them and the incidents and advice behind those.
    """
    e = j.exposure_changes.c
    with engine.connect() as connection:
        query = select(e.cause_id).where(e.person_id == person_id).distinct()
        found = [
            *_came_in(connection, _about([person_id]), most),
            *_exposures(connection, e.person_id == person_id, most),
            *_movements(connection, t.movements.c.person_id == person_id, most),
            *_causes(connection, list(connection.scalars(query)), most),
            *_alerts(connection, t.alerts.c.person_id == person_id, most),
        ]
    return _trail(found, most)


def trail_of_cause(engine: Engine, cause_id: str, most: int = MOST_RECORDS) -> Trail:
    """Return the reports of a cause, its versions, zones and alerts, and whom it reached.

    ``cause_id`` is an incident, an advisory or a situation (then of all its
    incidents).
    """
    a, e, m = t.alerts.c, j.exposure_changes.c, t.movements.c
    with engine.connect() as connection:
        query = select(t.incidents.c.incident_id).where(t.incidents.c.situation_id == cause_id)
        causes = list(dict.fromkeys([cause_id, *connection.scalars(query)]))
        exposed = or_(e.cause_id.in_(causes), e.situation_id == cause_id)
        raised = or_(a.cause_id.in_(causes), a.situation_id == cause_id)
        found = [
            *_causes(connection, causes, most),
            *_alerts(connection, raised, most),
            *_exposures(connection, exposed, most),
            *_movements(connection, m.situation_id == cause_id, most),
        ]
        found += _behind(connection, found, most)
    return _trail(found, most)


def _trail(found: Sequence[TrailRecord], most: int) -> Trail:
    by_id = {one.event_id: one for one in sorted(found, key=in_time)}
    return Trail(tuple(by_id.values())[:most], len(by_id) <= most)


def _rows(
    connection: Connection, table: Table, where: ColumnElement[bool], order: str, most: int
) -> Iterator[Any]:
    """Yield the first rows, one more than ``most``, so that "more" can be told."""
    key = table.primary_key.columns
    query = select(table).where(where).order_by(table.c[order], *key).limit(most + 1)
    yield from connection.execute(query).mappings()


def _about(ids: Sequence[str]) -> ColumnElement[bool]:
    return or_(j.inputs.c.about.in_(ids), j.inputs.c.also.in_(ids))


def _behind(
    connection: Connection, found: Sequence[TrailRecord], most: int
) -> Iterator[TrailRecord]:
    """Yield what came in from which the records found follow and that is not among them."""
    here = {one.event_id for one in found}
    causes = dict.fromkeys(cause for one in found for cause in one.cause_ids)
    missing = [cause for cause in causes if cause not in here]
    for first in range(0, len(missing), IDS_AT_ONCE):
        part = missing[first : first + IDS_AT_ONCE]
        yield from _came_in(connection, j.inputs.c.event_id.in_(part), most)


def _came_in(
    connection: Connection, where: ColumnElement[bool], most: int
) -> Iterator[TrailRecord]:
    for row in _rows(connection, j.inputs, where, "occurred_at", most):
        said = _decode(row["body"])
        yield TrailRecord(
            event_id=row["event_id"],
            cause_ids=said.cause_ids,
            at=row["occurred_at"],
            kind=row["name"],
            about_id=row["about"],
            what=row["what"] or "",
            who=said.by or row["source"],
            why=said.reason if isinstance(said.reason, str) else "",
            status=row["status"],
        )


def _exposures(
    connection: Connection, where: ColumnElement[bool], most: int
) -> Iterator[TrailRecord]:
    rows = list(_rows(connection, j.exposure_changes, where, "at", most))
    zones = _zones(connection, {row["cause_id"] for row in rows})
    for row in rows:
        zone = zones.get((row["cause_id"], row["band"], row["zone_version"], row["status"]))
        over = row["change"] == "closed"
        yield TrailRecord(
            event_id=row["event_id"],
            cause_ids=tuple(one for one in (row["trigger_id"], zone) if one),
            at=row["at"],
            kind="exposure",
            about_id=row["person_id"],
            what=(row["why"] if over else None) or row["tier"],
            who="engine",
            why=row["band"],
            status=row["status"],
        )


def _zones(
    connection: Connection, cause_ids: Iterable[str]
) -> dict[tuple[str, str, int, str], str]:
    """Return the event of each zone version, by cause, band, version and status."""
    z = t.zones.c
    query = select(z.cause_id, z.band, z.version, z.status, z.body)
    rows = connection.execute(query.where(z.cause_id.in_(sorted(cause_ids))))
    return {(row[0], row[1], row[2], row[3]): _decode(row[4]).event_id for row in rows}


def _movements(
    connection: Connection, where: ColumnElement[bool], most: int
) -> Iterator[TrailRecord]:
    for row in _rows(connection, t.movements, where, "at", most):
        causes = (row["cause_event_id"], row["trigger_id"])
        yield TrailRecord(
            event_id=row["event_id"],
            cause_ids=tuple(one for one in causes if one),
            at=row["at"],
            kind="movement",
            about_id=row["person_id"],
            what=row["to_bucket"] or "withdrawn",
            who=row["by_user"] or row["by"],
            why=row["why"],
            status=row["status"],
        )


def _causes(connection: Connection, ids: Sequence[str], most: int) -> Iterator[TrailRecord]:
    """Yield every version of incidents, advice, situations and zones, and their reports."""
    v = j.versions.c
    where = or_(v.about_id.in_(ids), v.cause_id.in_(ids))
    for row in _rows(connection, j.versions, where, "offset", most):
        yield TrailRecord(
            event_id=row["event_id"],
            cause_ids=(row["trigger_id"],) if row["trigger_id"] else (),
            at=row["at"],
            kind=row["kind"],
            about_id=row["about_id"],
            what=row["about_id"].rpartition("/")[2] if row["kind"] == "zone" else row["title"],
            who="engine",
            why="void" if row["void"] else row["life"],
            status=row["status"],
        )
    bodies = select(t.incidents.c.body).where(t.incidents.c.incident_id.in_(ids))
    chains = [chain for body in connection.scalars(bodies) for chain in _chains(body)]
    yield from _came_in(connection, _about([*ids, *chains]), most)


def _chains(body: str) -> list[str]:
    """Return the chains of reports that an incident joins."""
    members = msgspec.json.decode(body).get("members", ())
    return [member["chain_id"] for member in members]


def _alerts(connection: Connection, where: ColumnElement[bool], most: int) -> Iterator[TrailRecord]:
    raised = {}
    for row in _rows(connection, t.alerts, where, "raised_at", most):
        said = _decode(row["body"])
        raised[row["alert_id"]] = said.event_id
        yield TrailRecord(
            event_id=said.event_id,
            cause_ids=said.cause_ids,
            at=row["raised_at"],
            kind="alert",
            about_id=row["alert_id"],
            what=row["title"],
            who=row["audience"],
            why=row["rule"],
            status=row["status"],
        )
    taken = t.acknowledgements.c.alert_id.in_(list(raised))
    for row in _rows(connection, t.acknowledgements, taken, "at", most):
        yield TrailRecord(
            event_id=f"acknowledged:{row['alert_id']}",
            cause_ids=(raised[row["alert_id"]],),
            at=row["at"],
            kind="acknowledgement",
            about_id=row["alert_id"],
            what="",
            who=row["by"],
            why=row["reason"],
            status=row["status"],
        )
