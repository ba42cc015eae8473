"""Polling the feeds: when to ask, what an answer means, how a feed is doing.

``plan`` and ``judge`` are functions over values and hold every decision;
``Poller`` holds the HTTP client and does what they say.

Nothing here ever ends anything. An error, an empty answer, a page that is no
data and a list that lost a fifth of its events are states of the feed, each
with its reason, shown beside the numbers it feeds (design 4.5).
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

import httpx

from schemas.codelists import FeedState
from schemas.envelope import Event
from schemas.operations import FeedHealthChanged
from streams.feeds.base import PAYLOAD, Feed, ItemReject, Parsed, sniff

MAX_BYTES = 32 * 1024 * 1024
"""Largest payload read; the biggest seen is 9.4 MB (MeteoAlarm, Switzerland)."""

TIMEOUT_S = 30.0
"""Longest silence of a publisher, and longest time for a whole answer."""

BACK_OFF_CEILING_S = 1800
"""Longest pause after errors, unless the publisher asks for more."""

RETRY_AFTER_CEILING_S = 86_400
"""Longest pause a publisher can ask for: a day, then we ask again."""

JITTER = 0.1
"""Share of the pause added at random, so that feeds and hosts do not march in step."""

LATE_INTERVALS = 5
"""Failing for fewer intervals than this is late; from here on it is down."""

REPEAT_S = 600
"""Health is said again after this long without change, to carry its freshness."""

SUSPECT_S = 86_400
"""After a day of short answers the short count is the usual one."""


class State(NamedTuple):
    """What is remembered of a feed between two polls.

    ``etag``, ``last_modified`` and ``body_hash`` are those of the last good
    answer, so that "not modified" always speaks of a good one.
    ``usual_items`` is its number of events. ``failures`` are consecutive.
    """

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    usual_items: int | None = None
    failures: int = 0
    first_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    short_since: datetime | None = None
    health: FeedState = FeedState.UNKNOWN
    said_at: datetime | None = None


class Request(NamedTuple):
    """What to ask."""

    url: str
    headers: dict[str, str]


class Answer(NamedTuple):
    """What came back: a status with its body, or an ``error`` in words."""

    status: int | None = None
    body: bytes = b""
    etag: str | None = None
    last_modified: str | None = None
    retry_after: str | None = None
    error: str | None = None


class Judgement(NamedTuple):
    """What an answer means: what to append, when to ask again, what to remember."""

    items: Parsed
    health: FeedHealthChanged | None
    next_poll_at: datetime
    state: State


class _Verdict(NamedTuple):
    items: Parsed
    health: FeedState
    reason: str
    state: State
    pause_s: float
    items_now: int | None = None


def plan(feed: Feed, state: State, contact: str) -> Request:
    """Return the conditional request; ``contact`` tells the publisher who asks."""
    headers = {"User-Agent": f"Rollcall/0.2 (+{contact})", "Accept-Encoding": "gzip"}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    return Request(feed.url, headers)


def judge(feed: Feed, state: State, answer: Answer, now: datetime, jitter: float) -> Judgement:
    """Return what an answer means; ``jitter`` is a random number in [0, 1)."""
    state = state._replace(first_poll_at=state.first_poll_at or now)
    if answer.error is not None:
        verdict = _failed(feed, state, answer, now, answer.error)
    elif answer.status == HTTPStatus.NOT_MODIFIED:
        verdict = _unchanged(feed, state, now)
    elif answer.status != HTTPStatus.OK:
        verdict = _failed(feed, state, answer, now, f"answered HTTP {answer.status}")
    else:
        verdict = _answered(feed, state, answer, now)
    return _judgement(feed, verdict, now, jitter)


def judge_broken(
    feed: Feed, state: State, error: Exception, now: datetime, jitter: float
) -> Judgement:
    """Return what an exception in asking or reading means: the feed is down."""
    state = state._replace(first_poll_at=state.first_poll_at or now)
    reason = f"its answer broke the reader: {type(error).__name__}: {error}"
    verdict = _failed(feed, state, Answer(), now, reason)._replace(health=FeedState.DOWN)
    return _judgement(feed, verdict, now, jitter)


def _judgement(feed: Feed, verdict: _Verdict, now: datetime, jitter: float) -> Judgement:
    health = _health(feed, verdict, now)
    state = verdict.state
    if health is not None:
        state = state._replace(health=verdict.health, said_at=now)
    pause = timedelta(seconds=verdict.pause_s * (1.0 + JITTER * jitter))
    return Judgement(verdict.items, health, now + pause, state)


def _answered(feed: Feed, state: State, answer: Answer, now: datetime) -> _Verdict:
    what_else = sniff(answer.body)
    if what_else is not None:
        return _suspect(feed, state, answer, now, items=[], reason=what_else)
    body_hash = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
    if body_hash == state.body_hash:
        return _unchanged(feed, state, now)
    items = feed.parse(answer.body, now)
    unreadable = [i.reason for i in items if isinstance(i, ItemReject) and i.item == PAYLOAD]
    if unreadable:
        return _suspect(feed, state, answer, now, items=items, reason=unreadable[0])
    count = sum(isinstance(item, Event) for item in items)
    refused = len(items) - count
    good = state._replace(
        etag=answer.etag,
        last_modified=answer.last_modified,
        body_hash=body_hash,
        usual_items=count,
        failures=0,
        last_success_at=now,
        short_since=None,
    )
    reason = _shortfall(feed, state, count)
    if reason is None:
        reason = f"{count} events" + (f", {refused} items refused" if refused else "")
        return _Verdict(items, FeedState.OK, reason, good, feed.interval_s, count)
    short_since = state.short_since or now
    if count and now - short_since >= timedelta(seconds=SUSPECT_S):
        reason = f"{count} events, as for a day now: taken as usual"
        return _Verdict(items, FeedState.OK, reason, good, feed.interval_s, count)
    short = state._replace(failures=0, short_since=short_since)
    return _Verdict(items, FeedState.SUSPECT, reason, short, feed.interval_s, count)


def _shortfall(feed: Feed, state: State, count: int) -> str | None:
    """Return what is wrong with the number of events, in words; None if nothing."""
    if feed.count_floor <= 0.0:
        return None
    if count == 0:
        return "the answer holds no events; nothing is ended by that"
    usual = state.usual_items
    if usual is not None and count < feed.count_floor * usual:
        return f"{count} events where {usual} are usual; nothing is ended by that"
    return None


def _unchanged(feed: Feed, state: State, now: datetime) -> _Verdict:
    state = state._replace(failures=0, last_success_at=now, short_since=None)
    return _Verdict([], FeedState.OK, "not modified", state, feed.interval_s, state.usual_items)


def _suspect(
    feed: Feed, state: State, answer: Answer, now: datetime, *, items: Parsed, reason: str
) -> _Verdict:
    """Return the verdict on an answer that came, but cannot be what it should be."""
    failed = _failed(feed, state, answer, now, reason)
    return failed._replace(items=items, health=FeedState.SUSPECT, reason=reason)


def _failed(feed: Feed, state: State, answer: Answer, now: datetime, reason: str) -> _Verdict:
    failures = state.failures + 1
    back_off_s = min(feed.interval_s * 2.0**failures, BACK_OFF_CEILING_S)
    pause_s = max(back_off_s, feed.interval_s, _retry_after_s(answer.retry_after, now))
    failing = now - (state.last_success_at or state.first_poll_at or now)
    late = state.last_success_at is not None and failing < timedelta(
        seconds=feed.interval_s * LATE_INTERVALS
    )
    health = FeedState.LATE if late else FeedState.DOWN
    return _Verdict([], health, reason, state._replace(failures=failures), pause_s)


def _retry_after_s(text: str | None, now: datetime) -> float:
    """Return seconds to wait, from seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if text is None:
        return 0.0
    text = text.strip()
    if text.isdecimal() and len(text) < 10:
        asked_s = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
            asked_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, OverflowError, TypeError):
            return 0.0
    return min(max(asked_s, 0.0), RETRY_AFTER_CEILING_S)


