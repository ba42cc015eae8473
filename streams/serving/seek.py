"""Finding a person or a cause by what somebody types, and a record as it came."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Table, func, or_, select

from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.kinds import NEVER_SHOWN

MOST_FOUND = 50


class Found(NamedTuple):
    """Something that can be followed; ``title`` is empty for a person."""

    kind: str
    key: str
    title: str


_TITLED = (
    ("incident", t.incidents, "incident_id"),
    ("situation", t.situations, "situation_id"),
    ("advisory", t.advisories, "advisory_id"),
)


def candidates(engine: Engine, text: str, most: int = MOST_FOUND) -> list[Found]:
    """Return what a text may mean: causes by title or id, persons by how an id begins.

    An empty text finds the causes alone, newest first.
    """
    wanted = text.strip()
    found: list[Found] = []
    with engine.connect() as connection:
        for kind, table, key in _TITLED:
            at = table.c.sent_at if kind == "advisory" else table.c.onset_at
            names = (table.c[key], table.c.title)
            query = select(*names).group_by(*names)
            if wanted:
                fits = (table.c.title, table.c[key])
                query = query.where(or_(*(_has(column, wanted) for column in fits)))
            rows = connection.execute(query.order_by(func.max(at).desc(), *names).limit(most))
            found += [Found(kind, row[0], row[1]) for row in rows]
        if wanted:
            found += [Found("person", one, "") for one in _persons(connection, wanted, most)]
    exact = [one for one in found if one.key == wanted]
    return list(dict.fromkeys([*exact, *found]))[:most]


def _has(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return whether a text stands in a column, upper and lower case alike."""
    return column.icontains(text, autoescape=True)


def _persons(connection: Connection, text: str, most: int) -> list[str]:
    registered = j.inputs.c.name == "RegistrationFiled"
    ids: set[str] = set()
    for column, extra in (
        (t.ledger.c.person_id, None),
        (t.exposures.c.person_id, None),
        (j.inputs.c.about, registered),
    ):
        query = select(column).distinct().where(column.startswith(text, autoescape=True))
        if extra is not None:
            query = query.where(extra)
        ids.update(connection.scalars(query.order_by(column).limit(most)))
    return sorted(ids)[:most]


_WHERE: dict[str, tuple[Table, str]] = {
    "exposure": (j.exposure_changes, "event_id"),
    "movement": (t.movements, "event_id"),
    "incident": (t.incidents, "incident_id"),
    "situation": (t.situations, "situation_id"),
    "zone": (t.zones, "zone_id"),
    "advisory": (t.advisories, "advisory_id"),
    "alert": (t.alerts, "alert_id"),
    "acknowledgement": (t.acknowledgements, "alert_id"),
    "silence": (t.silences, "silence_id"),
}


def raw(engine: Engine, kind: str, event_id: str, about_id: str) -> dict[str, Any] | None:
    """Return a record as it came, else its newest state in the store; None if neither.

    Refused records are not given: they may hold what a source should not have sent.
    """
    with engine.connect() as connection:
        query = select(j.inputs.c.body).where(j.inputs.c.event_id == event_id).limit(1)
        body = connection.scalar(query)
        if body is None and kind == "exposure":
            body = _exposure(connection, event_id, about_id)
        if body is None and kind in _WHERE:
            table, key = _WHERE[kind]
            value = event_id if key == "event_id" else about_id
            row = connection.execute(select(table).where(table.c[key] == value)).mappings().first()
            if row is None:
                return None
            body = row.get("body")
            if body is None:
                plain = {name: one for name, one in row.items() if name not in NEVER_SHOWN}
                found: dict[str, Any] = msgspec.to_builtins(plain)
                return found
    if body is None:
        return None
    decoded: dict[str, Any] = msgspec.json.decode(body)
    return decoded


def _exposure(connection: Connection, event_id: str, person_id: str) -> str | None:
    """Return the body of a person's exposure, which has no column for its id."""
    query = select(t.exposures.c.body).where(t.exposures.c.person_id == person_id)
    for body in connection.scalars(query):
        if msgspec.json.decode(body)["event_id"] == event_id:
            return str(body)
    return None
