"""Figures, banners and badges of the staff pages: pure, over values.

Everything a page says about the whole of a situation is decided here: what a
number is called, whether it is an "at least", what must be said beside it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from dashboard.words import Words
from streams.serving.wall_answers import WallFeed, WallNow, WallSituation

STALE_AFTER = timedelta(seconds=10)
"""Without a sign of the engine for longer than this a page says so (design)."""

OTHER = (
    "unreachable",
    "left_area",
    "never_there",
    "declines_to_leave",
    "evacuated",
    "no_longer_affected",
    "deceased",
)
"""The buckets that the wall adds up as "other"."""

KINDS = ("unaccounted", "needs_help", "safe", "other")
"""What wall and map tell apart, in the order of the map's arrays."""

GLYPH = {"unaccounted": "?", "needs_help": "▲", "safe": "✓"}
"""A second sign beside colour; every other bucket has the dot."""


class Kpi(NamedTuple):
    """One number of a situation, and the buckets whose list stands behind it.

    ``buckets`` empty: everybody; None: no list can be opened.
    """

    key: str
    label: str
    value: str
    note: str
    buckets: tuple[str, ...] | None


class Banner(NamedTuple):
    """Something that must not be missed; ``kind`` is error, warning or info."""

    kind: str
    text: str


class Badge(NamedTuple):
    """A feed in two words; ``glyph`` tells its state without colour."""

    color: str
    glyph: str
    text: str
    help: str


def glyph(bucket: str) -> str:
    """Return the sign of a bucket that works without colour."""
    return GLYPH.get(bucket, "●")


def number(value: int | None, say: Words, *, at_least: bool = False) -> str:
    """Return a count as shown: unknown is a word, incomplete an "at least"."""
    if value is None:
        return say("unknown")
    shown = f"{value:,}".replace(",", "\u202f")
    return f"≥ {shown}" if at_least else shown


def age(seconds: float, say: Words) -> str:
    """Return an age in the largest unit that still says something."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= 2 * size or (unit == "min" and whole >= 60):
            return say(f"unit_{unit}", n=whole // size)
    return say("unit_s", n=whole)


def kpis(one: WallSituation, say: Words) -> tuple[Kpi, ...]:
    """Return the six numbers of a situation, in the order they are shown."""
    parts = [
        f"{say('bucket_' + bucket)} {number(count, say)}"
        for bucket, count in (one.other_parts or {}).items()
        if count
    ]
    least = one.at_least

    def of(key: str, value: int | None, note: str, buckets: tuple[str, ...] | None) -> Kpi:
        label = f"{glyph(key)} {say['bucket_' + key]}" if key in KINDS else say[key]
        return Kpi(key, label, number(value, say, at_least=least), note, buckets)

    return (
        of("unaccounted", one.unaccounted, _moved(one, "unaccounted", say), ("unaccounted",)),
        of("needs_help", one.needs_help, _moved(one, "needs_help", say), ("needs_help",)),
        of("safe", one.safe, _moved(one, "safe", say), ("safe",)),
        of("other", one.other, " · ".join(parts) or say("other_none"), OTHER),
        of("known", one.known, _known_note(one, say), ()),
        of("inbound", one.inbound, say("inbound_note"), None),
    )


def _moved(one: WallSituation, key: str, say: Words) -> str:
    """Return how a number has moved in a quarter of an hour, if that is known."""
    change = one.changes.get(key)
    if change is None or change.minutes_15 is None:
        return say("change_unknown")
    by = change.minutes_15
    if by == 0:
        return say("change_none")
    return say("change_15", arrow="▲" if by > 0 else "▼", n=abs(by))


def _known_note(one: WallSituation, say: Words) -> str:
    if one.imbalance is not None and not one.imbalance.balanced:
        return say("imbalance", n=one.imbalance.room or one.imbalance.buckets)
    if one.duplicates:
        return say("duplicates", n=one.duplicates)
    return say("known_note")


def completeness(one: WallSituation, say: Words) -> str:
    """Return how much of Rollcall stands behind the numbers, in a sentence."""
    whole = one.completeness
    if whole is None:
        return say("complete_unknown")
    key = "complete_part" if one.at_least else "complete_all"
    return say(key, reached=whole.reached, shards=whole.shards)


def banners(now: WallNow, machine_at: datetime, say: Words) -> tuple[Banner, ...]:
    """Return what must stand over every number: stale, replay, exercise, faults."""
    said = []
    clock = now.clock
    silent = None if clock.beat_wall_at is None else machine_at - clock.beat_wall_at
    if now.as_of is None:
        said.append(Banner("warning", say("banner_nothing_yet")))
    if silent is None:
        said.append(Banner("error", say("banner_never_heard")))
    elif silent > STALE_AFTER:
        said.append(Banner("error", say("banner_stale", age=age(silent.total_seconds(), say))))
    if clock.status != "Actual":
        said.append(Banner("warning", say("banner_exercise")))
    if clock.mode == "replay":
        key = "banner_replay_ended" if clock.phase == "ended" else "banner_replay"
        speed = "?" if clock.speed is None else f"{clock.speed:g}"
        said.append(Banner("warning", say(key, title=clock.title or "?", speed=speed)))
    if clock.phase == "loading":
        done, of = number(clock.done, say), number(clock.of, say)
        said.append(Banner("info", say("banner_loading", done=done, of=of)))
    named = [say.get(f"fault_{fault}", fault) for fault in now.pipeline.faults]
    said += [Banner("error", say("banner_fault", fault=fault)) for fault in named]
    return tuple(said)


FEED_SIGNS = {
    "ok": ("green", "✓"),
    "late": ("orange", "▲"),
    "suspect": ("orange", "◆"),
    "down": ("red", "✕"),
    "unknown": ("gray", "?"),
}


def badges(
    feeds: tuple[WallFeed, ...] | None, as_of: datetime | None, say: Words
) -> tuple[Badge, ...] | None:
    """Return a badge for every feed, or None where it is not known which there are."""
    if feeds is None:
        return None
    return tuple(_badge(feed, as_of, say) for feed in feeds)


def _badge(feed: WallFeed, as_of: datetime | None, say: Words) -> Badge:
    color, sign = FEED_SIGNS.get(feed.state, FEED_SIGNS["unknown"])
    if feed.last_success_at is None or as_of is None:
        heard = say("feed_never")
    else:
        heard = age((as_of - feed.last_success_at).total_seconds(), say)
    state = say(f"feed_{feed.state}")
    help_ = f"{state}: {feed.reason}" if feed.reason else state
    text = f"{feed.feed} {heard}" if feed.state == "ok" else f"{feed.feed} {state} · {heard}"
    return Badge(color, sign, text, help_)
