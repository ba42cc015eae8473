"""Sentences about one person: pure, over what the store answers."""

from collections.abc import Mapping
from typing import Any

from dashboard.furniture import clock, plain
from dashboard.words import Words
from schemas.exposure import Reason
from streams.serving.people_answers import Moment, Standing

KINDS = {
    "registration": "▤",
    "check_in": "◎",
    "contact": "☎",
    "override": "✎",
    "link": "⚭",
    "exposure": "◈",
    "movement": "→",
    "alert": "!",
}
"""A sign for each kind of moment, so that a long story can be skimmed."""


def why(value: str | None, say: Words) -> str:
    """Return why somebody stands where they stand; a word we lack stays as it is."""
    if value is None:
        return say["unknown"]
    return say.get(f"why_{value}") or say.get(f"contact_{value}") or value


def standing_line(one: Standing, say: Words) -> str:
    """Return one line of the ledger: bucket, since when, why and who says so."""
    title = one.title or one.situation_id
    if one.bucket is None:
        return f"{title}: {say['person_withdrawn']}"
    said = say(
        "person_ledger_line",
        bucket=say[f"bucket_{one.bucket}"],
        at=clock(one.at, say),
        why=why(one.why, say),
        by=say[f"by_{one.by}"] if one.by else say["unknown"],
    )
    return f"{title}: {said}"


def radius(radius_m: float | None, say: Words) -> str:
    """Return a radius in metres or kilometres; unknown is a word."""
    if radius_m is None:
        return say["unknown"]
    if radius_m < 1000:
        return say("unit_m", n=round(radius_m))
    return say("unit_km", n=f"{radius_m / 1000:.3g}")


def place_line(reason: Reason, say: Words) -> str:
    """Return where somebody is believed to be, how exactly, and as of when."""
    return say(
        "person_presence_line",
        place=reason.place_name or reason.admin1 or reason.country or say["unknown"],
        radius=radius(reason.radius_m, say),
        basis=say[f"basis_{reason.basis}"],
        precision=say[f"precision_{reason.precision}"],
        as_of=clock(reason.as_of, say),
    )


def line(one: Moment, say: Words) -> str:
    """Return one moment as Markdown: when, what, who, why, by what cause."""
    kind = plain(say.get(f"moment_{one.kind}") or say.get(f"verb_{one.kind}") or one.kind)
    mark = ""
    if one.status != "Actual":
        mark = f":orange-badge[{plain(say['status_' + one.status])}] "
    tail = [plain(say.get(f"by_{one.who}", one.who)) if one.who else ""]
    tail += [plain(why(one.why, say)) if one.why else "", plain(facts(one, say))]
    if one.cause_event_id:
        tail.append(f":gray[{plain(say('person_cause', id=one.cause_event_id))}]")
    after = " · ".join(part for part in tail if part)
    said = f"`{one.at:%Y-%m-%d %H:%M} UTC` {KINDS.get(one.kind, '·')} {mark}**{kind}** "
    said += plain(what(one, say))
    return f"{said} — {after}" if after else said


def what(one: Moment, say: Words) -> str:
    """Return what a moment's outcome is called on the page."""
    for prefix in ("bucket", "contact", "tier", "what", "rule"):
        if found := say.get(f"{prefix}_{one.what}"):
            return found
    return one.what


def facts(one: Moment, say: Words) -> str:
    """Return the facts of a moment that a reader needs, in words."""
    told = one.facts
    if one.kind == "registration":
        return "; ".join(_stay(stay) for stay in told.get("stays", ()))
    if one.kind == "check_in" and told.get("lon_deg") is not None:
        return f"{told['lat_deg']:.4f}, {told['lon_deg']:.4f}"
    if one.kind == "contact":
        place = (told.get("place") or {}).get("name")
        channel = say.get(f"channel_{told.get('channel')}", "")
        return ", ".join(part for part in (channel, place) if part)
    if one.kind == "exposure":
        parts = [say.get(f"tier_{told.get('tier')}", ""), told.get("band"), told.get("cause_id")]
        return ", ".join(str(part) for part in parts if part)
    if one.kind == "movement" and told.get("from_bucket"):
        return say("person_from", bucket=say[f"bucket_{told['from_bucket']}"])
    if one.kind == "alert" and told.get("acknowledged_by"):
        return say("person_by_user", user=told["acknowledged_by"])
    return ""


def _stay(stay: Mapping[str, Any]) -> str:
    place = stay.get("place") or {}
    where = place.get("name") or place.get("admin1") or place.get("country") or "?"
    return f"{where} {stay.get('from_date') or '?'} → {stay.get('to_date') or '…'}"
