"""The engine, fed with the same bytes as the oracle; not part of the oracle.

It drives the stages in process, through the feeds' own parsers and the same
admission and routing as the command line.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from schemas.envelope import Event
from streams.feeds import feed_named
from tests.oracle.times import Fact
from tests.properties.harness import Stages, Told, event_of, tick_at

SHARDS = 4


class Engine:
    """Stages that take payloads and ticks, and say what they hold."""

    def __init__(self, people: Sequence[Fact], start: int) -> None:
        self._stages = Stages(SHARDS)
        self._stages.put([tick_at(start), *map(event_of, people)])
        self._stages.run()

    def take(self, feed: str, payload: bytes, received_at: str, now: int) -> int:
        """Take a payload in and tick; return how many items or records were refused."""
        parsed = feed_named(feed).parse(payload, datetime.fromisoformat(received_at))
        events = [item for item in parsed if isinstance(item, Event)]
        self._stages.put([*events, tick_at(now)])
        self._stages.run()
        return len(parsed) - len(events) + len(self._stages.rejects)

    def told(self) -> Told:
        """Return what the engine now exports."""
        return Told(self._stages)


def population(seed: int, people: int, around: str, out: Path) -> list[Fact]:
    """Return the facts of a synthetic register, written by the command line."""
    asked = ["--seed", str(seed), "--people", str(people), "--around", around]
    command = [sys.executable, "-m", "streams.cli", "population", *asked, "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [json.loads(line) for line in out.read_bytes().splitlines()]