def _health(feed: Feed, verdict: _Verdict, now: datetime) -> FeedHealthChanged | None:
    """Return the health to publish: on a change, and again to carry its freshness."""
    state = verdict.state
    recent = state.said_at is not None and now - state.said_at < timedelta(seconds=REPEAT_S)
    if recent and verdict.health is state.health:
        return None
    return FeedHealthChanged(
        event_id=f"health:{feed.name}:{now.isoformat()}",
        source="poller",
        occurred_at=now,
        received_at=now,
        feed=feed.name,
        state=verdict.health,
        reason=verdict.reason,
        items=verdict.items_now,
        usual_items=state.usual_items,
        last_success_at=state.last_success_at,
        expected_interval_s=feed.interval_s,
    )


class Poller:
    """Asks the feeds that are due and hands on what they mean.

    ``append`` gets a feed's items and its health, and returns once they are
    durable; if it raises, nothing is remembered, so the same is asked again.
    ``clock`` gives aware UTC; ``jitter`` a number in [0, 1). ``noted`` is told
    what each answer meant for its feed, once it is durable. Not thread-safe.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        client: httpx.Client,
        append: Callable[[Feed, Parsed, FeedHealthChanged | None], None],
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        contact: str,
        noted: Callable[[Feed, FeedState], None] = lambda _feed, _state: None,
    ) -> None:
        """Take the feeds that have an address; all are due at once."""
        self._client, self._append = client, append
        self._clock, self._jitter, self._contact = clock, jitter, contact
        self._noted = noted
        self._feeds = [feed for feed in feeds if feed.url]
        self._states = {feed.name: State() for feed in self._feeds}
        self._due = {feed.name: clock() for feed in self._feeds}

    def poll_due(self) -> datetime | None:
        """Poll every feed that is due, in order; return when the next one is.

        None means that there is no feed to poll.
        """
        for feed in self._feeds:
            if self._due[feed.name] <= self._clock():
                self._poll(feed)
        return min(self._due.values(), default=None)

    def state_of(self, name: str) -> State:
        """Return what is remembered of a feed."""
        return self._states[name]

    def _poll(self, feed: Feed) -> None:
        state = self._states[feed.name]
        try:
            answer = self._fetch(plan(feed, state, self._contact))
            judged = judge(feed, state, answer, self._clock(), self._jitter())
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one feed must not silence the others
            judged = judge_broken(feed, state, error, self._clock(), self._jitter())
        if judged.items or judged.health is not None:
            self._append(feed, judged.items, judged.health)
        self._states[feed.name] = judged.state
        self._noted(feed, judged.state.health)
        self._due[feed.name] = judged.next_poll_at

    def _fetch(self, request: Request) -> Answer:
        deadline = self._clock() + timedelta(seconds=TIMEOUT_S)
        body = bytearray()
        try:
            with self._client.stream(
                "GET", request.url, headers=request.headers, timeout=TIMEOUT_S
            ) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        return Answer(error=f"the answer is over {MAX_BYTES // 2**20} MB")
                    if self._clock() > deadline:
                        return Answer(error=f"no whole answer within {TIMEOUT_S:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(error=f"{type(error).__name__}: {error}")
        headers = response.headers
        return Answer(
            status=response.status_code,
            body=bytes(body),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            retry_after=headers.get("retry-after"),
        )
