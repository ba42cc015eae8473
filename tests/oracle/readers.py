"""Raw payloads of two feeds as facts, read without the engine's parsers.

Only what matching needs is read. A GDACS earthquake corrects, its other events
evolve; what GDACS calls no longer current was over at ``todate`` if that is
after the begin, else when it last said so.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.times import EPOCH, Fact

HAZARDS = {
    "EQ": "earthquake",
    "TS": "tsunami",
    "VO": "volcano",
    "TC": "cyclone",
    "FL": "flood",
    "WF": "wildfire",
    "DR": "drought",
}
DEPTH = re.compile(r"Depth:\s*([-\d.]+)\s*km", re.IGNORECASE)


def of_milliseconds(value: int) -> str:
    """Return the ISO form of an epoch in milliseconds."""
    return (EPOCH + timedelta(milliseconds=value)).isoformat().replace("+00:00", "Z")


def of_naive(text: str) -> str:
    """Return an ISO time that is UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def position(coordinates: list[float]) -> dict[str, float]:
    """Return a GeoJSON position; 181.2 and -178.8 are one longitude."""
    lon, lat = coordinates[:2]
    if abs(lon) > 180.0:
        lon = round(lon - math.copysign(360.0, lon), 9)
    return {"lon_deg": lon, "lat_deg": lat}


def usgs(payload: bytes, received_at: str) -> Iterator[Fact]:
    """Yield the report of every feature of a USGS summary."""
    for feature in json.loads(payload)["features"]:
        said, coordinates = feature["properties"], feature["geometry"]["coordinates"]
        chain_id = f"usgs:{feature['id']}"
        others = {f"usgs:{name}" for name in (said["ids"] or "").split(",") if name}
        fact: dict[str, Any] = {
            "type": "IncidentReported",
            "event_id": f"{chain_id}:{said['updated']}",
            "source": "usgs",
            "occurred_at": of_milliseconds(said["time"]),
            "received_at": received_at,
            "chain_id": chain_id,
            "same_as": sorted(others - {chain_id}),
            "msg_type": "Cancel" if str(said["status"]).lower() == "deleted" else "Alert",
            "hazard": "earthquake" if said["type"] == "earthquake" else "other",
            "title": said["title"],
            "onset_at": of_milliseconds(said["time"]),
            "sent_at": of_milliseconds(said["updated"]),
            "revision": "corrects",
            "position": position(coordinates),
            "magnitude": said["mag"],
        }
        if len(coordinates) > 2 and coordinates[2] is not None:
            fact["depth_m"] = round(coordinates[2] * 1000.0, 3)
        yield fact


def gdacs(payload: bytes, received_at: str) -> Iterator[Fact]:
    """Yield the report of every event of a GDACS list."""
    for feature in json.loads(payload)["features"]:
        said = feature["properties"]
        quake = said["eventtype"] == "EQ"
        chain_id = f"gdacs:{said['eventtype']}{said['eventid']}"
        over = str(said["iscurrent"]).lower() == "false"
        onset, sent = of_naive(said["fromdate"]), of_naive(said["datemodified"])
        phase = "ended" if over else "current"
        hashed = hashlib.sha256(json.dumps(feature, sort_keys=True).encode()).hexdigest()
        fact: dict[str, Any] = {
            "type": "IncidentReported",
            "event_id": f"{chain_id}:{said['episodeid']}:{sent}:{phase}:{hashed}",
            "source": "gdacs",
            "occurred_at": min(onset, sent),
            "received_at": received_at,
            "chain_id": chain_id,
            "msg_type": "Alert",
            "hazard": HAZARDS.get(said["eventtype"], "other"),
            "title": said["name"],
            "onset_at": onset,
            "sent_at": sent,
            "revision": "corrects" if quake else "evolves",
            "position": position(feature["geometry"]["coordinates"]),
        }
        if quake:
            fact["magnitude"] = said["severitydata"]["severity"]
            depth = DEPTH.search(said["severitydata"]["severitytext"])
            if depth:
                fact["depth_m"] = round(float(depth[1]) * 1000.0, 3)
        elif over:
            ended = of_naive(said["todate"])
            fact["expires_at"] = ended if ended > onset else max(sent, onset)
        yield fact


def ndjson(payload: bytes, received_at: str) -> Iterator[Fact]:
    """Yield the fact of every line; ``received_at`` where a line has none."""
    for line in payload.splitlines():
        if line.strip():
            yield {"received_at": received_at, **json.loads(line)}


READERS = {"usgs": usgs, "gdacs": gdacs, "ndjson": ndjson}
