"""A running system in tests: processes and engines, and waiting for what must come."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx

from streams.engine import Wanted, engine, listening
from streams.loopback import url_of
from streams.sections import Settings
from streams.serving.runtime import read_runtime

PATIENCE_S = 60.0
_NEVER = threading.Event()


def wait_for(condition, what="the condition", patience_s=PATIENCE_S):
    """Return the first true answer of ``condition``; fail after ``patience_s``."""
    until = time.monotonic() + patience_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            msg = f"{what} did not come within {patience_s} s"
            raise AssertionError(msg)
        _NEVER.wait(0.02)


class Process:
    """``rollcall --data DIR ...`` as a process of its own; its lines are kept.

    ``instead`` is a module of the tests that takes the directory and the words.
    """

    def __init__(self, data, *words, env=None, instead=None):
        line = [sys.executable, "-m", "streams.cli", "--data", str(data), *map(str, words)]
        if instead is not None:
            line = [sys.executable, "-m", instead, str(data), *map(str, words)]
        self.process = subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def pid(self):
        return self.process.pid

    def said(self, words):
        return any(words in line for line in self.lines)

    def wait_for(self, words):
        def there():
            assert self.process.poll() is None or self.said(words), self.lines
            return self.said(words)

        try:
            wait_for(there, repr(words))
        except AssertionError as error:
            msg = f"{error}; it said {self.lines[-20:]}"
            raise AssertionError(msg) from error

    def end(self, number, patience_s=15):
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(patience_s)
        self._reader.join(5)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def started(data, *words, env=None):
    process = Process(data, *words, env=env)
    try:
        yield process
    finally:
        process.close()


class At:
    """A running engine of this process, and its addresses."""

    def __init__(self, working, api, metrics, said):
        self.working, self.api, self.metrics, self.said = working, api, metrics, said

    def post(self, path, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"} | headers
        return httpx.post(f"{self.api}{path}", content=content, headers=headers, trust_env=False)

    def get(self, path, **headers):
        return httpx.get(f"{self.api}{path}", headers=headers, trust_env=False)

    def scrape(self):
        answer = httpx.get(f"{self.metrics}/metrics", trust_env=False)
        assert answer.status_code == 200
        return answer.text


@contextmanager
def running_engine_in(data, scenario=None, speed=1.0, settings=None):
    """Yield an engine that runs in a thread of this process."""
    api, metrics = listening(0, 0)
    wanted = Wanted(data, settings or Settings(), api, metrics, scenario=scenario, speed=speed)
    said: list[str] = []
    with engine(wanted, said.append) as working:
        failures = []

        def work():
            try:
                working.run()
            except BaseException as error:
                failures.append(error)
                raise

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield At(working, url_of(api), url_of(metrics), said)
        finally:
            working.stop()
            thread.join(20)
            assert not thread.is_alive()
            assert failures == []


def runtime_of(store):
    """Return what the engine last said of itself in a store."""
    with store.connect() as connection:
        return read_runtime(connection)
