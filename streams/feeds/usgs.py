"""USGS earthquakes: the GeoJSON summary feeds and the detail of one event.

Format: USGS "GeoJSON Summary Format" and "GeoJSON Detail Format", v1.0. The
``id`` is the preferred one of several and can change; ``properties.ids`` names
them all, so a reader merges on any overlap. ``updated`` is the version. Depth
is the third coordinate, kilometres, positive down. Events that USGS deletes
leave the list; only a detail answer says ``deleted``.
"""

from datetime import datetime

import msgspec

from schemas.codelists import Hazard, MsgType, Revision
from schemas.report import IncidentReported
from streams.feeds.base import (
    PAYLOAD,
    Feed,
    Parsed,
    PayloadError,
    position_of,
    read_items,
    read_json,
    refuse,
    utc_of_epoch_ms,
)


class _Properties(msgspec.Struct):
    time: int
    updated: int
    mag: float | None = None
    place: str | None = None
    title: str | None = None
    url: str | None = None
    alert: str | None = None
    status: str | None = None
    ids: str | None = None
    type: str | None = None
    mag_type: str | None = msgspec.field(default=None, name="magType")


class _Geometry(msgspec.Struct):
    coordinates: list[float | None]


class _Feature(msgspec.Struct):
    id: str
    properties: _Properties
    geometry: _Geometry | None = None


class _Identity(msgspec.Struct):
    id: str


class _Answer(msgspec.Struct):
    features: list[msgspec.Raw] | None = None
    id: str | None = None


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one report per event of a summary, or of one detail; never raises."""
    try:
        answer = read_json(payload, _Answer)
    except PayloadError as error:
        return [refuse(PAYLOAD, error, payload)]
    if answer.features is not None:
        items = [(f"item {n}", bytes(raw)) for n, raw in enumerate(answer.features, start=1)]
    elif answer.id is not None:
        items = [("item 1", payload)]
    else:
        reason = "neither a USGS event list (features) nor one event (id)"
        return [refuse(PAYLOAD, reason, payload)]
    return read_items(
        items,
        lambda raw: f"usgs:{read_json(raw, _Identity).id}",
        lambda raw: _report(read_json(raw, _Feature), received_at),
    )


def _report(feature: _Feature, received_at: datetime) -> IncidentReported:
    said = feature.properties
    onset_at, sent_at = utc_of_epoch_ms(said.time), utc_of_epoch_ms(said.updated)
    chain_id = f"usgs:{feature.id}"
    others = {f"usgs:{other}" for other in (said.ids or "").split(",") if other}
    deleted = (said.status or "").lower() == "deleted"
    coordinates = feature.geometry.coordinates if feature.geometry else []
    depth_km = coordinates[2] if len(coordinates) > 2 else None
    return IncidentReported(
        # A deletion sorts behind the version it deletes, should both carry one ``updated``.
        event_id=f"{chain_id}:{said.updated}{':deleted' if deleted else ''}",
        source="usgs",
        occurred_at=min(onset_at, sent_at),
        observed_at=sent_at,
        received_at=received_at,
        chain_id=chain_id,
        same_as=tuple(sorted(others - {chain_id})),
        msg_type=MsgType.CANCEL if deleted else MsgType.ALERT,
        hazard=_hazard(said.type),
        title=said.title or said.place or chain_id,
        onset_at=onset_at,
        sent_at=sent_at,
        revision=Revision.CORRECTS,
        position=position_of(coordinates) if feature.geometry else None,
        depth_m=None if depth_km is None else round(depth_km * 1000.0, 3),
        magnitude=said.mag,
        magnitude_type=said.mag_type,
        native_level=said.alert,
        url=said.url,
    )


def _hazard(event_type: str | None) -> Hazard:
    """Return the hazard; quarry blasts and explosions shake no traveller's town."""
    return Hazard.EARTHQUAKE if event_type in {None, "earthquake"} else Hazard.OTHER


FEED = Feed(
    name="usgs",
    about="USGS earthquakes of magnitude 2.5 and more, the past seven days",
    url="https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/2.5_week.geojson",
    interval_s=60,
    licence="public domain",
    attribution="U.S. Geological Survey",
    revision=Revision.CORRECTS,
    kinds=("IncidentReported",),
    parse=parse,
    enabled=True,
)
