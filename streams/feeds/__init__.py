"""Feeds: sources of reports and advice, one module each, registered here.

Adding a feed is one module with a ``FEED``, its line below, and its payloads
in ``tests/feeds/data/<feed>/``.
"""

from streams.feeds import advice_de, cap, gdacs, ndjson, usgs
from streams.feeds.base import Feed

FEEDS: tuple[Feed, ...] = (usgs.FEED, gdacs.FEED, cap.FEED, advice_de.FEED, ndjson.FEED)
"""Every feed, in the order it is listed and polled."""


def feed_named(name: str) -> Feed:
    """Return the feed of that name; ``KeyError`` names those there are."""
    for feed in FEEDS:
        if feed.name == name:
            return feed
    msg = f"no feed {name!r}; there are {', '.join(feed.name for feed in FEEDS)}"
    raise KeyError(msg)
