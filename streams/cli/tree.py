"""The tree of processes of ``rollcall up``: kept alive, and stopped in order.

Decisions about restarts stand in ``streams.supervisor``; here they are carried
out. One thread does it all, so that every child is tied to it.
"""

import selectors
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx

from streams.children import Child
from streams.cli.remote import Api
from streams.cli.running import stopping
from streams.errors import RollcallError
from streams.supervisor import Watch, died, looked_at, may_start, started

LOOK_S = 0.1
"""Longest wait between two looks at the children."""

ASK_S = 0.5
"""Pause between two questions how the engine is."""

ANSWER_S = 1.0
"""Longest wait for the answer to one."""

STOP_S = 9.0
"""How long a stop may take before what is left is killed."""

OTHERS_STOP_S = 4.0
"""How much of it those have who lean on the engine, which is stopped last."""

ENDED_S = 20.0
"""How long the end of a demo is shown before it begins anew."""

FAULT = "child_died_twice"


class Part(NamedTuple):
    """One process: what it is called, how it is started, where it answers.

    ``at_once``: it starts beside the engine; the others wait until it answers.
    """

    name: str
    command: Sequence[str]
    urls: dict[str, str] = {}  # noqa: RUF012 - never changed
    at_once: bool = False


class _Fault(NamedTuple):
    stage: str
    detail: str
    cleared: bool


class Tree:
    """The running parts; the first one is the engine."""

    def __init__(self, parts: Sequence[Part], api: str, say: Callable[[str], object]) -> None:
        """Start nothing yet; ``say`` prints a line."""
        self._parts = {part.name: part for part in parts}
        self._engine = parts[0].name
        self._api, self._say = Api(api, ANSWER_S), say
        self._width = max(map(len, self._parts))
        self._children: dict[str, Child] = {}
        self._watches = dict.fromkeys(self._parts, Watch())
        self._selector = selectors.DefaultSelector()
        self._faults: list[_Fault] = []
        self._ready: set[str] = set()
        self._was_ready = False
        self._told = False
        self._asked_s = 0.0
        self._ended_at_s: float | None = None
        self._stop_asked = 0

    def run(self, again: Callable[[], None] | None = None) -> int:
        """Keep everything running until told to stop; return the exit code.

        ``again``: when a demo is over, called to make its data anew. The code
        is the engine's where it could not start at all.
        """
        with stopping(self._asked_to_stop):
            try:
                code = self._kept_running(again)
            finally:
                self._stop(list(self._parts))
        self._say("stopped")
        return code

    def _asked_to_stop(self) -> None:
        self._stop_asked += 1

    def _kept_running(self, again: Callable[[], None] | None) -> int:
        while not self._stop_asked:
            now_s = time.monotonic()
            for name in self._parts:
                code = self._look_after(name, now_s)
                if code:
                    return code
            if now_s >= self._asked_s:
                self._asked_s = now_s + ASK_S
                self._ask(now_s)
                self._tell()
            if again is not None and self._ended_at_s and now_s - self._ended_at_s > ENDED_S:
                self._repeat(again)
            self._show(LOOK_S)
        return 0

    # ------------------------------------------------------------------ children

    def _look_after(self, name: str, now_s: float) -> int:
        """Start a part, or see whether it runs; return a code to give up with."""
        child, watch = self._children.get(name), self._watches[name]
        if child is None:
            waits = not self._parts[name].at_once and name != self._engine
            if may_start(watch, now_s) and not (waits and self._engine not in self._ready):
                self._start(name)
            return 0
        code = child.exit_code()
        if code is None:
            self._watches[name] = looked_at(watch, now_s)
            if watch.faulty and not self._watches[name].faulty:
                self._fault(name, "has run for a minute", cleared=True)
            return 0
        self._buried(name)
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        if name == self._engine and code > 0 and not self._was_ready:
            self._say(f"the engine could not start: it {ended}")
            return code
        watch = self._watches[name] = died(watch, now_s)
        pause_s = (watch.start_at_s or now_s) - now_s
        when = f"in {pause_s:.0f} s" if pause_s else "at once"
        self._say(f"{name} {ended}; it is started again {when}")
        if pause_s:
            self._fault(name, f"died twice within ten seconds; the last time it {ended}")
        return 0

    def _start(self, name: str) -> None:
        part = self._parts[name]
        child = Child(name, part.command)
        child.watch(self._selector)
        self._children[name] = child
        self._watches[name] = started(self._watches[name], time.monotonic())

    def _buried(self, name: str) -> None:
        child = self._children.pop(name)
        self._print(child)
        child.end(self._selector)
        self._ready.discard(name)

    def _stop(self, names: Sequence[str]) -> None:
        """Stop parts in order: first all that lean on the engine, then the engine."""
        others = [one for one in names if one != self._engine]
        began_s = time.monotonic()
        for group, limit_s in ((others, OTHERS_STOP_S), ([self._engine], STOP_S)):
            until_s = began_s + limit_s
            running = [self._children[one] for one in group if one in self._children]
            for child in running:
                child.ask_to_stop()
            while any(child.exit_code() is None for child in running):
                if time.monotonic() > until_s or self._stop_asked > 1:
                    break
                self._show(LOOK_S)
            for child in running:
                if child.exit_code() is None:
                    self._say(f"{child.name} does not stop and is killed")
                self._buried(child.name)

    def _repeat(self, again: Callable[[], None]) -> None:
        """Begin a demo anew; the dashboard goes on and shows it."""
        names = [one for one in self._parts if not self._parts[one].at_once]
        self._stop(names)
        self._ended_at_s = None
        again()
        self._watches.update(dict.fromkeys(names, Watch()))

    # ------------------------------------------------------------------ words

    def _fault(self, name: str, detail: str, *, cleared: bool = False) -> None:
        if not cleared:
            self._say(f"FAULT: {name} {detail}")
        self._faults.append(_Fault(name, f"{name} {detail}", cleared))

    def _ask(self, now_s: float) -> None:
        """Ask the engine how it is, tell it of faults; see which parts answer."""
        child = self._children.get(self._engine)
        if child is None:
            return
        try:
            said = self._api.health()
            if said.get("pid") != child.pid:
                return
            self._ready.add(self._engine)
            self._was_ready = True
            if said.get("phase") == "ended":
                self._ended_at_s = self._ended_at_s or now_s
            while self._faults:
                one = self._faults[0]
                self._api.post("/v1/faults", {"fault": FAULT, **one._asdict()})
                self._faults.pop(0)
        except RollcallError:
            self._ready.discard(self._engine)  # it starts, or dies: the next look tells

    def _tell(self) -> None:
        """Print the addresses once all of them answer."""
        for part in self._parts.values():
            started_only = part.name in self._children and part.name not in self._ready
            if part.at_once and started_only and all(map(_answers, part.urls.values())):
                self._ready.add(part.name)
        listening = [part for part in self._parts.values() if part.urls]
        if self._told or any(part.name not in self._ready for part in listening):
            return
        self._told = True
        for part in listening:
            for what, url in part.urls.items():
                self._say(f"{what:10} {url}")
        self._say("Rollcall is up. Ctrl-C stops it.")

    def _show(self, wait_s: float) -> None:
        """Print what the children say, waiting a little for it."""
        for key, _ in self._selector.select(wait_s):
            self._print(key.data)

    def _print(self, child: Child) -> None:
        for line in child.lines(self._selector):
            self._say(f"{child.name:{self._width}} | {line}")


def _answers(url: str) -> bool:
    """Tell whether a page is there."""
    try:
        answer = httpx.get(url, timeout=ANSWER_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return not answer.is_error
