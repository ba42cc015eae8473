"""Rollcall's own health as columns of tables: pure, over answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.figures import FEED_SIGNS, age, number
from dashboard.words import Words
from streams.serving.answers import DeadLetter, FaultNow
from streams.serving.wall_answers import WallFeed, WallInput, WallNow


def feeds(found: Sequence[WallFeed], as_of: datetime | None, say: Words) -> dict[str, list[Any]]:
    """Return the columns of the feeds' table."""
    return {
        "feed": [feed.feed for feed in found],
        "state": [
            f"{FEED_SIGNS.get(feed.state, FEED_SIGNS['unknown'])[1]} {say('feed_' + feed.state)}"
            for feed in found
        ],
        "reason": [feed.reason for feed in found],
        "age": [since(feed.last_success_at, as_of, say) for feed in found],
        "last_success": [feed.last_success_at for feed in found],
        "interval": [
            say["unknown"] if feed.expected_interval_s is None
            else age(feed.expected_interval_s, say)
            for feed in found
        ],
        "items": [feed.items for feed in found],
        "usual": [feed.usual_items for feed in found],
    }  # fmt: skip


def since(at: datetime | None, as_of: datetime | None, say: Words) -> str:
    """Return how long ago something was on the log's clock; never is a word."""
    if at is None:
        return say["feed_never"]
    return say["unknown"] if as_of is None else age((as_of - at).total_seconds(), say)


def inputs(found: Iterable[WallInput], as_of: datetime | None, say: Words) -> dict[str, str]:
    """Return for each kind of input when the last of it came in."""
    return {
        say[f"input_{one.kind}"]: say["input_never"]
        if one.last_at is None
        else since(one.last_at, as_of, say)
        for one in found
    }


def off_balance(now: WallNow) -> int:
    """Return how many situations' ledgers do not balance."""
    return sum(one.imbalance is not None and not one.imbalance.balanced for one in now.situations)


def shards(now: WallNow, say: Words) -> str:
    """Return how many of the shards stand behind the numbers."""
    whole = now.completeness
    if whole is None:
        return say["unknown"]
    return say("shards_of", reached=whole.reached, shards=whole.shards)


def figures(now: WallNow, say: Words) -> dict[str, tuple[str, str]]:
    """Return the figures of the pipeline by label, each with its help."""
    pipeline, off = now.pipeline, off_balance(now)
    balance = say("balance_off", n=off) if off else say["balance_ok"]
    return {
        say["people_label"]: (number(now.people, say), ""),
        say["shards"]: (shards(now, say), say["shards_help"]),
        say["lag"]: (number(pipeline.lag, say), say["lag_help"]),
        say["skipped"]: (number(pipeline.skipped, say), say["skipped_help"]),
        say["letters"]: (number(pipeline.dead_letters, say), ""),
        say["balance"]: (say["unknown"] if now.as_of is None else balance, ""),
    }


def faults(found: Sequence[FaultNow]) -> dict[str, list[Any]]:
    """Return the columns of the open faults."""
    return {
        "fault": [one.fault for one in found],
        "stage": [one.stage for one in found],
        "partition": [one.partition for one in found],
        "detail": [one.detail for one in found],
        "since": [one.at for one in found],
    }


def letters(found: Sequence[DeadLetter], say: Words) -> dict[str, list[Any]]:
    """Return the columns of refused records: never their content."""
    return {
        "at": [one.at for one in found],
        "reason": [one.reason for one in found],
        "type": [one.message_type for one in found],
        "topic": [one.topic for one in found],
        "place": [f"{one.partition}/{one.offset}" for one in found],
        "retryable": [say["yes"] if one.retryable else say["no"] for one in found],
        "retried": [one.retried_at for one in found],
    }


def deliveries(counts: Mapping[tuple[str, str], int], say: Words) -> dict[str, list[Any]]:
    """Return the columns of deliveries by channel and state."""
    return {
        "channel": [channel for channel, _ in counts],
        "state": [say.get(f"delivery_{state}", state) for _, state in counts],
        "count": list(counts.values()),
    }
