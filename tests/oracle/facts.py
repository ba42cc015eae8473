"""Facts made by hand, as they stand in JSON; for tests and generators.

Times are minutes after ``T0``; whoever needs another says so.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

T0 = datetime(2023, 2, 6, 1, 17, 0, tzinfo=UTC)
EPICENTRE = (37.014, 37.226)


def at(minutes: float) -> str:
    """Return the time so many minutes after ``T0``, to the second."""
    moment = T0 + timedelta(seconds=round(minutes * 60))
    return moment.isoformat().replace("+00:00", "Z")


def envelope(kind: str, event_id: str, minutes: float, source: str = "test") -> dict[str, Any]:
    """Return what every fact has."""
    return {
        "type": kind,
        "event_id": event_id,
        "source": source,
        "occurred_at": at(minutes),
        "received_at": at(minutes),
    }


def place(
    precision: str, country: str, lon: float | None = None, lat: float | None = None, **more: Any
) -> dict[str, Any]:
    """Return a place as filed."""
    point = {} if lon is None else {"lon_deg": lon, "lat_deg": lat}
    return {"precision": precision, "country": country, **point, **more}


def stay(where: dict[str, Any], begin: str | None, end: str | None, **more: Any) -> dict[str, Any]:
    """Return a stay; dates as 2023-02-05."""
    dates = {"from_date": begin, "to_date": end}
    return {
        "stay_id": "s1",
        "place": where,
        **{name: day for name, day in dates.items() if day},
        **more,
    }


def registration(
    person_id: str, *stays: dict[str, Any], minutes: float = -10_000.0, **more: Any
) -> dict[str, Any]:
    """Return a registration as filed."""
    name = more.pop("registration_id", "r1")
    event_id = more.pop("event_id", f"{person_id}/{name}/{minutes}")
    return {
        **envelope("RegistrationFiled", event_id, minutes),
        "person_id": person_id,
        "registration_id": name,
        "stays": list(stays),
        **more,
    }


def check_in(
    person_id: str,
    minutes: float,
    lonlat: tuple[float, float] | None = None,
    *,
    accuracy_m: float | None = None,
    state: str | None = None,
    event_id: str | None = None,
) -> dict[str, Any]:
    """Return a check-in with a fix, a state, or both."""
    fact = envelope("CheckedIn", event_id or f"{person_id}/c/{minutes}", minutes)
    fact["person_id"] = person_id
    if lonlat:
        fact["position"] = {"lon_deg": lonlat[0], "lat_deg": lonlat[1]}
        if accuracy_m is not None:
            fact["position"]["accuracy_m"] = accuracy_m
    if state:
        fact["state"] = state
    return fact


def contact(
    person_id: str,
    minutes: float,
    outcome: str,
    channel: str = "phone",
    where: dict[str, Any] | None = None,
    event_id: str | None = None,
) -> dict[str, Any]:
    """Return a contact, with a stated place or without."""
    fact = envelope("ContactRecorded", event_id or f"{person_id}/k/{minutes}", minutes)
    fact |= {"person_id": person_id, "outcome": outcome, "channel": channel, "by": "agent7"}
    return fact | ({"place": where} if where else {})


def quake(
    magnitude: float,
    *,
    sent: float = 5.0,
    source: str = "usgs",
    chain: str = "m1",
    onset: float = 0.0,
    lonlat: tuple[float, float] = EPICENTRE,
    depth_m: float | None = 10_000.0,
    **more: Any,
) -> dict[str, Any]:
    """Return a report of an earthquake."""
    chain_id = f"{source}:{chain}"
    fact = envelope("IncidentReported", f"{chain_id}:{sent}", sent, source)
    fact |= {
        "chain_id": chain_id,
        "msg_type": "Alert",
        "hazard": "earthquake",
        "title": f"M {magnitude}",
        "onset_at": at(onset),
        "sent_at": at(sent),
        "revision": "corrects",
        "position": {"lon_deg": lonlat[0], "lat_deg": lonlat[1]},
        "magnitude": magnitude,
    }
    if depth_m is not None:
        fact["depth_m"] = depth_m
    return fact | more


def circle(lonlat: tuple[float, float], radius_m: float) -> dict[str, Any]:
    """Return a circle."""
    return {"kind": "circle", "lon_deg": lonlat[0], "lat_deg": lonlat[1], "radius_m": radius_m}


def square(lonlat: tuple[float, float], half_deg: float) -> dict[str, Any]:
    """Return a square in lon/lat, cut at 180 degrees as RFC 7946 asks."""
    lon, lat = lonlat
    south, north = lat - half_deg, lat + half_deg
    spans = [(lon - half_deg, min(180.0, lon + half_deg))]
    if lon + half_deg > 180.0:
        spans.append((-180.0, lon + half_deg - 360.0))
    rings = [
        [[west, south], [east, south], [east, north], [west, north], [west, south]]
        for west, east in spans
    ]
    return {"kind": "polygons", "polygons": [[ring] for ring in rings]}


def drawn(
    hazard: str,
    areas: list[dict[str, Any]],
    *,
    sent: float = 5.0,
    onset: float = 0.0,
    source: str = "vaac",
    chain: str = "v1",
    revision: str = "evolves",
    **more: Any,
) -> dict[str, Any]:
    """Return a report of another hazard, with its own areas."""
    fact = quake(1.0, sent=sent, source=source, chain=chain, onset=onset)
    for name in ("magnitude", "depth_m", "position"):
        del fact[name]
    return fact | {"hazard": hazard, "title": hazard, "revision": revision, "areas": areas} | more


def advisory(
    level: int,
    areas: list[dict[str, Any]],
    *,
    sent: float = 5.0,
    advisory_id: str = "de:TR",
    scope: str = "whole",
    **more: Any,
) -> dict[str, Any]:
    """Return travel advice."""
    fact = envelope("AdvisoryIssued", f"{advisory_id}:{sent}", sent, "de")
    fact |= {
        "advisory_id": advisory_id,
        "issuer": "de",
        "title": f"advice {level}",
        "sent_at": at(sent),
        "native_level": f"level {level}",
        "level": level,
        "scope": scope,
        "areas": areas,
    }
    return fact | more


def override(
    person_id: str, minutes: float, bucket: str, situation_id: str, event_id: str | None = None
) -> dict[str, Any]:
    """Return an officer's override."""
    fact = envelope("CommandIssued", event_id or f"{person_id}/o/{minutes}", minutes)
    fact |= {
        "verb": "override",
        "by": "officer1",
        "role": "officer",
        "reason": "seen at the embassy",
        "person_id": person_id,
        "situation_id": situation_id,
        "bucket": bucket,
    }
    if bucket == "deceased":
        fact |= {"role": "restricted", "confirmed_by": "officer2"}
    return fact
