"""What the analyst looks at: every export as one table of columns.

The same tables are queried with SQL. They hold person ids and positions and
no direct identifiers; bodies of refused records, which may hold what a source
should not have sent, are left out. Read column by column: 43,000 people with
their exposures and movements take about a second.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # as above: no types
from sqlalchemy import Connection, Engine, FromClause, String, Table, select, type_coerce

from schemas.incident import AdvisoryChanged, IncidentChanged, SituationChanged
from schemas.zone import ZoneChanged
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.column_types import Utc
from streams.serving.kinds import (
    BESIDE,
    INSTANT,
    KINDS,
    NEWEST_INPUTS,
    PRESENCE,
    Kind,
    asked_columns,
)
from streams.serving.queries import commands_issued, writer_places

Columns = Mapping[str, Sequence[Any]]


def version(engine: Engine) -> Hashable:
    """Return what changes whenever the store does: the writer's places."""
    return tuple(sorted(writer_places(engine).items()))


def export_frame(engine: Engine, name: str, *, area: bool = False) -> pa.Table:
    """Return all rows of an export, sorted by key, typed the same when empty.

    Persons are those exposed to something, now or before: the store holds no
    others. Their presence is the newest that an exposure was judged by. ``area`` adds the
    areas of zones, as JSON.
    """
    with engine.connect() as connection:
        frame = _export(connection, KINDS[name])
    return frame if area or "areas" not in frame.column_names else frame.drop_columns(["areas"])


def tables(engine: Engine, deliveries: Engine | None = None) -> dict[str, pa.Table]:
    """Return every table that SQL may ask, by name, all of one moment.

    Of what came in: the newest, without registrations. Without ``deliveries``
    (no dispatcher has run) their table is empty.
    """
    with engine.connect() as connection:
        exposed = _exposed(connection)
        found = {
            name: _export(connection, kind, exposed)
            for name, kind in KINDS.items()
            if name != "deliveries"
        }
        for table in BESIDE:
            found[table.name] = _plain(connection, table)
        came_in = j.inputs.c.name != "RegistrationFiled"
        newest = (j.inputs.c.received_at.desc(), *j.inputs.primary_key.columns)
        query = select(j.inputs).where(came_in).order_by(*newest).limit(NEWEST_INPUTS).subquery()
        found[j.inputs.name] = _plain(connection, j.inputs, query)
    columns = asked_columns()
    sent = KINDS["deliveries"].columns()
    found["deliveries"] = (
        _table(dict.fromkeys(sent, ()), sent)
        if deliveries is None
        else export_frame(deliveries, "deliveries")
    )
    found["closed_exposures"] = exposed.frame.filter(pc.is_valid(exposed.frame["closed"]))
    return {name: found[name].select(list(columns[name])) for name in columns}


class _Exposed(NamedTuple):
    """All exposures, closed ones too, and which tells best where somebody is.

    ``newest`` are rows of the frame by (person, status), in that order.
    """

    frame: pa.Table
    newest: dict[tuple[str, str], int]
    opened: dict[tuple[str, str], int]


def _export(connection: Connection, kind: Kind, exposed: _Exposed | None = None) -> pa.Table:
    if kind.name in _PEOPLE:
        return _PEOPLE[kind.name](connection, exposed or _exposed(connection))
    if kind.name == "alerts":
        return _alerts(connection, kind)
    if kind.name == "commands":
        return _commands(connection, kind)
    if kind.name not in _SAID:
        return _table(_read(connection, kind.table, kind.own), kind.columns())
    columns = dict(_read(connection, kind.table, [*kind.own, "body"]))
    columns.update(_SAID[kind.name](columns.pop("body")))
    return _table(columns, kind.columns(area=True))


def _plain(connection: Connection, table: Table, of: FromClause | None = None) -> pa.Table:
    types = asked_columns()[table.name]
    return _table(_read(connection, table, list(types), of), types)


def _read(
    connection: Connection, table: Table, names: Sequence[str], of: FromClause | None = None
) -> Columns:
    """Return columns of a table in the order of its key, times as they are stored.

    ``of`` is a part of the table to read instead of all.
    """
    source = table if of is None else of
    columns = [source.c[name] for name in names]
    raw = [type_coerce(one, String) if isinstance(one.type, Utc) else one for one in columns]
    key = [source.c[column.name] for column in table.primary_key.columns]
    rows = connection.execute(select(*raw).order_by(*key)).all()
    return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))


