"""Bands of footprints in force: as lines for the wall, as geometry for its map."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select

from geo.areas import to_geojson
from schemas.zone import ZoneChanged
from streams.serving import tables as t
from streams.serving import wall_answers as w
from streams.serving.third_figure import Key

BAND = tuple(field.name for field in msgspec.structs.fields(w.WallBand))


def bands_in_force(
    connection: Connection, situation_ids: Iterable[str], now: datetime | None
) -> dict[Key, tuple[tuple[w.WallBand, ...], str]]:
    """Return the bands in force of each situation, the worst first, and their key."""
    c = t.zones.c
    query = (
        select(c.situation_id, c.status, c.seq, *(c[name] for name in BAND))
        .where(c.situation_id.in_(sorted(situation_ids)), _in_force(now))
        .order_by(c.rank.desc(), c.zone_id, c.version)
    )
    found: dict[Key, list[Any]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["situation_id"], row["status"]].append(row)
    drawn: dict[Key, tuple[tuple[w.WallBand, ...], str]] = defaultdict(lambda: ((), key_of([])))
    for key, rows in found.items():
        drawn[key] = (
            tuple(w.WallBand(**{name: row[name] for name in BAND}) for row in rows),
            key_of(rows),
        )
    return drawn


def zones(engine: Engine, situation_id: str) -> dict[str, Any]:
    """Return the bands in force of a situation as a GeoJSON FeatureCollection.

    Its ``zones_key`` is that of the snapshot. Features are the worst band
    last, so that it is drawn on top; one for every part of a band's area.
    """
    with engine.connect() as connection:
        ticks = (select(func.max(table.c.tick_at)) for table in (t.totals, t.sums))
        now = max((at for tick in ticks if (at := connection.scalar(tick))), default=None)
        c = t.zones.c
        query = (
            select(t.zones)
            .where(c.situation_id == situation_id, _in_force(now))
            .order_by(c.rank.desc(), c.zone_id, c.version)
        )
        rows = connection.execute(query).mappings().all()
    features = [
        {
            "type": "Feature",
            "properties": {name: row[name] for name in BAND},
            "geometry": to_geojson(area),
        }
        for row in reversed(rows)
        for area in msgspec.json.decode(row["body"], type=ZoneChanged).areas
    ]
    return {"type": "FeatureCollection", "zones_key": key_of(rows), "features": features}


def key_of(rows: Iterable[Any]) -> str:
    """Return a key that changes with every change of the zones in force."""
    parts = sorted(f"{row['zone_id']}\x1f{row['version']}\x1f{row['seq']}" for row in rows)
    return hashlib.blake2b("\x1e".join(parts).encode(), digest_size=8).hexdigest()


def _in_force(now: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a footprint's band holds people now."""
    c = t.zones.c
    begun = c.valid_from <= now if now is not None else c.valid_from.is_(None)
    going_on = or_(c.valid_to.is_(None), c.valid_to > now) if now is not None else begun
    return and_(c.advisory.is_(False), c.corrected.is_(False), begun, going_on)
