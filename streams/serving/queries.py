"""Questions to the serving store: read-only, with typed answers."""

import difflib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Table, and_, func, select

from schemas.alert import AlertRaised, SituationSummed
from schemas.codelists import Bucket, Status, Tier
from schemas.command import CommandIssued
from schemas.incident import SituationChanged
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.answers import (
    AdvisoryNow,
    AlertNow,
    Answer,
    Completeness,
    DeadLetter,
    FaultNow,
    FeedNow,
    Imbalance,
    IncidentNow,
    SituationNow,
    StatusNow,
    TotalNow,
)

A = TypeVar("A", bound=Answer)

_LETTERS_OPEN = (
    select(func.count()).select_from(t.deadletters).where(t.deadletters.c.retried_at.is_(None))
)

INSIDE = frozenset({"traceback", "trigger_id"})
"""Columns that are for looking into one row, and no part of a journal."""


def status(engine: Engine) -> StatusNow:
    """Return the wall's numbers, all read in one transaction."""
    with engine.connect() as connection:
        incidents = _incidents(connection)
        totals = _totals(connection)
        situations = _situations(connection, incidents, _newest(totals))
        ticks = [total.completeness.as_of for total in totals]
        ticks += [one.completeness.as_of for one in situations if one.completeness]
        return StatusNow(
            as_of=max(ticks, default=None),
            affected=next(
                (one.distinct_known for one in totals if one.status == Status.ACTUAL), None
            ),
            totals=totals,
            situations=situations,
            advisories=_advisories(connection),
            incidents=tuple(incidents[None]),
            alerts=_open_alerts(connection),
            feeds=_feeds(connection),
            faults=_faults(connection),
            dead_letters=connection.scalar(_LETTERS_OPEN) or 0,
            skipped=sum(total.skipped for total in totals) if totals else None,
        )


