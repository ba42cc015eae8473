"""The poller against a real HTTP server on this machine; time is injected."""

import gzip
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msgspec
import pytest

from schemas.codelists import FeedState
from schemas.envelope import Event
from streams.feeds import feed_named
from streams.feeds import poller as poller_module
from streams.feeds.poller import Poller

START = datetime(2026, 5, 2, 12, tzinfo=UTC)
QUAKE = {"id": "us1", "properties": {"time": 1675646254342, "updated": 1675650000123, "mag": 5.0}}
ONE = msgspec.json.encode({"features": [QUAKE]})
TWO = msgspec.json.encode({"features": [QUAKE, QUAKE | {"id": "us2"}]})


class Publisher(ThreadingHTTPServer):
    """Answers what the test has queued and keeps the headers it was asked with."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/list"


class Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the poller hung up, as one test wants it to

    def log_message(self, *args):
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Desk:
    """A poller with its clock and what it appended."""

    def __init__(self, url, client):
        self.now, self.events, self.health = START, [], []
        self.poller = Poller(
            [feed_named("usgs")._replace(url=url), feed_named("ndjson")],
            client,
            self.append,
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            contact="duty@example.org",
        )

    def append(self, feed, items, health):
        assert feed.name == "usgs"
        self.events += [item.event_id for item in items if isinstance(item, Event)]
        if health is not None:
            self.health.append((health.state, health.reason))

    def after(self, seconds):
        self.now = START + timedelta(seconds=seconds)
        due = self.poller.poll_due()
        assert due is not None
        return (due - START).total_seconds()


@pytest.fixture
def desk(publisher) -> Iterator[Desk]:
    with httpx.Client() as client:
        yield Desk(publisher.url, client)


def test_a_day_in_the_life_of_a_feed(publisher, desk):
    publisher.answers += [
        (200, {"ETag": '"v1"', "Last-Modified": "Sat, 02 May 2026 11:59:00 GMT"}, ONE),
        (304, {}, b""),
        (503, {"Retry-After": "600"}, b"busy"),
        (200, {"ETag": '"v2"'}, TWO),
        (200, {}, b"<html>maintenance</html>"),
    ]
    assert desk.after(0) == 60
    assert desk.after(30) == 60  # not due, not asked
    assert desk.after(60) == 120
    assert desk.after(120) == 720
    assert desk.after(720) == 780
    assert desk.after(780) == 900
    assert desk.events == ["usgs:us1:1675650000123"] + [f"usgs:us{n}:1675650000123" for n in (1, 2)]
    assert desk.health == [
        (FeedState.OK, "1 events"),
        (FeedState.LATE, "answered HTTP 503"),
        (FeedState.OK, "2 events"),
        (FeedState.SUSPECT, "the payload is an HTML page, not data"),
    ]
    assert len(publisher.asked) == 5
    assert {asked["User-Agent"] for asked in publisher.asked} == {
        "Rollcall/0.2 (+duty@example.org)"
    }
    assert "If-None-Match" not in publisher.asked[0]
    assert publisher.asked[1]["If-None-Match"] == '"v1"'
    assert publisher.asked[1]["If-Modified-Since"] == "Sat, 02 May 2026 11:59:00 GMT"
    assert publisher.asked[4]["If-None-Match"] == '"v2"'


def test_a_compressed_answer_is_read(publisher, desk):
    publisher.answers.append((200, {"Content-Encoding": "gzip"}, gzip.compress(TWO)))
    desk.after(0)
    assert len(desk.events) == 2


def test_an_endless_answer_is_cut_off_at_the_size_cap(publisher, desk):
    zeros = gzip.compress(b" " * (poller_module.MAX_BYTES + 1))
    publisher.answers.append((200, {"Content-Encoding": "gzip"}, zeros))
    desk.after(0)
    assert desk.health == [(FeedState.DOWN, "the answer is over 32 MB")]


def test_a_dripping_answer_is_cut_off_at_its_time(publisher, desk):
    publisher.answers.append((200, {}, TWO))
    ticks = iter([0, 0, 31, 31])
    desk.poller._clock = lambda: START + timedelta(seconds=next(ticks))
    desk.poller.poll_due()
    assert desk.health == [(FeedState.DOWN, "no whole answer within 30 s")]


def test_a_publisher_that_is_gone_is_down_and_the_reason_names_the_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with httpx.Client() as client:
        desk = Desk(f"http://127.0.0.1:{port}/list", client)
        assert desk.after(0) == 120
    ((state, reason),) = desk.health
    assert state is FeedState.DOWN
    assert reason.startswith("ConnectError: ")


def test_what_could_not_be_appended_is_asked_for_again(publisher, desk):
    publisher.answers += [(200, {"ETag": '"v1"'}, ONE), (200, {"ETag": '"v1"'}, ONE)]
    durable = desk.poller._append

    def disk_full(*_args):
        raise OSError(28, "No space left on device")

    desk.poller._append = disk_full
    with pytest.raises(OSError, match="No space left"):
        desk.after(0)
    desk.poller._append = durable
    desk.after(1)
    assert "If-None-Match" not in publisher.asked[1]
    assert desk.events == ["usgs:us1:1675650000123"]


def test_a_poller_without_addresses_has_nothing_to_do():
    with httpx.Client() as client:
        idle = Poller(
            [feed_named("cap")], client, print, clock=lambda: START, jitter=lambda: 0.0, contact="x"
        )
        assert idle.poll_due() is None


def test_one_feed_that_breaks_the_reader_is_down_and_the_others_are_asked(publisher, desk):
    def broken(_body, _received_at):
        msg = "features"
        raise KeyError(msg)

    publisher.answers += [(200, {}, ONE), (200, {}, TWO)]
    good = feed_named("usgs")._replace(url=publisher.url)
    said = []
    poller = Poller(
        [good._replace(name="broken", parse=broken), good],
        desk.poller._client,
        lambda feed, _items, health: said.append(
            (feed.name, health and (health.state, health.reason))
        ),
        clock=lambda: START,
        jitter=lambda: 0.0,
        contact="duty@example.org",
    )
    assert poller.poll_due() == START + timedelta(seconds=60)
    assert said == [
        ("broken", (FeedState.DOWN, "its answer broke the reader: KeyError: 'features'")),
        ("usgs", (FeedState.OK, "2 events")),
    ]
