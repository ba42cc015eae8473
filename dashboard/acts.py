"""Officers' acts as the pages prepare them: what is said, and how it ended.

A draft is filled, shown again to be confirmed, then sent once: its nonce is
kept until it is done, so that a double click or a second try is one act.
"""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MIN_REASON = 5
"""Fewer characters than this say nothing to whoever reads the journal."""

BUCKETS = (
    "unaccounted",
    "needs_help",
    "safe",
    "unreachable",
    "left_area",
    "never_there",
    "declines_to_leave",
    "evacuated",
)
"""What an officer can set here; deceased belongs to the restricted role."""

HAZARDS = (
    "earthquake tsunami volcano cyclone flood wildfire drought weather conflict health other"
).split()
"""What a declared situation can be about."""

MAX_POINTS = 500
"""Most points of a typed or pasted outline; more belongs into a feed."""


class OutlineError(ValueError):
    """A typed outline cannot be read; ``key`` names the sentence, ``at`` where."""

    def __init__(self, key: str, at: str = "") -> None:
        """Keep what the page needs to say it in its language."""
        super().__init__(f"{key} {at}".strip())
        self.key = key
        self.at = at


@dataclass(frozen=True)
class Draft:
    """One act before it is sent; ``said`` holds a mapping for each command.

    ``shown`` is what only the page needs to put the act into words.
    """

    verb: str
    by: str
    reason: str
    status: str
    said: tuple[Mapping[str, Any], ...]
    shown: tuple[Mapping[str, Any], ...] = ()
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)

    def nonces(self) -> tuple[str, ...]:
        """Return one nonce for each command, the same at every try."""
        if len(self.said) == 1:
            return (self.nonce,)
        return tuple(
            f"{self.nonce}-{one.get('person_id') or one.get('alert_id') or index}"
            for index, one in enumerate(self.said)
        )


@dataclass(frozen=True)
class Ending:
    """How one command ended: accepted, refused, or unreachable (nobody knows)."""

    outcome: str
    subject: str
    event_id: str = ""
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the log has it; once more of the same is the same act."""
        return self.outcome in {"accepted", "duplicate"}


SUBJECTS = ("person_id", "alert_id", "incident_id", "situation_id", "title", "rule")


def subject(said: Mapping[str, Any]) -> str:
    """Return what a command is about, to name it in a sentence."""
    return next((str(said[key]) for key in SUBJECTS if said.get(key)), "")


def missing(*, by: str, reason: str) -> tuple[str, ...]:
    """Return the keys of what is missing before anything can be sent."""
    keys = []
    if not by.strip():
        keys.append("needs_user")
    if len(reason.strip()) < MIN_REASON:
        keys.append("needs_reason")
    return tuple(keys)


def overrides(
    person_ids: Sequence[str], situation_id: str, bucket: str
) -> tuple[dict[str, Any], ...]:
    """Return what is said to put each of these persons into a bucket."""
    return tuple(
        {"person_id": person_id, "situation_id": situation_id, "bucket": bucket}
        for person_id in dict.fromkeys(person_ids)
    )


def declaration(
    title: str, hazard: str, *, countries: Sequence[str], outline: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Return what is said to declare a situation, with its area if it has one."""
    said: dict[str, Any] = {"title": title.strip(), "hazard": hazard}
    areas = []
    if countries:
        areas.append({"kind": "countries", "codes": list(countries)})
    if outline:
        areas.append(polygon(outline))
    if areas:
        said["areas"] = areas
    return said


def polygon(outline: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return an outline as an area: closed, anticlockwise (RFC 7946)."""
    ring = [[float(lon), float(lat)] for lon, lat in outline]
    if _turns_right(ring):
        ring.reverse()
    return {"kind": "polygons", "polygons": [[[*ring, ring[0]]]]}


def _turns_right(ring: Sequence[Sequence[float]]) -> bool:
    after = [*ring[1:], ring[0]]
    return sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in zip(ring, after, strict=True)) > 0


def outline_of(text: str) -> tuple[tuple[float, float], ...]:
    """Return the outline that was typed or pasted.

    Either GeoJSON with one polygon, or one "latitude, longitude" a line.
    ``OutlineError`` says what cannot be read.
    """
    text = text.strip()
    points = _of_geojson(text) if text.startswith("{") else _of_lines(text)
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    return checked(points)


def checked(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return an outline that can be sent, or raise ``OutlineError``."""
    for lon, lat in points:
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
            raise OutlineError(key="outline_off_earth", at=f"{lat}, {lon}")
    if len(set(points)) < 3:
        raise OutlineError(key="outline_few")
    if len(points) > MAX_POINTS:
        raise OutlineError(key="outline_many", at=str(len(points)))
    crossing = _crossing(points)
    if crossing is not None:
        raise OutlineError(key="outline_crosses", at=f"{crossing + 1}")
    return tuple(points)


def _of_lines(text: str) -> list[tuple[float, float]]:
    points = []
    for count, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = line.replace(";", " ").replace(",", " ").split()
        try:
            lat, lon = (float(part) for part in parts)
        except ValueError:
            raise OutlineError(key="outline_line", at=str(count)) from None
        points.append((lon, lat))
    return points


def _of_geojson(text: str) -> list[tuple[float, float]]:
    try:
        said = json.loads(text)
        if said.get("type") == "FeatureCollection":
            (said,) = said["features"]
        if said.get("type") == "Feature":
            said = said["geometry"]
        if said["type"] == "MultiPolygon":
            (rings,) = said["coordinates"]
        elif said["type"] == "Polygon":
            rings = said["coordinates"]
        else:
            raise OutlineError(key="outline_not_polygon", at=str(said["type"]))
        (ring,) = rings
        return [(float(point[0]), float(point[1])) for point in ring]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, OutlineError):
            raise
        raise OutlineError(key="outline_geojson") from None


def _crossing(points: Sequence[tuple[float, float]]) -> int | None:
    """Return the first edge that crosses another one, or None."""
    count = len(points)
    edges = [(points[i], points[(i + 1) % count]) for i in range(count)]
    for i in range(count):
        for j in range(i + 2, count):
            if (j + 1) % count != i and _cross(*edges[i], *edges[j]):
                return i
    return None


def _cross(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]
) -> bool:
    def side(p: tuple[float, float], q: tuple[float, float], r: tuple[float, float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
