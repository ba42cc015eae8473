"""CAP 1.1 and 1.2 alerts: XML, XML inside Atom or EDXL, and CAP as JSON.

Standard: OASIS "Common Alerting Protocol Version 1.2" (2010). A message is
(sender, identifier, sent) and never changes; ``references`` are such triples,
and may point at messages not seen. A Cancel may concern a part of the area
only, may carry severity Extreme, and may have no ``info`` at all. Polygons and
circles are lat,lon; radii are kilometres. The order of elements is not relied
on, and neither are namespaces: real issuers mix them.

One message gives one report: the words of one language, the areas of all the
``info`` blocks that are in force.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from lxml import etree

from geo.areas import AreaError, circle_from_cap, polygons_from_cap
from schemas.codelists import (
    Certainty,
    Hazard,
    MsgType,
    Revision,
    Severity,
    Status,
    Urgency,
)
from schemas.place import Area, Position
from schemas.report import IncidentReported
from streams.feeds.base import (
    PAYLOAD,
    Feed,
    Parsed,
    PayloadError,
    bounded_id,
    read_json,
    refuse,
    utc_of_text,
    without_mark,
)
from streams.feeds.markup import (
    Tree,
    local_name,
    read_xml,
    text_of,
    texts,
    tree_of_json,
    tree_of_xml,
    trees,
)
from streams.statement import UNREADABLE

LANGUAGES = ("en", "fr", "nl", "de")
"""Languages of the ``info`` block that speaks for a message, best first."""

TEST_CODES = frozenset({"DMO", "NPT", "RMT", "RWT"})
"""SAME event codes of tests, which come with status Actual (47 CFR 11.31(e))."""

_HAZARD_WORDS: tuple[tuple[Hazard, str], ...] = (
    (Hazard.TSUNAMI, r"tsunami|^ts[aw]$"),
    (Hazard.EARTHQUAKE, r"earthquake|seism|séisme|aardbeving|erdbeben|^eqw$"),
    (Hazard.VOLCANO, r"volcan|vulkan|vulkaan|ashfall|^vow$"),
    (Hazard.CYCLONE, r"hurricane|typhoon|cyclon|cicl[oó]n|tropical (storm|depression)"),
    (Hazard.FLOOD, r"flood|inondation|\bcrues?\b|overstrom|hochwasser|überschwemm"),
    (Hazard.WILDFIRE, r"(wild|bush|forest|grass)[ -]?fire|feux? de for|bosbrand|waldbrand"),
    (Hazard.DROUGHT, r"drought|sécheresse|droogte|dürre"),
    (Hazard.CONFLICT, r"missile|air raid|armed conflict|shelling"),
)
"""Words of ``event`` and the event codes that name a hazard, most specific first."""

_HAZARD_OF_CATEGORY = {"Met": Hazard.WEATHER, "Health": Hazard.HEALTH}

_TRIPLE = re.compile(r"([^\s,]+)\s*,\s*([^,]+?)\s*,\s*([^\s,]+)")
_CIRCLE = re.compile(r"\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s")

_Code = TypeVar("_Code", bound=StrEnum)


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one report per CAP message in the payload; never raises."""
    try:
        found = list(_messages(payload))
    except UNREADABLE as error:
        return [refuse(PAYLOAD, error, payload)]
    parsed: Parsed = []
    for place, tree, raw in found:
        if tree is None:
            parsed.append(refuse(place, "index entry without the CAP message itself", raw))
            continue
        try:
            parsed.append(_report(tree, received_at))
        except UNREADABLE as error:
            parsed.append(refuse(text_of(tree, "identifier") or place, error, raw))
    return parsed


# ------------------------------------------------------------------ bytes to trees


def _messages(payload: bytes) -> Iterator[tuple[str, Tree | None, bytes]]:
    """Yield (place, message or None for an index entry, its bytes)."""
    if without_mark(payload).startswith((b"{", b"[")):
        yield from _json_messages(payload)
        return
    root = read_xml(payload)
    if local_name(root) in {"feed", "rss", "RDF"}:
        entries = root.findall(".//{*}entry") + root.findall(".//{*}item")
    else:
        entries = [root]
    for number, entry in enumerate(entries, start=1):
        alerts = [entry] if local_name(entry) == "alert" else entry.findall(".//{*}alert")
        if not alerts and entry is root:
            msg = f"the XML ({local_name(root)}) holds no CAP alert"
            raise PayloadError(msg)
        for alert in alerts:
            yield f"item {number}", tree_of_xml(alert), etree.tostring(alert)
        if not alerts:
            yield f"item {number}", None, etree.tostring(entry)