def _table(columns: Columns, types: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table({name: _array(columns[name], kind) for name, kind in types.items()})


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return an Arrow column; times as texts are read as UTC."""
    if kind != INSTANT or not any(isinstance(value, str) for value in values):
        return pa.array(values, kind)
    texts = pa.array([value and value.removesuffix("Z") for value in values], pa.string())
    return texts.cast(pa.timestamp("us")).cast(INSTANT)


class _Reason(msgspec.Struct, frozen=True, gc=False):
    """The parts of a reason that are no columns; our own writer has checked them."""

    zone_id: str
    zone_version: int
    cause_title: str
    model: str
    admin1: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    distance_m: float | None = None
    p_inside: float | None = None


class _Body(msgspec.Struct, frozen=True, gc=False):
    reason: _Reason


def _exposed(connection: Connection) -> _Exposed:
    kind = KINDS["exposures"]._replace(leave=frozenset())
    columns = dict(_read(connection, kind.table, [*kind.own, "body"]))
    decode = msgspec.json.Decoder(_Body).decode
    reasons = [decode(body).reason for body in columns.pop("body")]
    for name, _ in kind.more:
        columns[name] = [getattr(reason, name) for reason in reasons]
    frame = _table(columns, kind.columns())
    instants = pc.fill_null(frame["as_of"].cast(pa.int64()), 0).to_pylist()
    newest: dict[tuple[str, str], int] = {}
    opened: dict[tuple[str, str], int] = {}
    keys = zip(columns["person_id"], columns["status"], columns["closed"], strict=True)
    for index, (person_id, status, closed) in enumerate(keys):
        key = (person_id, status)
        opened[key] = opened.get(key, 0) + (closed is None)
        if key not in newest or instants[index] > instants[newest[key]]:
            newest[key] = index
    return _Exposed(frame, dict(sorted(newest.items())), opened)


def _exposures(_: Connection, exposed: _Exposed) -> pa.Table:
    still = exposed.frame.filter(pc.is_null(exposed.frame["closed"]))
    return still.select(list(KINDS["exposures"].columns()))


def _persons(_: Connection, exposed: _Exposed) -> pa.Table:
    names = [name for name in KINDS["persons"].columns() if name != "open_exposures"]
    frame = exposed.frame.select(names).take(pa.array(exposed.newest.values(), pa.int64()))
    counts = [exposed.opened[key] for key in exposed.newest]
    return frame.append_column("open_exposures", pa.array(counts, pa.int64()))


def _ledger(connection: Connection, exposed: _Exposed) -> pa.Table:
    kind = KINDS["ledger"]
    columns = _read(connection, kind.table, kind.own)
    keys = zip(columns["person_id"], columns["status"], strict=True)
    places = pa.array([exposed.newest.get(key) for key in keys], pa.int64())
    presence = exposed.frame.select([name for name, _ in PRESENCE]).take(places)
    frame = _table(columns, {name: kind.columns()[name] for name in kind.own})
    for name, column in zip(presence.column_names, presence.columns, strict=True):
        frame = frame.append_column(name, column)
    return frame


def _of_incidents(bodies: Sequence[str]) -> Columns:
    said = [msgspec.json.decode(body, type=IncidentChanged) for body in bodies]
    return {"severity": [one.severity.value for one in said]}


def _of_zones(bodies: Sequence[str]) -> Columns:
    said = [msgspec.json.decode(body, type=ZoneChanged) for body in bodies]
    columns = {name: [getattr(one, name) for one in said] for name, _ in KINDS["zones"].more}
    return columns | {"areas": [msgspec.json.encode(one.areas).decode() for one in said]}


def _of_advisories(bodies: Sequence[str]) -> Columns:
    said = [msgspec.json.decode(body, type=AdvisoryChanged) for body in bodies]
    return {"previous_level": [one.previous_level for one in said]}


def _of_situations(bodies: Sequence[str]) -> Columns:
    said = [msgspec.json.decode(body, type=SituationChanged) for body in bodies]
    return {
        "incident_ids": [" ".join(one.incident_ids) for one in said],
        "reason": [one.reason for one in said],
    }


def _alerts(connection: Connection, kind: Kind) -> pa.Table:
    """Return alerts with who took note of each."""
    taken = t.acknowledgements
    columns = dict(_read(connection, kind.table, kind.own))
    rows = connection.execute(select(taken)).mappings()
    by_id = {row["alert_id"]: row for row in rows}
    for name in ("by", "at", "reason"):
        found = [by_id.get(alert_id) for alert_id in columns["alert_id"]]
        columns[f"acknowledged_{name}"] = [one and one[name] for one in found]
    return _table(columns, kind.columns())


def _commands(connection: Connection, kind: Kind) -> pa.Table:
    """Return what officers ordered, each once; geometry is left to the zones."""
    said = commands_issued(connection)
    columns = {name: [getattr(one, name) for one in said] for name in kind.columns()}
    columns["incident_ids"] = [" ".join(one.incident_ids) for one in said]
    return _table(columns, kind.columns())


_PEOPLE: dict[str, Callable[[Connection, _Exposed], pa.Table]] = {
    "persons": _persons,
    "exposures": _exposures,
    "ledger": _ledger,
}

_SAID: dict[str, Callable[[Sequence[str]], Columns]] = {
    "incidents": _of_incidents,
    "zones": _of_zones,
    "advisories": _of_advisories,
    "situations": _of_situations,
}
