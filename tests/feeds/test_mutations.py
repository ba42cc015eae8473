"""No bytes make a parser raise: cut, garbled, doubled, reordered, or invented."""

import copy
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from schemas.envelope import Event
from streams.feeds import FEEDS, feed_named
from streams.feeds.base import ItemReject
from streams.statement import MAX_BODY_CHARS

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DATA = Path(__file__).parent / "data"
CUTS, GARBLED, WRONG = 60, 40, 60
LARGEST_SAMPLE = 130_000
JUNK: list[Any] = [
    None, True, -1, 0, 10**25, 1e308, -0.5, "", " ", "x" * 300, "\u00a0\u200b", "-999", "null", [],
    {}, [[]], [None, None], ["a", "b"], [361.0, 0.0], {"a": 1}, "2026-13-45",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "91,181 5", "1,1 1,1 1,1 1,1", "50,4 1e9", "nan,nan 1", "a,b,c",
]  # fmt: skip
OWN = [
    pytest.param(feed, path, id=f"{feed.name}/{path.name}")
    for feed in FEEDS
    for path in sorted((DATA / feed.name).iterdir())
]


def check(feed, payload):
    """Parse; whatever comes back is an event or a refusal with its reason."""
    for item in feed.parse(payload, NOW):
        if isinstance(item, ItemReject):
            assert item.item
            assert item.reason
            assert len(item.body) <= MAX_BODY_CHARS
        else:
            assert isinstance(item, Event)


def nodes(value):
    """Yield (container, key) of everything inside a JSON value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from nodes(value[key])


def wrong_values(payload, wrong, rng):
    """Yield the payload well-formed, with one value or element wrong, gone or doubled."""
    try:
        value = json.loads(payload)
    except ValueError:
        value = None
    if value is not None:
        for container, key in rng.choices(list(nodes(value)), k=wrong):
            if (isinstance(container, dict) and key in container) or (
                isinstance(container, list) and key < len(container)
            ):
                was, container[key] = container[key], rng.choice(JUNK)
                yield json.dumps(value).encode()
                container[key] = was
        return
    try:
        root = etree.fromstring(payload, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError:
        return
    for element in rng.choices(list(root.iter(etree.Element)), k=wrong):
        was, act = element.text, rng.randrange(3)
        parent = element.getparent()
        if act == 0 or parent is None:
            element.text = str(rng.choice(JUNK[3:]))
            yield etree.tostring(root)
            element.text = was
        elif act == 1:
            parent.append(double := copy.deepcopy(element))
            yield etree.tostring(root)
            parent.remove(double)
        elif element in parent:
            place = parent.index(element)
            parent.remove(element)
            yield etree.tostring(root)
            parent.insert(place, element)


def mutations(payload, share, seed):
    """Yield a payload cut, doubled, shuffled by lines, garbled, and with values wrong."""
    rng = random.Random(seed)
    cuts, garbled = CUTS // share, GARBLED // share
    yield from wrong_values(payload, WRONG // share, rng)
    for k in range(cuts):
        yield payload[: len(payload) * k // cuts]
    yield payload + payload
    lines = payload.splitlines(keepends=True)
    rng.shuffle(lines)
    yield b"".join(lines)
    for _ in range(garbled):
        broken = bytearray(payload)
        for _ in range(rng.choice([1, 1, 3, 30])):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        yield bytes(broken)


@pytest.mark.parametrize(("feed", "path"), OWN)
def test_hand_made_payloads_survive_every_mutation(feed, path):
    for seed in range(5):
        for payload in mutations(path.read_bytes(), 1, f"{path.name} {seed}"):
            check(feed, payload)


@pytest.mark.parametrize("name", ["usgs", "gdacs", "cap", "de_aa"])
def test_recorded_payloads_survive_every_mutation(samples, name):
    feed = feed_named(name)
    for path in sorted((samples / name).iterdir()):
        share = 1 if path.stat().st_size <= LARGEST_SAMPLE else 8
        for payload in mutations(path.read_bytes(), share, path.name):
            check(feed, payload)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_every_feed_refuses_the_payloads_of_every_other(feed):
    for other in FEEDS:
        for path in sorted((DATA / other.name).iterdir()):
            check(feed, path.read_bytes())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type id features properties geometry coordinates time updated mag ids status"
                " response lastModified warning countryCode eventtype eventid episodeid"
                " fromdate datemodified alert entries info area identifier sender sent"
                " msgType polygon circle".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(value=JSON)
def test_any_json_is_read_or_refused(value):
    payload = json.dumps(value).encode()  # writes NaN and Infinity, as some publishers do
    for feed in FEEDS:
        check(feed, payload)


@settings(max_examples=60)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload):
    for feed in FEEDS:
        check(feed, payload)
