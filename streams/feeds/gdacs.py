"""GDACS: the event list of the API, and the data of one event.

Identity is (eventtype, eventid); ``episodeid`` and ``datemodified`` are the
version, but one version can change content, so the event id also carries a
hash of what was said. Times are UTC without saying so; ``iscurrent`` is a
string. ``alertlevel`` is expected humanitarian impact, not intensity. The
``country`` of an event is one name, ``affectedcountries`` the list of all.
"""

import re
from datetime import datetime

import msgspec

from schemas.codelists import Hazard, MsgType, Revision
from schemas.place import Position
from schemas.report import IncidentReported
from streams.feeds.base import (
    PAYLOAD,
    Feed,
    Parsed,
    PayloadError,
    content_hash,
    position_of,
    read_items,
    read_json,
    refuse,
    utc_of_text,
)

HAZARDS: dict[str, Hazard] = {
    "EQ": Hazard.EARTHQUAKE,
    "TS": Hazard.TSUNAMI,
    "VO": Hazard.VOLCANO,
    "TC": Hazard.CYCLONE,
    "FL": Hazard.FLOOD,
    "WF": Hazard.WILDFIRE,
    "DR": Hazard.DROUGHT,
}
"""GDACS event types (GDACS API guide); any other is ``other``."""

_DEPTH_KM = re.compile(r"Depth:\s*(-?\d+(?:\.\d+)?)\s*km", re.IGNORECASE)


class _Country(msgspec.Struct):
    countryname: str | None = None


class _Severity(msgspec.Struct):
    severity: float | None = None
    severitytext: str | None = None


class _Url(msgspec.Struct):
    report: str | None = None


class _Properties(msgspec.Struct):
    eventtype: str
    eventid: int
    episodeid: int
    fromdate: str
    datemodified: str
    feature_class: str | None = msgspec.field(default=None, name="Class")
    todate: str | None = None
    name: str | None = None
    alertlevel: str | None = None
    iscurrent: str | bool | None = None
    country: str | None = None
    affectedcountries: list[_Country] | None = None
    severitydata: _Severity | None = None
    url: _Url | None = None


class _Geometry(msgspec.Struct):
    type: str
    coordinates: msgspec.Raw


class _Feature(msgspec.Struct):
    properties: _Properties
    geometry: _Geometry | None = None


class _Key(msgspec.Struct):
    eventtype: str
    eventid: int


class _Identity(msgspec.Struct):
    properties: _Key


class _Answer(msgspec.Struct):
    features: list[msgspec.Raw] | None = None
    properties: dict[str, msgspec.Raw] | None = None


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one report per event of a list, or of one event; never raises."""
    try:
        answer = read_json(payload, _Answer)
    except PayloadError as error:
        return [refuse(PAYLOAD, error, payload)]
    if answer.features is not None:
        items = [(f"item {n}", bytes(raw)) for n, raw in enumerate(answer.features, start=1)]
    elif answer.properties is not None:
        items = [("item 1", payload)]
    else:
        reason = "neither a GDACS event list (features) nor one event (properties)"
        return [refuse(PAYLOAD, reason, payload)]
    return read_items(items, _identity, lambda raw: _report(read_json(raw, _Feature), received_at))


def _identity(raw: bytes) -> str:
    key = read_json(raw, _Identity).properties
    return f"gdacs:{key.eventtype}{key.eventid}"


def _report(feature: _Feature, received_at: datetime) -> IncidentReported:
    said, geometry = feature.properties, feature.geometry
    if geometry is not None and geometry.type != "Point":
        msg = f"a {geometry.type} of class {said.feature_class}: geometry, not an event"
        raise ValueError(msg)
    hazard = HAZARDS.get(said.eventtype, Hazard.OTHER)
    quake = hazard is Hazard.EARTHQUAKE
    chain_id = f"gdacs:{said.eventtype}{said.eventid}"
    onset_at = utc_of_text(said.fromdate, "fromdate", assume_utc=True)
    sent_at = utc_of_text(said.datemodified, "datemodified", assume_utc=True)
    severity = said.severitydata or _Severity()
    report = IncidentReported(
        event_id=chain_id,
        source="gdacs",
        occurred_at=min(onset_at, sent_at),
        observed_at=sent_at,
        received_at=received_at,
        chain_id=chain_id,
        msg_type=MsgType.ALERT,
        hazard=hazard,
        title=" ".join((said.name or chain_id).split()),
        onset_at=onset_at,
        sent_at=sent_at,
        revision=Revision.CORRECTS if quake else Revision.EVOLVES,
        expires_at=None if quake else _ended_at(said, onset_at, sent_at),
        position=_position(geometry),
        depth_m=_depth_m(severity.severitytext) if quake else None,
        magnitude=severity.severity if quake else None,
        area_text=None if quake else _countries(said),
        native_level=said.alertlevel if quake else _native_level(said.alertlevel, severity),
        url=said.url.report if said.url else None,
    )
    # "current" sorts before "ended": of two contents of one version the ended one is the later.
    phase = "ended" if _is_over(said) else "current"
    version = f"{said.episodeid}:{said.datemodified}:{phase}:{content_hash(report)}"
    return msgspec.structs.replace(report, event_id=f"{chain_id}:{version}")


def _position(geometry: _Geometry | None) -> Position | None:
    if geometry is None:
        return None
    return position_of(read_json(bytes(geometry.coordinates), list[float | None]))


def _is_over(said: _Properties) -> bool:
    return str(said.iscurrent).lower() == "false"


def _ended_at(said: _Properties, onset_at: datetime, sent_at: datetime) -> datetime | None:
    """Return when an event that GDACS calls no longer current was over.

    While it is current, ``todate`` is only the last time GDACS has data for
    (a cyclone's stood 24 h in the past, still current). Eruptions carry
    ``fromdate`` as ``todate``: then the last statement is the end.
    """
    if not _is_over(said):
        return None
    to_at = utc_of_text(said.todate, "todate", assume_utc=True) if said.todate else onset_at
    return to_at if to_at > onset_at else max(sent_at, onset_at)


def _depth_m(severity_text: str | None) -> float | None:
    found = _DEPTH_KM.search(severity_text or "")
    return round(float(found.group(1)) * 1000.0, 3) if found else None


def _countries(said: _Properties) -> str | None:
    names = [country.countryname for country in said.affectedcountries or []]
    return ", ".join(name for name in names if name) or said.country or None


def _native_level(alert_level: str | None, severity: _Severity) -> str | None:
    """Return the alert level, and GDACS's own words for the severity behind it.

    A cyclone's severity is its forecast peak wind in km/h, a fire's hectares:
    no magnitudes, so they stay words.
    """
    words = (severity.severitytext or "").strip() if severity.severity else ""
    return "; ".join(part for part in (alert_level, words) if part) or None


FEED = Feed(
    name="gdacs",
    about="GDACS: earthquakes, cyclones, floods, eruptions, fires, droughts, by impact",
    url="https://www.gdacs.org/gdacsapi/api/events/geteventlist/EVENTS4APP",
    interval_s=360,
    licence="free with attribution; purely indicative",
    attribution="Global Disaster Alert and Coordination System (GDACS), EU and UN",
    revision=Revision.EVOLVES,
    kinds=("IncidentReported",),
    parse=parse,
    enabled=True,
)
