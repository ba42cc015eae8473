"""Starts services that outlive whoever starts them, and finds them again.

A process is known by its pid file: the pid, and when the kernel started it,
so that a stale file never names somebody else's process.
"""

import fcntl
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

LOWEST_PORT = 20_000
HIGHEST_PORT = 32_000
"""Below what kernels give to outgoing connections: a stopped node finds its port free again."""

# The shell ends at once, so nobody here has a child to wait for; setsid keeps Ctrl-C away from it.
DETACHED = 'setsid "$@" >&2 & echo $!'


class ServiceError(Exception):
    """A service is missing, did not start, or does not answer; says what to do."""


def say(what: str) -> None:
    """Tell where we are."""
    print(what, file=sys.stderr, flush=True)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time do something; the others wait for it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = LOWEST_PORT + secrets.randbelow(HIGHEST_PORT - LOWEST_PORT)
        if port not in found and not taken(port):
            found.append(port)
    return found


def taken(port: int) -> bool:
    """Return whether a port is taken."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def started_at(pid: int) -> str | None:
    """Return the kernel's start time of a living process, None for one that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # The name stands in brackets and may hold anything; what follows is fixed: state first.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


class Process:
    """One detached process, known by its pid file."""

    def __init__(self, pid_file: Path, log: Path) -> None:
        self.pid_file = pid_file
        self.log = log

    @property
    def pid(self) -> int | None:
        """The pid while the process lives."""
        try:
            pid, _, at = self.pid_file.read_text(encoding="utf-8").partition(" ")
        except FileNotFoundError:
            return None
        return int(pid) if started_at(int(pid)) == at.strip() else None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a command in the background; its output goes to the log."""
        if self.pid is not None:
            return
        with self.log.open("ab") as log:
            launched = subprocess.run(  # noqa: S603 - our own commands, no text of strangers
                ["/bin/sh", "-c", DETACHED, "sh", *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                text=True,
                check=True,
                user=user,
                group=None if user is None else group_of(user),
                extra_groups=None if user is None else [],
            )
        pid = int(launched.stdout)
        self.pid_file.write_text(f"{pid} {started_at(pid)}", encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process lives."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def ended(self, within_s: float) -> bool:
        """Wait until the process has ended; return whether it has."""
        pid = self.pid
        if pid is None:
            return True
        return all_ended([pid], within_s)

    def stop(self, number: signal.Signals, patience_s: float) -> bool:
        """Ask it to end; kill it when it does not. Return whether asking was enough."""
        # A frozen process does not hear what it is asked.
        self.send(signal.SIGCONT)
        self.send(number)
        asked = self.ended(patience_s)
        if not asked:
            self.kill()
        self.pid_file.unlink(missing_ok=True)
        return asked

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self.send(signal.SIGKILL)
        self.ended(10.0)

    def last_words(self, lines: int = 15) -> str:
        """Return the end of the log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def wait_for(self, answers: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait until ``answers`` says so; fail at once if the process ends before."""
        for _ in range(int(within_s / 0.1)):
            if answers():
                return
            if self.ended(within_s=0.1):
                break
        state = "ended" if self.pid is None else f"does not answer after {within_s:.0f} s"
        msg = f"{what} {state}; the end of {self.log}:\n{self.last_words()}"
        raise ServiceError(msg)


def all_ended(pids: Sequence[int], within_s: float) -> bool:
    """Wait until all these processes have ended; return whether they have."""
    waiting = select.poll()
    handles = set()
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                handles.add(handle)
                waiting.register(handle, select.POLLIN)
        while handles:
            ready = waiting.poll(within_s * 1000)
            if not ready:
                return False
            for handle, _ in ready:
                waiting.unregister(handle)
                handles.discard(handle)
                os.close(handle)
    finally:
        for handle in handles:
            os.close(handle)
    return True


def group_of(user: str) -> int:
    """Return the main group of a user of this machine."""
    import pwd  # noqa: PLC0415 - Unix only, like the services

    return pwd.getpwnam(user).pw_gid
