"""What an alert is about, as the serving store knows it: title, hazard, zones."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from schemas.alert import AlertRaised
from schemas.codelists import Hazard
from schemas.zone import ZoneChanged
from streams.delivery import About, Zone
from streams.serving import tables as t

_zone = msgspec.json.Decoder(ZoneChanged)


def about(engine: Engine, alert: AlertRaised) -> About:
    """Return what is known; an ``About`` without title where nothing is yet.

    Advice has no situation: its alerts' ``cause_id`` begins with its id.
    """
    with engine.begin() as connection:
        if alert.situation_id is not None:
            query = select(t.situations).where(
                t.situations.c.situation_id == alert.situation_id,
                t.situations.c.status == alert.status.value,
            )
            row = connection.execute(query).one_or_none()
            if row is None:
                return About()
            zones = _zones(connection, t.zones.c.situation_id == alert.situation_id, alert)
            return About(row.title, Hazard(row.hazard), zones)
        advisory_id = alert.cause_id.partition("@")[0]
        query = select(t.advisories).where(
            t.advisories.c.advisory_id == advisory_id,
            t.advisories.c.status == alert.status.value,
        )
        row = connection.execute(query).one_or_none()
        if row is None:
            return About()
        return About(row.title, None, _zones(connection, t.zones.c.cause_id == advisory_id, alert))


def _zones(connection: Connection, belongs: Any, alert: AlertRaised) -> tuple[Zone, ...]:
    """Return the latest version of each zone in force, by its id."""
    query = (
        select(t.zones.c.zone_id, t.zones.c.corrected, t.zones.c.body)
        .where(belongs, t.zones.c.status == alert.status.value)
        .order_by(t.zones.c.zone_id, t.zones.c.version)
    )
    latest = {row.zone_id: row for row in connection.execute(query)}
    said = [_zone.decode(row.body) for row in latest.values() if not row.corrected]
    return tuple(Zone(zone.band, zone.areas) for zone in said)
