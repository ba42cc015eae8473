"""Sentences about one person: pure, over what the store answers."""

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
    kind = plain(say.get(f"moment_{one.kind}", one.kind))
    mark = ""
    if one.status != "Actual":
        mark = f":orange-badge[{plain(say['status_' + one.status])}] "
    said = f"**{kind}** {plain(what(one, say))}"
    facts = ", ".join(f"{name} {_fact(value)}" for name, value in one.facts.items() if value)
    tail = [plain(say.get(f"by_{one.who}", one.who)) if one.who else ""]
    tail += [plain(why(one.why, say)) if one.why else "", plain(facts)]
    if one.cause_event_id:
        tail.append(f":gray[{plain(say('person_cause', id=one.cause_event_id))}]")
    after = " · ".join(part for part in tail if part)
    sign = KINDS.get(one.kind, "·")
    line_ = f"`{one.at:%Y-%m-%d %H:%M} UTC` {sign} {mark}{said}"
    return f"{line_} — {after}" if after else line_


def what(one: Moment, say: Words) -> str:
    """Return what a moment's outcome is called on the page."""
    for prefix in ("bucket", "contact", "tier", "what"):
        if found := say.get(f"{prefix}_{one.what}"):
            return found
    return one.what


def _fact(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value)
    return str(value)
