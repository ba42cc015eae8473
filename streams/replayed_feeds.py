"""Feeds in a replay: nobody is asked, so the scenario says how they are.

A scenario's ``[[poll]]`` names a feed, how often it would have been asked, and
when it would not have answered (``silent``). What follows from that is pure:
the health that a poller would have published by a given moment.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from schemas.codelists import FeedState
from schemas.operations import FeedHealthChanged


class Silence(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"begin": "from", "end": "to"}
):
    """From ``begin`` until before ``end`` the feed is ``state``, for a reason."""

    begin: datetime
    end: datetime
    state: Literal["late", "suspect", "down"]
    reason: str

    def __post_init__(self) -> None:
        """Refuse a span without time zone, or that ends before it begins."""
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            msg = "from and to of a silent span need a time zone"
            raise ValueError(msg)
        if self.end <= self.begin:
            msg = f"a silent span ends at {self.end.isoformat()}, not after it begins"
            raise ValueError(msg)

    def covers(self, at: datetime) -> bool:
        """Tell whether the feed is silent at ``at``."""
        return self.begin <= at < self.end


class Poll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feed that is asked in the scenario, every ``interval_s`` from its start."""

    feed: str
    interval_s: Annotated[int, msgspec.Meta(ge=1)]
    silent: tuple[Silence, ...] = ()
    invented: bool = False
    note: str = ""

    def silence_at(self, at: datetime) -> Silence | None:
        """Return the span in which the feed is silent at ``at``, if there is one."""
        return next((one for one in self.silent if one.covers(at)), None)


def healths(
    polls: Iterable[Poll], start: datetime, after: datetime | None, at: datetime
) -> Iterator[FeedHealthChanged]:
    """Yield what the feeds asked after ``after`` and until ``at`` have last said.

    ``after`` None: nobody was asked before ``start``. Of several polls of one
    feed the last one speaks, as its health is absolute.
    """
    for poll in polls:
        asked_at = _last_poll(poll, start, at)
        if after is None or asked_at > after:
            yield _health(poll, start, asked_at, at)


def _last_poll(poll: Poll, start: datetime, at: datetime) -> datetime:
    interval = timedelta(seconds=poll.interval_s)
    return start + ((at - start) // interval) * interval


def _health(poll: Poll, start: datetime, asked_at: datetime, at: datetime) -> FeedHealthChanged:
    silence = poll.silence_at(asked_at)
    return FeedHealthChanged(
        event_id=f"health:{poll.feed}:{asked_at.astimezone(UTC).isoformat()}",
        source="scenario",
        occurred_at=asked_at,
        received_at=at,
        feed=poll.feed,
        state=FeedState.OK if silence is None else FeedState(silence.state),
        reason="not modified" if silence is None else silence.reason,
        last_success_at=_last_success(poll, start, asked_at),
        expected_interval_s=poll.interval_s,
    )


def _last_success(poll: Poll, start: datetime, asked_at: datetime) -> datetime | None:
    """Return the newest poll that was answered, up to ``asked_at``."""
    at = asked_at
    while at >= start:
        silence = poll.silence_at(at)
        if silence is None:
            return at
        before = _last_poll(poll, start, silence.begin)
        at = before if before < silence.begin else before - timedelta(seconds=poll.interval_s)
    return None
