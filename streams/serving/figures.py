"""Pure parts of the wall: how numbers have moved, and how a feed is by now."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import pycountry

from schemas.codelists import FeedState
from streams.serving.wall_answers import Change, TrendPoint, WallFeed

TREND_SPAN = timedelta(hours=3)
TREND_STEP = timedelta(minutes=5)

MOVING = ("known", "unaccounted", "needs_help", "safe", "other")
"""Numbers of a situation of which the wall says how they have moved."""

LATE_AFTER = 2
"""A feed is late after so many of its intervals without a success."""

OWN_NAMES = {"XK": "Kosovo"}
"""Areas that we use and ISO 3166 has no name for."""


class Minute(NamedTuple):
    """A situation's numbers as of a tick, the last of its minute."""

    tick_at: datetime
    complete: bool
    known: int
    unaccounted: int
    needs_help: int
    safe: int
    other: int


def as_of(history: Sequence[Minute], at: datetime) -> Minute | None:
    """Return the numbers that held at an instant, None before the first.

    A sum is said only when it changed, so the last one before holds on.
    """
    found = bisect_right(history, at, key=lambda minute: minute.tick_at)
    return history[found - 1] if found else None


def changes(history: Sequence[Minute], now: datetime | None) -> dict[str, Change]:
    """Return how the numbers have moved; by name, see ``MOVING``.

    None where the history does not reach back, or where then or now not all
    shards stood behind the number: a sum of some is no ground to compare on.
    """
    latest = as_of(history, now) if now is not None else None
    if now is None or latest is None or not latest.complete:
        return {name: Change() for name in MOVING}
    minutes_15 = as_of(history, now - timedelta(minutes=15))
    hour = as_of(history, now - timedelta(hours=1))
    return {
        name: Change(minutes_15=_moved(name, minutes_15, latest), hour=_moved(name, hour, latest))
        for name in MOVING
    }


def _moved(name: str, before: Minute | None, after: Minute) -> int | None:
    if before is None or not before.complete:
        return None
    return int(getattr(after, name)) - int(getattr(before, name))


def trend(history: Sequence[Minute], now: datetime | None) -> tuple[TrendPoint, ...]:
    """Return the numbers of the last three hours, every five minutes and now.

    It begins where the history does, and leaves out instants at which not all
    shards stood behind the sum.
    """
    if now is None:
        return ()
    step_s = TREND_STEP.total_seconds()
    first = (now - TREND_SPAN).timestamp() // step_s + 1
    last = now.timestamp() // step_s
    instants = [datetime.fromtimestamp(n * step_s, UTC) for n in range(int(first), int(last) + 1)]
    if not instants or instants[-1] != now:
        instants.append(now)
    points: list[TrendPoint] = []
    for at in instants:
        held = as_of(history, at)
        if held is not None and held.complete:
            points.append(
                TrendPoint(
                    at=at,
                    unaccounted=held.unaccounted,
                    needs_help=held.needs_help,
                    safe=held.safe,
                    other=held.other,
                )
            )
    return tuple(points)


def feed_by_now(said: WallFeed, now: datetime | None) -> WallFeed:
    """Return a feed's health as of now: late, even if nobody has said so.

    Only a feed that is held to be well, or late already, turns late by the
    clock: down and suspect are worse and stay, and of an unknown one nothing
    is known to be late.
    """
    if now is None or said.last_success_at is None or said.expected_interval_s is None:
        return said
    due_at = said.last_success_at + timedelta(seconds=LATE_AFTER * said.expected_interval_s)
    if said.state != FeedState.OK or now <= due_at:
        return said
    return WallFeed(
        feed=said.feed,
        state=FeedState.LATE,
        reason=(
            f"no success since {said.last_success_at:%Y-%m-%d %H:%M:%SZ};"
            f" one is expected every {said.expected_interval_s} s"
        ),
        last_success_at=said.last_success_at,
        since=due_at,
        expected_interval_s=said.expected_interval_s,
        items=said.items,
        usual_items=said.usual_items,
    )


def silent_feed(name: str, interval_s: int) -> WallFeed:
    """Return the health of a feed that is to be polled and has never spoken."""
    return WallFeed(
        feed=name,
        state=FeedState.UNKNOWN,
        reason="it has not been heard of since the start",
        last_success_at=None,
        since=None,
        expected_interval_s=interval_s,
        items=None,
        usual_items=None,
    )


@cache
def area_name(code: str) -> str:
    """Return the name of an ISO 3166-2 or alpha-2 code, as pycountry has it.

    "" for nowhere; a code that pycountry does not have stands for itself.
    """
    if not code:
        return ""
    units: Any = pycountry.subdivisions if "-" in code else pycountry.countries
    unit = units.get(code=code) if "-" in code else units.get(alpha_2=code)
    return OWN_NAMES.get(code, code) if unit is None else str(unit.name)
