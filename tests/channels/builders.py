"""Alerts, messages and a receiver, made by hand."""

import base64
import hashlib
import hmac
import threading
from collections import Counter
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lxml import etree

from schemas.alert import AlertRaised
from schemas.codelists import Hazard, Status
from schemas.place import Circle, Countries, Polygons
from streams.channels.base import Message, Surroundings
from streams.delivery import About, Zone
from streams.sections import DispatchSettings, WebhookSettings
from streams.serving.deliveries import DELIVERIES_FILE, open_to_read

AT = datetime(2023, 2, 6, 1, 25, tzinfo=UTC)
WALL = datetime(2026, 5, 2, 12, tzinfo=UTC)
SECRET = "hunter2-hunter2-hunter2"  # noqa: S105 - made up, opens nothing

SCHEMA = etree.XMLSchema(file=str(Path(__file__).parent / "data" / "CAP-v1.2.xsd"))


def etree_of(path: Path) -> Any:
    """Return the XML in a file."""
    return etree.parse(str(path))


RING = ((36.0, 36.0), (38.0, 36.0), (38.0, 38.0), (36.0, 38.0), (36.0, 36.0))
ABOUT = About(
    "M 7.8 Gaziantep",
    Hazard.EARTHQUAKE,
    (
        Zone("MMI VI", (Countries(codes=("TR",)), Circle(lon_deg=37, lat_deg=37.2, radius_m=9e4))),
        Zone("MMI VII", (Polygons(polygons=((RING,),)),)),
    ),
)


def alert(name: str = "1", **more: Any) -> AlertRaised:
    said: dict[str, Any] = {
        "event_id": f"alert-{name}",
        "source": "room",
        "occurred_at": AT,
        "received_at": AT,
        "alert_id": f"alert-{name}",
        "rule": "affected_threshold",
        "cause_id": f"sit-{name}",
        "audience": "duty_officer",
        "intent": "alert",
        "title": f"M 7.8: {name} of ours",
        "severity": "critical",
        "facts": {"known": 2},
        "raised_at": AT,
        "situation_id": f"sit-{name}",
    }
    return AlertRaised(**(said | more))


def exercise(name: str = "1") -> AlertRaised:
    return alert(name, status=Status.EXERCISE, title="EXERCISE M 7.8: 2 of ours")


def message(**more: Any) -> Message:
    said: dict[str, Any] = {
        "key": "delivery-1",
        "alert": alert(),
        "about": ABOUT,
        "sent_at": AT,
        "use_by_at": AT + timedelta(hours=6),
    }
    return Message(**(said | more))


def surroundings(folder: Path, said: list[str], **settings: Any) -> Surroundings:
    return Surroundings(
        DispatchSettings(**settings), folder, said.append, lambda _: SECRET.encode(), lambda: WALL
    )


def webhook(url: str, **more: Any) -> dict[str, WebhookSettings]:
    return {"duty": WebhookSettings(url=url, **more)}


@contextmanager
def sent_from(data: Path):
    """Yield the deliveries of a data directory, to read."""
    engine = open_to_read(data / DELIVERIES_FILE)
    try:
        yield engine
    finally:
        engine.dispose()


class Inline(Executor):
    """Works at once, in the caller's thread."""

    def submit(self, fn: Any, /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **more))
        return future


class Receiver(ThreadingHTTPServer):
    """Answers what the test has queued, else 200; counts effects by key.

    An effect is what a receiver that honours the key would do once.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.arrived: Counter[str] = Counter()
        self.bodies: dict[str, set[bytes]] = {}
        self.hold: threading.Event | None = None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=s3cr3t-t0k3n"

    @property
    def effects(self) -> Counter[str]:
        return Counter(dict.fromkeys(self.arrived, 1))


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.hold is not None:
            self.server.hold.wait(20)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.asked.append((headers, body))
            status, more = self.server.answers.pop(0) if self.server.answers else (200, {})
            if status < 300 and signed(headers, body):
                key = headers["idempotency-key"]
                self.server.arrived[key] += 1
                self.server.bodies.setdefault(key, set()).add(body)
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        try:
            self.end_headers()
        except OSError:
            self.close_connection = True  # the sender was killed, as some tests want it

    def log_message(self, *_: Any) -> None:
        pass


def signed(headers: dict[str, str], body: bytes) -> bool:
    """Check a signature as docs/alerts.md tells a receiver to."""
    parts = [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    digest = hmac.new(SECRET.encode(), b".".join(parts), hashlib.sha256).digest()
    return hmac.compare_digest(
        headers["webhook-signature"], "v1," + base64.b64encode(digest).decode()
    )


@contextmanager
def receiving():
    """Run a receiver for as long as this lasts."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            if server.hold is not None:
                server.hold.set()
            server.shutdown()
            thread.join()
