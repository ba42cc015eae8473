"""Processes that belong to this one: started, read, stopped, never left behind.

Each child leads a process group of its own, so that a Ctrl-C reaches the
supervisor alone and it can stop them in order. If the supervisor dies, however
it dies, Linux kills the child with it.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def _tie(parent: int, prctl: Callable[[int, int], int]) -> None:
    """Have this process killed when its parent dies; it may be dead already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _tied() -> Callable[[], None] | None:
    """Return what a child does before it becomes its program; None off Linux."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl
    return lambda: _tie(parent, prctl)


class Child:
    """One process and the lines it writes; output and errors are one stream."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        """Start it at once; only the main thread may, for Linux ties to a thread."""
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tied(),  # noqa: PLW1509 - it makes two system calls, in a process of one thread
        )
        self._rest = b""
        os.set_blocking(self._output(), False)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by that signal), None while it runs."""
        return self._process.poll()

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Have ``selector`` wake when there are lines."""
        selector.register(self._output(), selectors.EVENT_READ, self)

    def lines(self, selector: selectors.BaseSelector | None = None) -> list[str]:
        """Return the whole lines written since the last call; at the end, the rest."""
        try:
            chunk = os.read(self._output(), 65_536)
        except BlockingIOError:
            return []
        if not chunk and selector is not None and self._output() in selector.get_map():
            selector.unregister(self._output())
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        return [line.decode("utf-8", "replace") for line in whole]

    def ask_to_stop(self) -> None:
        """Send SIGTERM, if it still runs."""
        if self.exit_code() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; tell whether it came."""
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, selector: selectors.BaseSelector) -> None:
        """Kill what is left of it and of its own children, and let go of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._output() in selector.get_map():
            selector.unregister(self._output())
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _output(self) -> int:
        if self._process.stdout is None:
            msg = f"{self.name} was started without a pipe"
            raise RuntimeError(msg)
        return self._process.stdout.fileno()