def _json_messages(payload: bytes) -> Iterator[tuple[str, Tree | None, bytes]]:
    answer = read_json(payload, object)
    inner = answer.get("entries", [answer]) if isinstance(answer, dict) else answer
    entries = inner if isinstance(inner, list) else [answer]
    for number, entry in enumerate(entries, start=1):
        fields = entry.get("alert", entry) if isinstance(entry, dict) else {}
        whole = isinstance(fields, dict) and {"identifier", "sender", "msgType"} <= set(fields)
        if not whole and entry is answer:
            msg = "the JSON holds no CAP alert"
            raise PayloadError(msg)
        yield f"item {number}", tree_of_json(fields) if whole else None, msgspec.json.encode(entry)


def _values(info: Tree, kind: str) -> dict[str, str]:
    """Return the name-value pairs of ``parameter`` or ``eventCode``; the last of a name wins."""
    pairs = ((text_of(pair, "valueName"), text_of(pair, "value")) for pair in trees(info, kind))
    return {name: value for name, value in pairs if name and value}


# ------------------------------------------------------------------ trees to reports


def _report(alert: Tree, received_at: datetime) -> IncidentReported:
    sender, identifier, sent = (_need(alert, name) for name in ("sender", "identifier", "sent"))
    sent_at = utc_of_text(sent, "sent")
    msg_type = _msg_type(_need(alert, "msgType"))
    infos = trees(alert, "info")
    if not infos and msg_type is not MsgType.CANCEL:
        msg = f"an {msg_type} without an info block says nothing"
        raise ValueError(msg)
    # Environment Canada ends some areas and keeps others in one message: then the blocks in
    # force speak, and the message is over only when all of them are.
    in_force = [info for info in infos if not _is_over(info, msg_type)]
    over = bool(infos) and not in_force
    blocks = in_force or infos
    voice = _voice(blocks)
    own_id = _triple_id(sender, identifier, sent)
    references = _references(" ".join(texts(alert, "references")))
    onsets = [_time(text_of(b, "onset") or text_of(b, "effective"), "onset") for b in blocks]
    onset_at = min([at for at in onsets if at], default=sent_at)
    areas, area_text, centre = _areas(blocks, text_of(voice, "language"))
    return IncidentReported(
        event_id=own_id,
        source=bounded_id(f"cap:{sender}"),
        occurred_at=min(onset_at, sent_at),
        observed_at=sent_at,
        received_at=received_at,
        status=_status(_need(alert, "status"), alert, infos),
        chain_id=references[0] if references else own_id,
        msg_type=msg_type,
        references=references,
        hazard=_hazard([voice, *blocks]),
        title=text_of(voice, "headline") or text_of(voice, "event") or f"{msg_type} {identifier}",
        onset_at=onset_at,
        sent_at=sent_at,
        revision=Revision.EVOLVES,
        # "Ended" as Update with AllClear or urgency Past stays an Update, over when it was sent.
        expires_at=sent_at if over else _expires_at(blocks),
        position=centre,
        areas=areas,
        area_text=area_text,
        severity=_code(Severity, text_of(voice, "severity"), Severity.UNKNOWN),
        urgency=_code(Urgency, text_of(voice, "urgency"), Urgency.UNKNOWN),
        certainty=_certainty(text_of(voice, "certainty")),
        native_level=_values(voice, "parameter").get("awareness_level")
        or text_of(voice, "severity"),
        url=text_of(voice, "web"),
    )


def _need(tree: Tree, name: str) -> str:
    text = text_of(tree, name)
    if text is None:
        msg = f"{name} is missing"
        raise ValueError(msg)
    return text


def _code(codes: type[_Code], text: str | None, default: _Code) -> _Code:
    """Return the code that ``text`` names in any case, else ``default``."""
    return next((code for code in codes if code.lower() == (text or "").lower()), default)


def _certainty(text: str | None) -> Certainty:
    if (text or "").lower() == "very likely":  # CAP 1.0, read as Likely by CAP 1.1 and 1.2
        return Certainty.LIKELY
    return _code(Certainty, text, Certainty.UNKNOWN)


def _msg_type(text: str) -> MsgType:
    for msg_type in MsgType:
        if msg_type.lower() == text.lower():
            return msg_type
    msg = f"msgType {text[:50]} is no statement about an incident"
    raise ValueError(msg)


def _status(text: str, alert: Tree, infos: list[Tree]) -> Status:
    """Return the status; a test sent as Actual is a test by its event code."""
    scope = text_of(alert, "scope")
    if scope is not None and scope.lower() != "public":
        msg = f"scope {scope[:50]}: only public messages are used"
        raise ValueError(msg)
    for status in Status:
        if status.lower() == text.lower():
            is_test = any(_values(info, "eventCode").get("SAME") in TEST_CODES for info in infos)
            return Status.TEST if is_test and status is Status.ACTUAL else status
    msg = f"status {text[:50]}: nobody may act on it"
    raise ValueError(msg)


def _voice(infos: list[Tree]) -> Tree:
    """Return the block in the best language, the first where none is known."""
    for language in LANGUAGES:
        for info in infos:
            if (text_of(info, "language") or "en-US").lower().startswith(language):
                return info
    return infos[0] if infos else {}


