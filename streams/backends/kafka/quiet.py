"""What the libraries of MERGE may say on the terminal: little, and nothing of a record.

With its broker gone, Faust logs hundreds of lines in a minute, some with a
traceback. Here each thing is said in one line, and again only after a while.
"""

import logging
import time
from collections.abc import Callable

LIBRARIES = ("faust", "aiokafka", "mode", "aiohttp", "asyncio", "kafka", "confluent_kafka")

AGAIN_S = 30.0
"""After so long the same thing may be said once more."""

ORDINARY = ("because it is rebalancing",)
"""Parts of warnings that say what happens whenever a process joins or leaves."""

MAX_CHARS = 200
"""Longest line of a library."""


class OneLine(logging.Handler):
    """Says each warning of the libraries once in a while, cut to a line."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Say it with ``say``, from any thread."""
        super().__init__(logging.WARNING)
        self._say = say
        self._said_s: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record unless the same was said a moment ago."""
        same, now_s = (record.name, str(record.msg)), time.monotonic()
        if now_s - self._said_s.get(same, -AGAIN_S) < AGAIN_S:
            return
        self._said_s[same] = now_s
        try:
            words = record.getMessage()
        except (TypeError, ValueError):
            words = str(record.msg)
        line = (words.strip().splitlines() or [""])[0][:MAX_CHARS]
        if not any(part in line for part in ORDINARY):
            self._say(f"{record.name.partition('.')[0]}: {line}")


def hush(say: Callable[[str], object]) -> None:
    """Send what the libraries say through ``OneLine``, and nowhere else."""
    handler = OneLine(say)
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
