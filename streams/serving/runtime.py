"""What the processes say of themselves, for those who only read the store.

Readers learn from it which time it is, how far the register has been read and
which feeds are polled. Embedded, the engine alone beats, in one row. In a
cluster each process has a row of its own name, and readers are told what all
of them say as one; whether every shard is counted stands in the sums.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, select

from streams.serving import journals as j
from streams.serving.answers import Answer
from streams.serving.rows import Row
from streams.serving.writer import write_rows

NAME = "engine"

GONE_AFTER = timedelta(seconds=60)
"""Who has not beaten for so long, while another has, is not asked any more."""

FORGOTTEN_AFTER = timedelta(days=1)
"""Rows of processes that ended without a word are deleted after so long."""


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


class Beat(NamedTuple):
    """One process: when it said last that it is there; ``gone``: the others went on."""

    name: str
    said: Runtime
    gone: bool


def process_name(role: str, given: str = "") -> str:
    """Return what a process calls its row: role and given name, else machine and pid."""
    return f"{role}/{given or f'{socket.gethostname()}/{os.getpid()}'}"


def note_runtime(engine: Engine, runtime: Runtime, name: str = NAME) -> None:
    """Write what a process says of itself, in place of what it said before."""
    values = {"name": name, "body": msgspec.json.encode(runtime).decode()}
    oldest_at = runtime.beat_wall_at - FORGOTTEN_AFTER
    with engine.begin() as connection:
        rows = [
            Row(j.runtime, (other,), None)
            for other, said in _said(connection).items()
            if said.beat_wall_at < oldest_at and other != name
        ]
        write_rows(connection, [*rows, Row(j.runtime, (name,), values)])


def forget_runtime(engine: Engine, name: str) -> None:
    """Take the row of a process away, which ends in order."""
    with engine.begin() as connection:
        write_rows(connection, [Row(j.runtime, (name,), None)])


def read_runtime(connection: Connection) -> Runtime | None:
    """Return what the processes last said of themselves as one, None if none ever spoke."""
    return as_one(_said(connection))


def beats(engine: Engine) -> tuple[Beat, ...]:
    """Return every process that has spoken, by name."""
    with engine.connect() as connection:
        said = _said(connection)
    there = _there(said)
    return tuple(Beat(name, one, name not in there) for name, one in sorted(said.items()))


def as_one(said: Mapping[str, Runtime]) -> Runtime | None:
    """Return what several processes say as if one had said it.

    A cluster is loading as long as one of them is, and has ended when all have.
    What they wait for and have read of the register adds up.
    """
    there = [one for _, one in sorted(_there(said).items())]
    if len(there) < 2:
        return there[0] if there else None
    phases = {one.phase for one in there}
    played = next((one for one in there if one.mode == "replay"), there[0])
    feeds = {feed.name: feed for one in there for feed in one.feeds}
    return msgspec.structs.replace(
        played,
        phase=next(phase for phase in ("loading", "running", "ended") if phase in phases),
        beat_wall_at=max(one.beat_wall_at for one in there),
        done=_sum(one.done for one in there),
        of=_sum(one.of for one in there),
        lag=_sum(one.lag for one in there),
        feeds=tuple(feeds[name] for name in sorted(feeds)),
    )


def _there(said: Mapping[str, Runtime]) -> dict[str, Runtime]:
    newest_at = max((one.beat_wall_at for one in said.values()), default=None)
    return {
        name: one
        for name, one in said.items()
        if newest_at is not None and newest_at - one.beat_wall_at <= GONE_AFTER
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, None where nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _said(connection: Connection) -> dict[str, Runtime]:
    rows = connection.execute(select(j.runtime.c.name, j.runtime.c.body))
    return {name: msgspec.json.decode(body, type=Runtime) for name, body in rows}
