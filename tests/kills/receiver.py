"""A receiver of webhooks that counts effects, and the settings that send to it."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATH = "/room"


class Receiver(ThreadingHTTPServer):
    """Takes webhooks; an effect happens once for each idempotency key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.effects: Counter[tuple[str, str, str]] = Counter()
        self.received = 0
        self.keys: set[str] = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        with self.server.lock:
            self.server.received += 1
            if key not in self.server.keys:
                self.server.keys.add(key)
                about = (body["alert"]["alert_id"], self.path, body["intent"])
                self.server.effects[about] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the sums are printed at the end."""


def settings(folder: Path, port: int) -> Path:
    """Write settings that send a replay's alerts to the receiver; return the file."""
    secret = folder / "secret"
    secret.write_text("of the kill test, and of nothing else\n", encoding="utf-8")
    secret.chmod(0o600)
    file = folder / "settings.toml"
    file.write_text(
        "[dispatch]\n"
        "in_replay = true\n"
        "use_by_s = 864000\n"
        "[dispatch.webhooks.room]\n"
        f'url = "http://127.0.0.1:{port}{PATH}"\n'
        f'secret_file = "{secret}"\n',
        encoding="utf-8",
    )
    return file