def journal(engine: Engine, kind: str, situation_id: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of a journal, by time and id, as plain values.

    ``kind`` is movements, each with the reason an officer gave for it, commands
    (all acts of officers), deadletters, or alerts with their acknowledgement.
    """
    if kind == "commands":
        return commands(engine, situation_id)
    table, at, key = {
        "movements": (t.movements, t.movements.c.at, t.movements.c.event_id),
        "alerts": (t.alerts, t.alerts.c.raised_at, t.alerts.c.alert_id),
        "deadletters": (t.deadletters, t.deadletters.c.at, t.deadletters.c.event_id),
    }[kind]
    query = select(*(column for column in table.columns if column.name not in INSIDE))
    if kind == "alerts":
        taken = t.acknowledgements
        query = select(
            *(column for column in t.alerts.columns if column.name != "person_id"),
            taken.c.by.label("acknowledged_by"),
            taken.c.at.label("acknowledged_at"),
            taken.c.reason.label("acknowledged_reason"),
        ).join_from(t.alerts, taken, t.alerts.c.alert_id == taken.c.alert_id, isouter=True)
    if situation_id is not None:
        query = query.where(table.c.situation_id == situation_id)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query.order_by(at, key)).mappings()]
        given = _reasons(connection, situation_id) if kind == "movements" else {}
    if kind == "movements":
        for row in rows:
            row["reason"] = given.get(row["cause_event_id"])
    if kind == "alerts":
        for row in rows:
            row["facts"] = msgspec.json.decode(row.pop("body"), type=AlertRaised).facts
    return rows


def commands(engine: Engine, situation_id: str | None = None) -> list[dict[str, Any]]:
    """Return what officers have ordered: who, when, in which role, why, and what.

    Each once, by time and id; geometry is left to the export of zones. To a
    situation also belong the orders about its incidents and its alerts.
    """
    with engine.connect() as connection:
        said = commands_issued(connection)
        if situation_id is not None:
            mine = _causes_of(connection, situation_id)
            said = [one for one in said if mine & _about(one)]
    names = [name for name in CommandIssued.__struct_fields__ if name not in {"areas", "cause_ids"}]
    return [{name: getattr(one, name) for name in names} for one in said]


def commands_issued(connection: Connection) -> list[CommandIssued]:
    """Return what officers have ordered, each once, by time and id."""
    query = select(j.inputs.c.body).where(j.inputs.c.name == CommandIssued.__name__)
    said = (msgspec.json.decode(one, type=CommandIssued) for one in connection.scalars(query))
    once = {one.event_id: one for one in said}
    return sorted(once.values(), key=lambda one: (one.occurred_at, one.event_id))


def _reasons(connection: Connection, situation_id: str | None) -> dict[str, str]:
    """Return the reasons of the commands that movements rest on, by event_id.

    What rests on a command has its ``by_user``; asking those alone spares a
    look at every record that ever came in.
    """
    moved = select(t.movements.c.cause_event_id).where(t.movements.c.by_user.is_not(None))
    if situation_id is not None:
        moved = moved.where(t.movements.c.situation_id == situation_id)
    c = j.inputs.c
    query = select(c.body).where(c.name == CommandIssued.__name__, c.event_id.in_(moved))
    said = (msgspec.json.decode(one, type=CommandIssued) for one in connection.scalars(query))
    return {one.event_id: one.reason for one in said}


def _causes_of(connection: Connection, situation_id: str) -> set[str | None]:
    """Return a situation's id and those of its incidents and alerts."""
    columns = (
        (t.incidents.c.incident_id, t.incidents.c.situation_id),
        (t.alerts.c.alert_id, t.alerts.c.situation_id),
    )
    found: set[str | None] = {situation_id}
    for own, of in columns:
        found.update(connection.scalars(select(own).where(of == situation_id)))
    return found


def _about(command: CommandIssued) -> set[str | None]:
    return {command.situation_id, command.incident_id, command.alert_id, *command.incident_ids}


def dead_letters(engine: Engine) -> list[DeadLetter]:
    """Return all dead letters, oldest first; of one payload in its order."""
    order = ("at", "topic", "partition", "offset", "event_id")
    with engine.connect() as connection:
        return [_pick(DeadLetter, row) for row in _rows(connection, t.deadletters, *order)]


def writer_places(engine: Engine) -> dict[tuple[str, int], int]:
    """Return how far the writer has come: next offset by topic and partition."""
    with engine.connect() as connection:
        rows = connection.execute(select(t.writer_offsets)).all()
        return {(row.topic, row.partition): row.next_offset for row in rows}


def written(connection: Connection) -> int:
    """Return a number that grows with all that the writer writes; cheap to ask for."""
    found = connection.scalar(select(func.sum(t.writer_offsets.c.next_offset)))
    return int(found or 0)


def nearest_id(engine: Engine, key: str, wanted: str) -> tuple[bool, str | None]:
    """Return whether an id is there, and else the one most like it.

    ``key`` is situation_id (aliases count), incident_id or alert_id.
    """
    table = {"situation_id": t.situations, "incident_id": t.incidents, "alert_id": t.alerts}[key]
    with engine.connect() as connection:
        known = set(connection.scalars(select(table.c[key])))
        if table is t.situations:
            for body in connection.scalars(select(table.c.body)):
                known.update(msgspec.json.decode(body, type=SituationChanged).aliases)
    near = difflib.get_close_matches(wanted, known, n=1)
    return wanted in known, near[0] if near else None


def _pick(kind: type[A], row: Any, **more: Any) -> A:
    """Return an answer of a row: the columns named as its fields, and more."""
    names = {field.name for field in msgspec.structs.fields(kind)} - set(more)
    return kind(**{name: row[name] for name in names}, **more)


def _rows(connection: Connection, table: Table, *order: str) -> Iterator[Any]:
    yield from connection.execute(select(table).order_by(*(table.c[o] for o in order))).mappings()


def _incidents(connection: Connection) -> dict[str | None, list[IncidentNow]]:
    """Return all incidents by situation; None for those of none."""
    by_situation: dict[str | None, list[IncidentNow]] = defaultdict(list)
    for row in _rows(connection, t.incidents, "onset_at", "incident_id"):
        by_situation[row["situation_id"]].append(_pick(IncidentNow, row))
    return by_situation


def _totals(connection: Connection) -> tuple[TotalNow, ...]:
    rows = _rows(connection, t.totals, "status")
    return tuple(_pick(TotalNow, row, completeness=completeness_of(row)) for row in rows)


def completeness_of(row: Any) -> Completeness:
    """Return the shards behind a row of totals or sums."""
    return Completeness(
        reached=row["reached"],
        shards=row["shards"],
        as_of=row["tick_at"],
        complete=row["reached"] == row["shards"],
    )


def holding(row: Any, newest: Completeness | None) -> Completeness:
    """Return what stands behind a sum now.

    The room repeats a sum only when it changed; at a later tick it holds with
    that tick's completeness.
    """
    own = completeness_of(row)
    return newest if newest is not None and newest.as_of > own.as_of else own


def _situations(
    connection: Connection,
    incidents: dict[str | None, list[IncidentNow]],
    newest: Completeness | None,
) -> tuple[SituationNow, ...]:
    """Return live situations, then ended, then closed ones; newest onset first.

    Ended: it has incidents, and none of them is active any more.
    """
    sums = {(row["situation_id"], row["status"]): row for row in _rows(connection, t.sums)}
    counted = connection.execute(
        select(t.ledger.c.situation_id, t.ledger.c.status, func.count())
        .where(t.ledger.c.bucket != Bucket.DUPLICATE)
        .group_by(t.ledger.c.situation_id, t.ledger.c.status)
    )
    rows_known = {(situation_id, status): count for situation_id, status, count in counted}
    answers = []
    for row in _rows(connection, t.situations, "situation_id"):
        key = (row["situation_id"], row["status"])
        answers.append(
            _pick(
                SituationNow,
                row,
                rows_known=rows_known.get(key, 0),
                incidents=tuple(one for one in incidents[key[0]] if one.status == row["status"]),
                **_sum(sums.get(key), rows_known.get(key, 0), newest),
            )
        )
    answers.sort(key=lambda one: one.onset_at, reverse=True)
    answers.sort(key=lambda one: (one.closed, not _live(one)))
    return tuple(answers)


def _live(one: SituationNow) -> bool:
    return not one.incidents or any(
        incident.life in {"reported", "active"} for incident in one.incidents
    )


def _newest(totals: tuple[TotalNow, ...]) -> Completeness | None:
    """Return the completeness of the last tick that was summed at all."""
    return max((one.completeness for one in totals), key=lambda c: c.as_of, default=None)


def _sum(row: Any, rows_known: int, newest: Completeness | None) -> dict[str, Any]:
    """Return the summed fields of a situation; all None before the first sum."""
    if row is None:
        names = "known buckets tiers inbound withdrawn completeness imbalance"
        return dict.fromkeys(names.split())
    said = msgspec.json.decode(row["body"], type=SituationSummed)
    buckets = {bucket.value: 0 for bucket in Bucket}
    buckets.update({one.bucket.value: one.count for one in said.buckets})
    in_known = sum(count for bucket, count in buckets.items() if bucket != Bucket.DUPLICATE)
    tiers = {tier.value: 0 for tier in Tier if tier is not Tier.INBOUND}
    return {
        "known": said.known,
        "buckets": buckets,
        "tiers": {**tiers, **said.tiers},
        "inbound": said.inbound,
        "withdrawn": said.withdrawn,
        "completeness": holding(row, newest),
        "imbalance": Imbalance(
            room=said.imbalance, buckets=said.known - in_known, store=rows_known - said.known
        ),
    }


def _advisories(connection: Connection) -> tuple[AdvisoryNow, ...]:
    """Return the advice in force that draws a zone, with its people."""
    counted = connection.execute(
        select(t.exposures.c.cause_id, t.exposures.c.status, t.exposures.c.tier, func.count())
        .where(t.exposures.c.advisory, t.exposures.c.closed.is_(None))
        .group_by(t.exposures.c.cause_id, t.exposures.c.status, t.exposures.c.tier)
    )
    people: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: {tier.value: 0 for tier in Tier}
    )
    for cause_id, status_, tier, count in counted:
        people[cause_id, status_][tier] = count
    query = (
        select(t.advisories)
        .where(and_(t.advisories.c.zoned, t.advisories.c.change != "ended"))
        .order_by(t.advisories.c.advisory_id)
    )
    return tuple(
        _pick(AdvisoryNow, row, tiers=people[row["advisory_id"], row["status"]])
        for row in connection.execute(query).mappings()
    )


def _open_alerts(connection: Connection) -> tuple[AlertNow, ...]:
    taken = select(t.acknowledgements.c.alert_id)
    query = (
        select(t.alerts)
        .where(t.alerts.c.alert_id.not_in(taken), t.alerts.c.silence_id.is_(None))
        .order_by(t.alerts.c.raised_at, t.alerts.c.alert_id)
    )
    return tuple(_pick(AlertNow, row) for row in connection.execute(query).mappings())


def _feeds(connection: Connection) -> tuple[FeedNow, ...] | None:
    rows = tuple(_pick(FeedNow, row) for row in _rows(connection, t.feed_health, "feed"))
    return rows or None


def _faults(connection: Connection) -> tuple[FaultNow, ...]:
    rows = _rows(connection, t.faults, "stage", "partition", "fault")
    return tuple(_pick(FaultNow, row) for row in rows)
