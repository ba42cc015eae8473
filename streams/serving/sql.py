"""SQL over the serving store for the analyst: read-only, bounded, apart.

Queries run in a process of their own (``sql_worker``), so that a time-out
truly ends the work and neither memory nor a fault of it reaches the dashboard.
The process keeps the tables it was given; a newer store means a new process.
"""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from streams.serving.sql_answers import Answered, Limits, Refusal
from streams.serving.sql_worker import OUT_OF_TIME, Reply, encoded, receive, send

LOAD_S = 60.0
"""Longest that the process may take to take the tables in."""

SLACK_S = 2.0
"""How long after its own end the process is waited for."""

Tables = Mapping[str, pa.Table]


class _EndedError(Exception):
    """The process is gone, or was ended because it did not answer."""


class Sandbox:
    """One process for queries, started when it is first asked."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Keep the limits; start nothing yet."""
        self.limits = limits or Limits()
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._version: Hashable = None

    def ask(self, sql: str, version: Hashable, tables: Callable[[], Tables]) -> Answered | Refusal:
        """Return the rows of a query over the tables of a version.

        ``tables`` is called only where the process has another version. One
        query runs at a time; who waits too long is told so.
        """
        if not self._turn.acquire(timeout=self.limits.time_s):
            return Refusal(code="busy", facts={"limit_s": self.limits.time_s})
        try:
            begun = time.monotonic()
            process = self._ready(version, tables)
            loaded_s = time.monotonic() - begun
            return self._asked(process, sql, loaded_s)
        except _EndedError as error:
            out_of_time = error.args[0] == OUT_OF_TIME
            self._end()
            if out_of_time:
                return Refusal(code="time", facts={"limit_s": self.limits.time_s})
            return Refusal(code="ended", facts={"detail": str(error)})
        finally:
            self._turn.release()

    def has(self, version: Hashable) -> bool:
        """Tell whether the process already has the tables of a version."""
        process = self._process
        return process is not None and process.poll() is None and self._version == version

    def close(self) -> None:
        """End the process, once no query runs."""
        with self._turn:
            self._end()

    def _ready(self, version: Hashable, tables: Callable[[], Tables]) -> "subprocess.Popen[bytes]":
        if self.has(version) and self._process is not None:
            return self._process
        self._end()
        process = self._process = _started()
        said = tables()
        _tell(process, msgspec.msgpack.encode(self.limits))
        for name, table in said.items():
            _tell(process, encoded(table.replace_schema_metadata({"name": name})))
        _tell(process, b"")
        _hear(process, LOAD_S)
        self._version = version  # not before: without its tables it is not ready
        return process

    def _asked(
        self, process: "subprocess.Popen[bytes]", sql: str, loaded_s: float
    ) -> Answered | Refusal:
        _tell(process, sql.encode(errors="replace") or b" ")
        body = _hear(process, self.limits.time_s + self.limits.grace_s + SLACK_S)
        reply = msgspec.msgpack.decode(body, type=Reply)
        if reply.refusal is not None:
            if reply.refusal.code == "memory":
                self._end()  # what it took is not all given back
            return reply.refusal
        with pa.ipc.open_stream(reply.rows) as reader:
            return Answered(reader.read_all(), reply.more, reply.elapsed_s, loaded_s)

    def _end(self) -> None:
        process, self._process = self._process, None
        self._version = None
        if process is not None:
            process.kill()
            process.communicate()


def _started() -> "subprocess.Popen[bytes]":
    """Return the new process: no environment but where the code is."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.serving.sql_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TZ": "UTC"},
    )


def _tell(process: "subprocess.Popen[bytes]", payload: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it was started with a pipe
    try:
        send(process.stdin, payload)
    except OSError as error:
        raise _EndedError(_code(process)) from error


def _hear(process: "subprocess.Popen[bytes]", longest_s: float) -> bytes:
    """Return the next message; end a process that does not say it in time."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(longest_s):
            process.kill()
            raise _EndedError(OUT_OF_TIME)
    body = receive(process.stdout)
    if body is None:
        raise _EndedError(_code(process))
    return body


def _code(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit code of a process that is going."""
    return process.wait(SLACK_S)
