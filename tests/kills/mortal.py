"""Commands in processes of their own that are killed (-9) at seeded moments.

A moment is measured from the start of the process, or from a line that it has
said; both come from a seed. What the machine does with it is its own affair:
the same seed gives the same moments, not the same instructions.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

PATIENCE_S = 100.0
"""A process that is left alone and takes longer than this hangs."""


class Moment(NamedTuple):
    """``delay_s`` after the process has said ``lines`` lines on stderr."""

    lines: int
    delay_s: float


class Life(NamedTuple):
    """What became of one process: killed, or ended by itself saying ``said``."""

    pid: int
    killed: bool
    said: str


NEVER = Moment(0, PATIENCE_S)


def command(data: Path, *words: object) -> list[str]:
    """Return the command line of ``rollcall`` on a data directory."""
    return [sys.executable, "-m", "streams.cli", "--data", str(data), *map(str, words)]


def live(words: Sequence[str], environ: Mapping[str, str], moment: Moment) -> Life:
    """Run a command until ``moment`` or its own end, whichever is first.

    ``AssertionError`` if it ends by itself with anything else than 0.
    """
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        said = [line for _, line in zip(range(moment.lines), stderr, strict=False)]
        try:
            process.wait(moment.delay_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert moment is not NEVER, f"not at its end after {PATIENCE_S} s"
            return Life(process.pid, killed=True, said="".join(said))
        said.append(stderr.read())
    assert process.returncode == 0, (process.returncode, "".join(said))
    return Life(process.pid, killed=False, said="".join(said))


def deaths(
    words: Sequence[str], environ: Mapping[str, str], moment: Callable[[], Moment], at_most: int
) -> Iterator[Life]:
    """Run a command again and again until it ends by itself; yield each death.

    After ``at_most`` deaths it is left alone.
    """
    for _ in range(at_most):
        life = live(words, environ, moment())
        if not life.killed:
            return
        yield life
    live(words, environ, NEVER)


def timed(words: Sequence[str], environ: Mapping[str, str]) -> float:
    """Run a command undisturbed; return how long it took, in seconds."""
    began_s = time.monotonic()
    live(words, environ, NEVER)
    return time.monotonic() - began_s


def of_a_replay(chance: random.Random, whole_s: float) -> Moment:
    """Return a moment in a replay that takes ``whole_s`` when undisturbed.

    One in four counts from the start of the process, so that it hits the
    start and the recovery as well; the others from a line it says after an
    entry of the scenario, so that every part of the story is hit.
    """
    if chance.random() < 1 / 4:
        return Moment(0, chance.uniform(0.0, whole_s))
    return Moment(chance.randint(1, 12), chance.uniform(0.0, 0.1))


def of_a_command(chance: random.Random, whole_s: float) -> Moment:
    """Return a moment in the later two thirds of a command that says nothing."""
    return Moment(0, chance.uniform(whole_s / 3, whole_s))