def _is_over(info: Tree, msg_type: MsgType) -> bool:
    """Return whether a block says that its hazard is over.

    An earthquake is always Past, so for earthquakes Past says nothing.
    """
    if "allclear" in {text.lower() for text in texts(info, "responseType")}:
        return True
    past = (text_of(info, "urgency") or "").lower() == "past"
    return past and msg_type is MsgType.UPDATE and _hazard([info]) is not Hazard.EARTHQUAKE


def _expires_at(infos: list[Tree]) -> datetime | None:
    """Return the latest end of the blocks; None where one has none.

    NWS: ``expires`` is "read again by", ``eventEndingTime`` the hazard's end.
    """
    ends = [
        _time(_values(info, "parameter").get("eventEndingTime"), "eventEndingTime")
        or _time(text_of(info, "expires"), "expires")
        for info in infos
    ]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _time(text: str | None, field: str) -> datetime | None:
    """Return an optional time; one that cannot be read counts as not given.

    A warning with an unreadable expiry stays in force until its source ends it.
    """
    try:
        return utc_of_text(text, field) if text else None
    except ValueError:
        return None


def _hazard(infos: list[Tree]) -> Hazard:
    """Return the hazard that event, codes or awareness type name, else by category."""
    words = [
        word.lower()
        for info in infos
        for word in (
            *texts(info, "event"),
            *_values(info, "eventCode").values(),
            _values(info, "parameter").get("awareness_type", ""),
        )
    ]
    for hazard, pattern in _HAZARD_WORDS:
        if any(re.search(pattern, word) for word in words):
            return hazard
    category = text_of(infos[0], "category") if infos else None
    return _HAZARD_OF_CATEGORY.get(category or "", Hazard.OTHER)


# ------------------------------------------------------------------ identity


def _triple_id(sender: str, identifier: str, sent: str) -> str:
    """Return the event id of a CAP triple, its time in UTC, equal for any offset."""
    at = _time(sent, "sent")
    text = at.isoformat().replace("+00:00", "Z") if at else sent
    return bounded_id(f"cap:{sender},{identifier},{text}")


def _references(text: str) -> tuple[str, ...]:
    """Return the event ids of the messages referred to, the earliest first."""
    triples = _TRIPLE.findall(text)
    if not triples:
        return tuple(bounded_id(f"cap:{token}") for token in text.split())
    last = datetime.max.replace(tzinfo=UTC)
    by_time = sorted(triples, key=lambda triple: (_time(triple[2], "sent") or last, triple))
    return tuple(dict.fromkeys(_triple_id(*triple) for triple in by_time))


# ------------------------------------------------------------------ areas


def _areas(
    infos: list[Tree], language: str | None
) -> tuple[tuple[Area, ...], str | None, Position | None]:
    """Return the areas of all blocks, the names of those unresolved, a circle's centre.

    The blocks of a message mostly are one text in several languages, so areas
    are taken once, and names in the one language.
    """
    areas: dict[Area, None] = {}
    names: dict[str, None] = {}
    centres: list[Position] = []
    for info in infos:
        for area in trees(info, "area"):
            resolved, whole = _resolve(area)
            areas.update(dict.fromkeys(resolved))
            centres += filter(None, map(_centre, texts(area, "circle")))
            if not whole and text_of(info, "language") == language:
                names[text_of(area, "areaDesc") or "an area without a name"] = None
    return tuple(areas), "; ".join(names) or None, next(iter(centres), None)


def _resolve(area: Tree) -> tuple[list[Area], bool]:
    """Return what an area block draws, and whether that is all of it.

    A block with geocodes only, a broken polygon or a circle of radius 0.0 is
    not all: then its name must say what cannot be drawn.
    """
    resolved: list[Area] = []
    whole = True
    for text in texts(area, "polygon"):
        try:
            resolved.append(polygons_from_cap(text).area)
        except AreaError:
            whole = False
    for text in texts(area, "circle"):
        try:
            resolved.append(circle_from_cap(text))
        except AreaError:
            whole = False
    return resolved, whole and bool(resolved)


def _centre(circle: str) -> Position | None:
    """Return the centre of a CAP circle "lat,lon radius"; a radius of 0.0 is a point."""
    found = _CIRCLE.match(circle)
    if found is None:
        return None
    try:
        return Position(lat_deg=float(found.group(1)), lon_deg=float(found.group(2)))
    except ValueError:
        return None


FEED = Feed(
    name="cap",
    about="CAP 1.1 and 1.2 alerts from files: XML, Atom with CAP inside, JSON",
    url="",
    interval_s=120,
    licence="as its sender",
    attribution="as each message's sender",
    revision=Revision.EVOLVES,
    kinds=("IncidentReported",),
    parse=parse,
    enabled=False,
    count_floor=0.0,
)
