"""Polling for a running engine: feeds that answer, stop, turn empty, never began."""

import os
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from streams.cli.base import Session
from streams.cli.running import Speaker, polled_feeds
from streams.errors import BadInputError, EngineAwayError
from streams.feeds.poller import Poller
from streams.sections import FeedsSettings, PortsSettings, Settings
from streams.serving.queries import dead_letters, status
from streams.serving.store import STORE_FILE, reading
from tests.support.running import running_engine_in, runtime_of, started, wait_for

QUAKE = (
    Path(__file__).parents[2] / "streams/scenarios/turkiye-2023/usgs-0125.geojson"
).read_bytes()
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Mirror:
    """A local server whose answers a test sets: bytes, a status, or nothing at all."""

    def __init__(self):
        self.answers: dict[str, bytes | int | None] = {}
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer = mirror.answers.get(self.path.lstrip("/"), 404)
                if answer is None:
                    self.connection.close()
                    return
                body = answer if isinstance(answer, bytes) else b""
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mirror():
    mirror = Mirror()
    yield mirror
    mirror.close()


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def store(data, question):
    with reading(data / STORE_FILE) as engine:
        return question(engine)


def feeds(data):
    return {one.feed: (one.state, one.reason) for one in store(data, status).feeds or ()}


def titles(data):
    """Return the titles of incidents that nobody of ours is near, and of those that are."""
    now = store(data, status)
    inside = [one for situation in now.situations for one in situation.incidents]
    return [one.title for one in (*now.incidents, *inside)]


def environment(mirror, *names):
    listed = "[" + ",".join(f'"{name}"' for name in names) + "]"
    return os.environ | {"ROLLCALL_FEEDS_MIRROR": mirror.url, "ROLLCALL_FEEDS_ENABLED": listed}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_each_feed_is_said_to_be_what_it_is_and_a_killed_poller_doubles_nothing(data, mirror):
    mirror.answers = {"usgs": QUAKE, "gdacs": b"", "de_aa": 503}
    env = environment(mirror, "usgs", "gdacs", "de_aa")
    with running_engine_in(data) as at:
        assert feeds(data) == {}
        with started(data, "poll", "--api", at.api, env=env) as poll:
            wait_for(lambda: len(feeds(data)) == 3)
            assert feeds(data) == {
                "usgs": ("ok", "1 events"),
                "gdacs": ("suspect", "the payload is empty"),
                "de_aa": ("down", "answered HTTP 503"),
            }
            assert len(titles(data)) == 1
            assert poll.end(signal.SIGKILL) == -signal.SIGKILL
        with started(data, "poll", "--api", at.api, env=env) as poll:
            poll.wait_for("usgs: ok: 1 events")
            assert poll.end(signal.SIGTERM) == 0
            assert poll.lines[-1] == "stopped"
        assert len(titles(data)) == 1


def test_a_poller_without_an_engine_remembers_nothing_and_asks_again(data, mirror):
    mirror.answers = {"usgs": QUAKE}
    port = free_port()
    env = environment(mirror, "usgs")
    with started(data, "poll", "--api", f"http://127.0.0.1:{port}", env=env) as poll:
        poll.wait_for("does not answer")
        with started(data, "engine", "--api-port", port, "--metrics-port", "0", env=env) as engine:
            poll.wait_for("usgs: ok: 1 events")
            wait_for(lambda: feeds(data) == {"usgs": ("ok", "1 events")})
            assert [one.name for one in store(data, runtime_of).feeds] == ["usgs"]
            assert engine.end(signal.SIGTERM) == 0
            assert engine.lines[-2:] == ["saving the state", "stopped"]
        assert poll.end(signal.SIGTERM) == 0


def test_a_feed_that_stops_or_turns_empty_ends_nothing(data, mirror):
    mirror.answers = {"usgs": QUAKE}
    now = NOON
    session = Session(data, None)
    settings = FeedsSettings(enabled=("usgs",), mirror=mirror.url)
    with running_engine_in(data), httpx.Client(trust_env=False) as client:
        poller = Poller(
            polled_feeds(settings), client, Speaker(session, None).append,
            clock=lambda: now, jitter=lambda: 0.0, contact="test",
        )  # fmt: skip
        said: list[tuple[str, str]] = []
        steps = [
            (0, QUAKE),
            (1, None),
            (6, None),
            (30, b""),
            (90, b'{"features": []}'),
            (120, QUAKE),
        ]
        for minutes, answer in steps:
            mirror.answers["usgs"] = answer
            now = NOON + timedelta(minutes=minutes)
            poller.poll_due()
            before = said[-1] if said else ()
            said.append(wait_for(lambda b=before: (f := feeds(data)) != {"usgs": b} and f)["usgs"])
            assert len(wait_for(lambda: titles(data))) == 1
    assert [state for state, _ in said] == ["ok", "late", "down", "suspect", "suspect", "ok"]
    assert said[3][1] == "the payload is empty"
    assert said[4][1] == "the answer holds no events; nothing is ended by that"


def test_an_engine_that_is_not_there_is_said(tmp_path):
    speaker = Speaker(Session(tmp_path, None), f"http://127.0.0.1:{free_port()}")
    (feed,) = polled_feeds(FeedsSettings(enabled=("usgs",)))
    with pytest.raises(EngineAwayError, match="does not answer"):
        speaker.append(feed, [], None)


@pytest.mark.parametrize(
    ("enabled", "sentence"),
    [(("emsc",), "no feed 'emsc'"), (("ndjson",), "ndjson only reads files")],
)
def test_a_feed_that_cannot_be_polled_is_refused(enabled, sentence):
    with pytest.raises(BadInputError, match=sentence):
        polled_feeds(FeedsSettings(enabled=enabled))


def test_the_usual_feeds_at_their_own_addresses_or_at_a_mirror():
    assert [one.name for one in polled_feeds(FeedsSettings())] == ["usgs", "gdacs", "de_aa"]
    assert all(one.url.startswith("https://") for one in polled_feeds(FeedsSettings()))
    mirrored = polled_feeds(FeedsSettings(mirror="http://127.0.0.1:9000/"))
    assert [one.url for one in mirrored][:1] == ["http://127.0.0.1:9000/usgs"]


def test_what_a_poll_refuses_is_in_the_dead_letters(data, mirror):
    mirror.answers = {"usgs": QUAKE.replace(b"37.014", b"937.014")}
    settings = FeedsSettings(enabled=("usgs",), mirror=mirror.url)
    with running_engine_in(data), httpx.Client(trust_env=False) as client:
        poller = Poller(
            polled_feeds(settings), client, Speaker(Session(data, None), None).append,
            clock=lambda: NOON, jitter=lambda: 0.0, contact="test",
        )  # fmt: skip
        poller.poll_due()
        (letter,) = wait_for(lambda: store(data, dead_letters))
        assert letter.reason == (
            "usgs, usgs:us6000jllz: lon_deg 937.014 is not between -180 and 180"
        )
        assert wait_for(lambda: feeds(data))["usgs"][0] == "suspect"


def test_defaults_are_those_of_the_design():
    assert Settings().ports == PortsSettings(dashboard=8501, api=8080, metrics=9464)
