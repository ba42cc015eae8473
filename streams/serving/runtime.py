"""What the engine's process says of itself, for those who only read the store.

The engine is the only writer of the store; readers learn from this one row
which time it is, how far the register has been read and which feeds it knows.
"""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, Engine, select

from streams.serving import journals as j
from streams.serving.answers import Answer
from streams.serving.rows import Row
from streams.serving.writer import write_rows

NAME = "engine"


class ConfiguredFeed(Answer, frozen=True, kw_only=True):
    """A feed that is to be polled, and how often."""

    name: str
    interval_s: int


class Runtime(Answer, frozen=True, kw_only=True):
    """Which time it is in this system, and what stage it is at.

    ``mode`` replay: a scenario is being played, ``title`` names it, ``status``
    is its own, ``speed`` is its seconds in one of ours. ``phase`` loading: the
    register is being read, ``done`` of ``of`` people. ``beat_wall_at`` is the
    machine's time of saying so; ``lag`` counts records not in the numbers yet.
    """

    mode: Literal["live", "replay"]
    phase: Literal["loading", "running", "ended"]
    beat_wall_at: datetime
    title: str | None = None
    status: str = "Actual"
    start_at: datetime | None = None
    end_at: datetime | None = None
    speed: float | None = None
    done: int | None = None
    of: int | None = None
    lag: int | None = None
    feeds: tuple[ConfiguredFeed, ...] = ()


def note_runtime(engine: Engine, runtime: Runtime) -> None:
    """Write what the engine says of itself, in place of what it said before."""
    values = {"name": NAME, "body": msgspec.json.encode(runtime).decode()}
    with engine.begin() as connection:
        write_rows(connection, [Row(j.runtime, (NAME,), values)])


def read_runtime(connection: Connection) -> Runtime | None:
    """Return what the engine last said of itself, None if it never spoke."""
    body = connection.scalar(select(j.runtime.c.body).where(j.runtime.c.name == NAME))
    return None if body is None else msgspec.json.decode(body, type=Runtime)
