"""Alerts as CAP 1.2: OASIS "Common Alerting Protocol Version 1.2", section 3.

The same message gives the same bytes. Times end in -00:00, as section 3.3.2
asks of UTC.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lxml import etree

from schemas.codelists import Hazard, Severity, Status
from schemas.place import Area, Circle, Countries, Polygons
from streams.channels.base import Message, headline, lateness
from streams.printable import one_line

CAP = "urn:oasis:names:tc:emergency:cap:1.2"

MAX_POINTS = 2_000
"""Rings of more points are left out; the words of the area stay."""

CATEGORY = {
    Hazard.EARTHQUAKE: "Geo",
    Hazard.TSUNAMI: "Geo",
    Hazard.VOLCANO: "Geo",
    Hazard.CYCLONE: "Met",
    Hazard.FLOOD: "Met",
    Hazard.WILDFIRE: "Fire",
    Hazard.DROUGHT: "Met",
    Hazard.WEATHER: "Met",
    Hazard.CONFLICT: "Security",
    Hazard.HEALTH: "Health",
    Hazard.OTHER: "Other",
}
"""CAP's category of each hazard; without one it is Safety."""

SEVERITY = {"critical": (Severity.SEVERE, "Immediate"), "warning": (Severity.MODERATE, "Expected")}
"""CAP's severity and urgency of what our rules say; else Unknown."""


def document(message: Message, sender: str) -> bytes:
    """Return the CAP document of a message."""
    alert = message.alert
    names: dict[Any, str] = {None: CAP}  # the stubs know no default namespace, lxml does
    root = etree.Element(f"{{{CAP}}}alert", nsmap=names)
    _add(root, "identifier", message.key)
    _add(root, "sender", sender)
    _add(root, "sent", _time(message.sent_at))
    _add(root, "status", alert.status.value)
    _add(root, "msgType", _msg_type(message))
    _add(root, "scope", "Restricted")
    _add(root, "restriction", "For the crisis centre; not for the public.")
    if alert.status is not Status.ACTUAL:
        _add(root, "note", f"{alert.status.upper()}: nothing of this has happened.")
    if message.corrects is not None and message.corrects_sent_at is not None:
        sent = _time(message.corrects_sent_at)
        _add(root, "references", f"{sender},{message.corrects},{sent}")
    _info(etree.SubElement(root, f"{{{CAP}}}info"), message)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _msg_type(message: Message) -> str:
    """Return Alert, or for a correction Update, or Cancel where nobody is left."""
    if message.alert.intent != "correction" or message.corrects is None:
        return "Alert"
    return "Cancel" if message.alert.facts.get("known") == 0 else "Update"


def _info(info: etree._Element, message: Message) -> None:
    alert, about = message.alert, message.about
    severity, urgency = SEVERITY.get(alert.severity, (Severity.UNKNOWN, "Unknown"))
    late = lateness(message)
    _add(info, "language", "en")
    rescue = alert.rule == "help_requested"
    hazard = CATEGORY[about.hazard] if about.hazard is not None else "Safety"
    _add(info, "category", "Rescue" if rescue else hazard)
    _add(info, "event", one_line(alert.rule))
    _add(info, "urgency", urgency)
    _add(info, "severity", severity.value)
    _add(info, "certainty", "Observed")
    _add(info, "audience", one_line(alert.audience))
    _add(info, "expires", _time(message.use_by_at))
    _add(info, "senderName", "Rollcall")
    _add(info, "headline", headline(message))
    words = [headline(message), *([f"This alert is {late}."] if late else [])]
    words += [f"{name}: {value}" for name, value in sorted(alert.facts.items())]
    _add(info, "description", "\n".join(one_line(word) for word in words))
    facts = {"alert_id": alert.alert_id, "raised_at": _time(alert.raised_at)}
    facts |= {"late_s": str(message.late_s)} if late else {}
    facts |= {name: str(value) for name, value in sorted(alert.facts.items())}
    for name, value in facts.items():
        parameter = etree.SubElement(info, f"{{{CAP}}}parameter")
        _add(parameter, "valueName", one_line(name))
        _add(parameter, "value", one_line(value))
    _areas(info, message)


def _areas(info: etree._Element, message: Message) -> None:
    alert, about = message.alert, message.about
    title = about.title or alert.situation_id or alert.cause_id
    if not about.zones:
        area = etree.SubElement(info, f"{{{CAP}}}area")
        _add(area, "areaDesc", one_line(f"{title} (its area is not known)"))
    for zone in about.zones:
        area = etree.SubElement(info, f"{{{CAP}}}area")
        _add(area, "areaDesc", one_line(f"{title}, {zone.band}"))
        drawn = [drawing for one in zone.areas for drawing in _drawings(one)]
        # The schema wants polygons before circles before geocodes.
        for kind in ("polygon", "circle"):
            for name, text in drawn:
                if name == kind:
                    _add(area, name, text)
        for name, text in drawn:
            if name == "geocode":
                geocode = etree.SubElement(area, f"{{{CAP}}}geocode")
                _add(geocode, "valueName", "ISO 3166-1")
                _add(geocode, "value", text)


def _drawings(area: Area) -> Iterator[tuple[str, str]]:
    """Yield what CAP can say of an area; holes it cannot, so they are covered."""
    match area:
        case Circle():
            yield "circle", f"{area.lat_deg:.5f},{area.lon_deg:.5f} {area.radius_m / 1000:.3f}"
        case Polygons():
            for outer, *_ in area.polygons:
                if len(outer) <= MAX_POINTS:
                    yield "polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lon, lat in outer)
        case Countries():
            for code in area.codes:
                yield "geocode", code


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S-00:00")


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{CAP}}}{name}").text = text
