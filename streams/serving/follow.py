"""Following a cause: what mentions it, what came of it, and of that again."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Table, or_, select

from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.people_answers import Trace, Trail

MAX_STEPS = 6
"""How far a cause is followed; from a report to an acknowledgement are five."""

PORTION = 500
"""Ids that one statement looks for."""


class _Kept(msgspec.Struct):
    """What is read of a body: its own id and its causes."""

    event_id: str
    source: str
    cause_ids: tuple[str, ...] = ()


_kept = msgspec.json.Decoder(_Kept)


class _Place(NamedTuple):
    """Where records stand, which columns name a cause, and what they tell."""

    table: Table
    mentions: tuple[str, ...]
    caused: tuple[str, ...]
    tell: Callable[[Any], dict[str, Any]]


def _of_input(row: Any) -> dict[str, Any]:
    said = _kept.decode(row["body"])
    return {
        "kind": row["name"],
        "event_id": row["event_id"],
        "about_id": row["about"],
        "at": row["received_at"],
        "what": row["what"] or row["name"],
        "source": row["source"],
        "cause_ids": said.cause_ids,
    }


def _of_version(row: Any) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "event_id": row["event_id"],
        "about_id": row["about_id"],
        "at": row["at"],
        "what": "void" if row["void"] else row["life"],
        "source": None,
        "cause_ids": _causes(row["trigger_id"]),
    }


def _of_movement(row: Any) -> dict[str, Any]:
    return {
        "kind": "movement",
        "event_id": row["event_id"],
        "about_id": row["person_id"],
        "at": row["at"],
        "what": row["to_bucket"] or "withdrawn",
        "source": row["by_user"] or row["by"],
        "cause_ids": _causes(row["cause_event_id"], row["trigger_id"]),
    }


def _of_exposure(row: Any) -> dict[str, Any]:
    return {
        "kind": "exposure",
        "event_id": row["event_id"],
        "about_id": row["person_id"],
        "at": row["received_at"],
        "what": row["change"],
        "source": None,
        "cause_ids": _causes(row["trigger_id"]),
    }


def _of_acknowledgement(row: Any) -> dict[str, Any]:
    return {
        "kind": "acknowledgement",
        "event_id": f"acknowledged:{row['alert_id']}",
        "about_id": row["alert_id"],
        "at": row["at"],
        "what": row["reason"],
        "source": row["by"],
        "cause_ids": (row["alert_id"],),
    }


def _causes(*ids: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in ids if one is not None))


_PLACES = (
    _Place(j.inputs, ("event_id", "about", "also"), ("trigger_id",), _of_input),
    _Place(j.versions, ("event_id", "about_id", "cause_id"), ("trigger_id",), _of_version),
    _Place(
        j.exposure_changes, ("event_id", "person_id", "cause_id"), ("trigger_id",), _of_exposure
    ),
    _Place(
        t.movements,
        ("event_id", "person_id"),
        ("cause_event_id", "trigger_id"),
        _of_movement,
    ),
    _Place(t.acknowledgements, ("alert_id",), ("alert_id",), _of_acknowledgement),
)
"""Places that are searched by their indexes."""

_WITH_BODY = ((t.alerts, "alert", "alert_id", "rule", "raised_at", ("cause_id", "person_id")),)
"""A place with few rows, whose causes stand in their bodies: read whole, once."""


def follow(engine: Engine, cause: str, *, limit: int = 1_000) -> Trail:
    """Return what mentions an id and what follows from it, at most ``limit``.

    ``cause`` is the id of an event, or of what events are about: a person, a
    chain of reports, an incident, an advisory, an alert.
    """
    with engine.connect() as connection:
        bodies = list(_bodies(connection))
        found: dict[str, Trace] = {}
        wanted: set[str] = {cause}
        for step in range(MAX_STEPS + 1):
            news = list(_step(connection, bodies, wanted, step, limit + 1))
            wanted = set()
            for trace in news:
                if trace.event_id not in found:
                    found[trace.event_id] = trace
                    wanted.add(trace.event_id)
            if not wanted or len(found) > limit:
                break
    traces = sorted(found.values(), key=lambda one: (one.steps, one.at, one.event_id))[:limit]
    traces.sort(key=lambda one: (one.at, one.steps, one.event_id))
    return Trail(traces=tuple(traces), whole=len(found) <= limit)


def _step(
    connection: Connection,
    bodies: list[tuple[Trace, tuple[str, ...]]],
    wanted: set[str],
    step: int,
    limit: int,
) -> Iterator[Trace]:
    """Yield what is caused by any of ``wanted``; at the first step, what mentions it too."""
    for place in _PLACES:
        names = (*place.caused, *(place.mentions if step == 0 else ()))
        for part in _portions(wanted):
            for row in _rows(connection, place.table, names, part, limit):
                yield Trace(status=row["status"], steps=step, **place.tell(row))
    for trace, mentioned in bodies:
        if not wanted.isdisjoint(trace.cause_ids) or (
            step == 0 and not wanted.isdisjoint((*mentioned, trace.event_id, trace.about_id))
        ):
            yield msgspec.structs.replace(trace, steps=step)


def _rows(
    connection: Connection, table: Table, names: Collection[str], ids: list[str], limit: int
) -> Iterator[Any]:
    if names:
        conditions: list[ColumnElement[bool]] = [table.c[name].in_(ids) for name in names]
        query = select(table).where(or_(*conditions)).limit(limit)
        yield from connection.execute(query).mappings()


def _bodies(connection: Connection) -> Iterator[tuple[Trace, tuple[str, ...]]]:
    for table, kind, about, what, at, mentions in _WITH_BODY:
        names = dict.fromkeys((about, what, at, "status", "body", *mentions))
        for row in connection.execute(select(*(table.c[n] for n in names))).mappings():
            said = _kept.decode(row["body"])
            mentioned = tuple(row[name] for name in mentions if row[name] is not None)
            yield (
                Trace(
                    kind=kind,
                    event_id=said.event_id,
                    about_id=row[about],
                    at=row[at],
                    what=row[what],
                    status=row["status"],
                    source=said.source,
                    cause_ids=said.cause_ids,
                    steps=0,
                ),
                mentioned,
            )


def _portions(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for first in range(0, len(ordered), PORTION):
        yield ordered[first : first + PORTION]
