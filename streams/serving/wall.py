"""The wall's snapshot: all that a screen in the room shows, of one moment.

It is asked for every second, so what is costly stays out of it: the geometry
of zones is not read, and the rows of the ledger, the third figure, are counted
anew only every few seconds (``third_figure``).
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, select

from geo.cities import area_centre
from schemas.alert import SituationSummed
from schemas.codelists import Bucket, Status, Tier
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving import wall_answers as w
from streams.serving import wall_reads as reads
from streams.serving.answers import Completeness, Imbalance
from streams.serving.figures import TREND_SPAN, Minute, area_name, changes, trend
from streams.serving.queries import completeness_of, holding
from streams.serving.rows import HEADLINE
from streams.serving.runtime import read_runtime
from streams.serving.suppression import suppressed
from streams.serving.third_figure import Key, third_figure
from streams.serving.wall_zones import bands_in_force, zones

__all__ = ["snapshot", "zones"]

SUM = ("known", "inbound", "withdrawn", "imbalance", "reached", "shards", "tick_at")


class _Totals(NamedTuple):
    """The sums over all situations, and as of when there is any sum."""

    as_of: datetime | None
    newest: Completeness | None
    affected: int | None
    people: int | None
    skipped: int | None


def snapshot(engine: Engine) -> w.WallNow:
    """Return what the wall shows now, all read in one transaction."""
    with engine.connect() as connection:
        runtime = read_runtime(connection)
        rows = _situation_rows(connection)
        totals = _totals(connection, rows)
        counted = third_figure(
            connection, {key: row["known"] for key, row in rows.items() if row["known"] is not None}
        )
        shown = {k: row for k, row in rows.items() if not _quiet(row, k, counted, totals.newest)}
        ids = [situation_id for situation_id, _ in shown]
        incidents = reads.incidents(connection, ids)
        of_situation: dict[Any, list[w.WallIncident]] = defaultdict(list)
        for one in incidents:
            of_situation[one.situation_id, one.status].append(one.said)
        unplaced = [one.said for one in incidents if one.situation_id is None]
        drawn = bands_in_force(connection, ids, totals.as_of)
        bodies = _bodies(connection, shown)
        situations = [
            _situation(
                row,
                totals,
                history=_history(connection, key, totals.as_of),
                incidents=tuple(of_situation[key]),
                bands=drawn[key],
                **_numbers(bodies.get(key), counted.get(key)),
            )
            for key, row in shown.items()
        ]
        situations.sort(key=lambda one: one.onset_at, reverse=True)
        situations.sort(key=lambda one: (one.closed, not one.live))
        return w.WallNow(
            as_of=totals.as_of,
            clock=reads.clock(runtime),
            completeness=totals.newest,
            affected=totals.affected,
            people=totals.people,
            situations=tuple(situations),
            quiet=len(rows) - len(shown),
            unplaced=tuple(unplaced[-reads.UNPLACED_SHOWN :]),
            alerts=reads.alerts(connection),
            changes=reads.changes_shown(connection, ids),
            feeds=reads.feeds(connection, runtime, totals.as_of),
            inputs=reads.inputs(connection),
            contacts=reads.contacts(connection, totals.as_of),
            pipeline=reads.pipeline(connection, runtime, totals.skipped),
        )


def _situation_rows(connection: Connection) -> dict[Key, dict[str, Any]]:
    """Return all situations with the columns of their sums, by id and status."""
    s, sums = t.situations.c, t.sums.c
    same = (s.situation_id == sums.situation_id) & (s.status == sums.status)
    names = (s.situation_id, s.status, s.title, s.hazard, s.onset_at, s.closed)
    query = (
        select(*names, *(sums[name] for name in SUM))
        .select_from(t.situations.join(t.sums, same, isouter=True))
        .order_by(s.situation_id)
    )
    rows = (dict(row) for row in connection.execute(query).mappings())
    return {(row["situation_id"], row["status"]): row for row in rows}


def _totals(connection: Connection, rows: dict[Key, dict[str, Any]]) -> _Totals:
    totals = connection.execute(select(t.totals)).mappings().all()
    newest = max(map(completeness_of, totals), key=lambda one: one.as_of, default=None)
    ticks = [row["tick_at"] for row in totals]
    ticks += [row["tick_at"] for row in rows.values() if row["tick_at"] is not None]
    actual = next((row for row in totals if row["status"] == Status.ACTUAL), None)
    return _Totals(
        as_of=max(ticks, default=None),
        newest=newest,
        affected=None if actual is None else actual["distinct_known"],
        people=None if actual is None else actual["people"],
        skipped=sum(row["skipped"] for row in totals) if totals else None,
    )


def _holds(row: Any, newest: Completeness | None) -> Completeness | None:
    """Return what stands behind a sum, None before the first."""
    return None if row["tick_at"] is None else holding(row, newest)


def _quiet(row: Any, key: Key, counted: dict[Key, int], newest: Completeness | None) -> bool:
    """Tell whether it is certain that a situation is about nobody of ours."""
    completeness = _holds(row, newest)
    return (
        (row["known"], row["inbound"], row["withdrawn"]) == (0, 0, 0)
        and not counted.get(key)
        and completeness is not None
        and completeness.complete
    )


def _bodies(connection: Connection, keys: Iterable[Key]) -> dict[Key, SituationSummed]:
    ids = [situation_id for situation_id, _ in keys]
    c = t.sums.c
    query = select(c.situation_id, c.status, c.body).where(c.situation_id.in_(ids))
    return {
        (row.situation_id, row.status): msgspec.json.decode(row.body, type=SituationSummed)
        for row in connection.execute(query)
    }


def _history(connection: Connection, key: Key, now: datetime | None) -> list[Minute]:
    """Return the minutes of the last hours, and the last one before them."""
    if now is None:
        return []
    c = j.sum_history.c
    of_one = select(*(c[name] for name in Minute._fields)).where(
        c.situation_id == key[0], c.status == key[1]
    )
    begin = now - TREND_SPAN
    before = of_one.where(c.minute <= begin).order_by(c.minute.desc()).limit(2)
    since = of_one.where(c.minute > begin).order_by(c.minute)
    rows = [*reversed(connection.execute(before).all()), *connection.execute(since)]
    return [Minute._make(row) for row in rows]


def _situation(
    row: dict[str, Any],
    totals: _Totals,
    *,
    history: list[Minute],
    incidents: tuple[w.WallIncident, ...],
    bands: tuple[tuple[w.WallBand, ...], str],
    **numbers: Any,
) -> w.WallSituation:
    completeness = _holds(row, totals.newest)
    whole = completeness is not None and completeness.complete and not totals.skipped
    live = not incidents or any(one.life in reads.IN_FORCE for one in incidents)
    return w.WallSituation(
        situation_id=row["situation_id"],
        status=row["status"],
        title=row["title"],
        hazard=row["hazard"],
        onset_at=row["onset_at"],
        closed=row["closed"],
        live=live and not row["closed"],
        inbound=row["inbound"],
        withdrawn=row["withdrawn"],
        completeness=completeness,
        at_least=not whole,
        changes=changes(history, totals.as_of),
        trend=trend(history, totals.as_of),
        incidents=incidents,
        bands=bands[0],
        zones_key=bands[1],
        **numbers,
    )


def _numbers(said: SituationSummed | None, counted: int | None) -> dict[str, Any]:
    """Return what a sum says of the ledger; None where no sum has come yet."""
    if said is None:
        names = "known unaccounted needs_help safe other other_parts duplicates tiers imbalance"
        return {**dict.fromkeys(names.split()), "areas": ()}
    buckets = dict.fromkeys(Bucket, 0) | {one.bucket: one.count for one in said.buckets}
    parts = {b.value: n for b, n in buckets.items() if b not in {*HEADLINE, Bucket.DUPLICATE}}
    counts = {bucket.value: buckets[bucket] for bucket in HEADLINE}
    other = sum(parts.values())
    tiers = {tier.value: 0 for tier in Tier if tier is not Tier.INBOUND}
    return {
        "known": said.known,
        **counts,
        "other": other,
        "other_parts": parts,
        "duplicates": buckets[Bucket.DUPLICATE],
        "tiers": {**tiers, **said.tiers},
        "imbalance": Imbalance(
            room=said.imbalance,
            buckets=said.known - sum(counts.values()) - other,
            store=counted or 0,
        ),
        "areas": _areas(said),
    }


def _areas(said: SituationSummed) -> tuple[w.WallArea, ...]:
    """Return the areas with somebody known, the most people first."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for one in said.areas:
        buckets = {part.bucket: part.count for part in one.buckets}
        counts = tuple(buckets.get(bucket, 0) for bucket in HEADLINE)
        other = sum(
            n for bucket, n in buckets.items() if bucket not in {*HEADLINE, Bucket.DUPLICATE}
        )
        if sum(counts) + other:
            found.append((one.area, (*counts, other)))
    found.sort(key=lambda one: (-sum(one[1]), one[0]))
    cells = suppressed(tuple(counts for _, counts in found))
    names = ("known", "unaccounted", "needs_help", "safe", "other")
    return tuple(
        w.WallArea(
            code=code,
            name=area_name(code),
            country=code.partition("-")[0],
            lon_deg=centre[0],
            lat_deg=centre[1],
            **dict(zip(names, of_area, strict=True)),
        )
        for (code, _), of_area in zip(found, cells, strict=True)
        for centre in [area_centre(code) or (None, None)]
    )
