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

    def zone(self, status: str) -> tuple[str, int, str] | None:
        """Return the key of the zone that an exposure's reason names."""
        if not isinstance(self.reason, dict):
            return None
        return self.reason["zone_id"], self.reason["zone_version"], status


_decode = msgspec.json.Decoder(_Body).decode


def trail_of_person(engine: Engine, person_id: str, most: int = MOST_RECORDS) -> Trail:
    """Return what came in about a person, and what the engine made of it.

    With the zones that flagged them and the incidents and advice behind those.
    """
    with engine.connect() as connection:
        moved = list(_movements(connection, t.movements.c.person_id == person_id, most))
        exposed = t.exposures.c.person_id == person_id
        causes = list(connection.scalars(select(t.exposures.c.cause_id).where(exposed).distinct()))
        found = [
            *_inputs(connection, [person_id], most),
            *_exposures(connection, exposed, most),
            *moved,
            *_causes(connection, causes, most),
        ]
    return _trail(found, most)


def trail_of_cause(engine: Engine, cause_id: str, most: int = MOST_RECORDS) -> Trail:
    """Return the reports of a cause, its versions, zones and alerts, and whom it reached.

    ``cause_id`` is an incident, an advisory or a situation (then of all its
    incidents).
    """
    with engine.connect() as connection:
        query = select(t.incidents.c.incident_id).where(t.incidents.c.situation_id == cause_id)
        causes = [cause_id, *connection.scalars(query)]
        e = t.exposures.c
        moved = list(_movements(connection, t.movements.c.situation_id == cause_id, most))
        found = [
            *_causes(connection, causes, most),
            *_alerts(connection, causes, most),
            *_exposures(connection, or_(e.cause_id.in_(causes), e.situation_id == cause_id), most),
            *moved,
            *_behind(connection, moved, most),
        ]
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


def _inputs(connection: Connection, ids: Sequence[str], most: int) -> Iterator[TrailRecord]:
    i = j.inputs.c
    return _came_in(connection, or_(i.about.in_(ids), i.also.in_(ids)), most)


def _behind(
    connection: Connection, moved: Sequence[TrailRecord], most: int
) -> Iterator[TrailRecord]:
    """Yield the statements and commands that movements rest on."""
    causes = list(dict.fromkeys(cause for one in moved for cause in one.cause_ids))
    for first in range(0, len(causes), IDS_AT_ONCE):
        part = causes[first : first + IDS_AT_ONCE]
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
    rows = list(_rows(connection, t.exposures, where, "since", most))
    zones = _zones(connection, {row["cause_id"] for row in rows})
    for row in rows:
        said = _decode(row["body"])
        zone = zones.get(said.zone(row["status"]))
        yield TrailRecord(
            event_id=said.event_id,
            cause_ids=(*said.cause_ids, *([zone] if zone else [])),
            at=row["until"] or row["since"],
            kind="exposure",
            about_id=row["person_id"],
            what=row["closed"] or row["tier"],
            who=row["person_id"],
            why=" ".join(part for part in (row["band"], row["basis"], row["place"]) if part),
            status=row["status"],
        )


def _zones(
    connection: Connection, cause_ids: Iterable[str]
) -> dict[tuple[str, int, str] | None, str]:
    """Return the event of each zone version of these causes, by its key."""
    query = select(t.zones).where(t.zones.c.cause_id.in_(sorted(cause_ids)))
    rows = connection.execute(query).mappings()
    return {
        (row["zone_id"], row["version"], row["status"]): _decode(row["body"]).event_id
        for row in rows
    }


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


_NOW = {
    "incident": (t.incidents, "incident_id", "onset_at", "headline_source"),
    "advisory": (t.advisories, "advisory_id", "sent_at", "issuer"),
    "situation": (t.situations, "situation_id", "onset_at", "declared_by"),
}


def _causes(connection: Connection, ids: Sequence[str], most: int) -> Iterator[TrailRecord]:
    """Yield incidents, advice, situations and zones, and what came in about them."""
    about = list(ids)
    for kind, (table, key, at, who) in _NOW.items():
        for row in _rows(connection, table, table.c[key].in_(ids), at, most):
            said = _decode(row["body"])
            about += _chains(row["body"])
            yield TrailRecord(
                said.event_id, said.cause_ids, row[at], kind, row[key], row["title"],
                row[who] or "", "", row["status"],
            )  # fmt: skip
    yield from _inputs(connection, about, most)
    z = t.zones.c
    where = or_(z.cause_id.in_(ids), z.situation_id.in_(ids))
    for row in _rows(connection, t.zones, where, "valid_from", most):
        said = _decode(row["body"])
        yield TrailRecord(
            said.event_id, said.cause_ids, row["valid_from"], "zone", row["zone_id"],
            row["band"], row["model"], "corrected" if row["corrected"] else "", row["status"],
        )  # fmt: skip


def _chains(body: str) -> list[str]:
    """Return the chains of reports that an incident joins."""
    members = msgspec.json.decode(body).get("members", ())
    return [member["chain_id"] for member in members]


def _alerts(connection: Connection, ids: Sequence[str], most: int) -> Iterator[TrailRecord]:
    a = t.alerts.c
    raised = {}
    where = or_(a.cause_id.in_(ids), a.situation_id.in_(ids))
    for row in _rows(connection, t.alerts, where, "raised_at", most):
        said = _decode(row["body"])
        raised[row["alert_id"]] = said.event_id
        yield TrailRecord(
            said.event_id, said.cause_ids, row["raised_at"], "alert", row["alert_id"],
            row["title"], row["audience"], row["rule"], row["status"],
        )  # fmt: skip
    taken = t.acknowledgements.c.alert_id.in_(list(raised))
    for row in _rows(connection, t.acknowledgements, taken, "at", most):
        yield TrailRecord(
            f"acknowledged:{row['alert_id']}", (raised[row["alert_id"]],), row["at"],
            "acknowledgement", row["alert_id"], "", row["by"], row["reason"], row["status"],
        )  # fmt: skip
