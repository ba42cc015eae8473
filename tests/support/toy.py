"""Toy stages that echo and count, so that a lost or doubled record shows.

What a toy emits depends on everything it has seen, in order: an output whose
id is right proves the whole history before it.
"""

import json
import os
import signal
from datetime import UTC, datetime
from functools import partial

from schemas.codelists import CheckInState
from schemas.operations import Tick
from schemas.person import CheckedIn
from streams.core.stage import (
    DESK_INPUT,
    ROOM_INPUT,
    ROOM_OUTPUT,
    SHARD_INPUT,
    SHARD_OUTPUT,
    TO_ALL,
    Out,
    Outcome,
    Reject,
    derive_id,
)
from streams.ports import NewRecord
from streams.recovery import StageFactory, StageKey
from streams.topology import TOPICS, partition_of

START = datetime(2023, 2, 6, 1, 17, 34, tzinfo=UTC)
EVERYWHERE = "everywhere.1"
"""What the desk says of this person it says to every shard."""


class Hand:
    """A clock that the test sets by hand."""

    def __init__(self, at=START):
        self.at = at

    def now(self):
        return self.at


class Crash(BaseException):
    """The process dies here; no `except Exception` survives it."""


def checked_in(number, person_id="ana.1", **fields):
    return CheckedIn(
        event_id=f"e{number}",
        source="test",
        occurred_at=START,
        received_at=START,
        person_id=person_id,
        state=CheckInState.SAFE,
        **fields,
    )


def at_desk(number, person_id="ana.1"):
    return NewRecord(DESK_INPUT, 0, person_id, checked_in(number, person_id))


def tick(at, topic=DESK_INPUT):
    event = Tick(event_id=f"tick-{at}", source="test", occurred_at=at, received_at=at, at=at)
    return NewRecord(topic, TO_ALL, "tick", event)


class Toy:
    """A stage that emits, for each check-in, one whose id sums up its past.

    The home of a person says how it misbehaves: ``boom`` raises, ``kill``
    kills the process, ``full`` has no disk, ``refuse`` is refused, ``stray``
    goes to a partition that does not exist, ``together`` raises in company.
    """

    def __init__(self, kind, partition, shards, chain="", count=0):
        self.kind = kind
        self.partition = partition
        self.shards = shards
        self.chain = chain
        self.count = count

    def apply(self, records):
        events = []
        rejects = []
        for event in records:
            self.chain = derive_id(self.kind, self.chain, type(event).__name__, event.event_id)
            self.count += 1
            if not isinstance(event, CheckedIn):
                continue
            home = event.person_id.partition(".")[0]
            if home == "refuse":
                rejects.append(Reject(event, "refused by the toy"))
                continue
            self._misbehave(home, len(records))
            said = checked_in(self.chain, event.person_id, cause_ids=(event.event_id,))
            events += [Out(topic, p, event.person_id, said) for topic, p in self._places(event)]
        return Outcome(events, rejects)

    def _misbehave(self, home, company):
        if home == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if home == "full":
            raise OSError(28, "No space left on device")
        if home == "boom" or (home == "together" and company > 1):
            msg = f"the toy cannot stand {home}"
            raise KeyError(msg)

    def _places(self, event):
        if self.kind == "desk":
            if event.person_id == EVERYWHERE:
                return [(SHARD_INPUT, TO_ALL)]
            home = 99 if event.person_id.startswith("stray") else None
            return [(SHARD_INPUT, home or partition_of(event.person_id, self.shards))]
        if self.kind == "shard":
            return [(SHARD_OUTPUT, self.partition), (ROOM_INPUT, 0)]
        return [(ROOM_OUTPUT, 0)]

    def snapshot(self):
        return json.dumps([self.kind, self.partition, self.shards, self.chain, self.count]).encode()

    @classmethod
    def restore(cls, data):
        return cls(*json.loads(data))

    def export(self, kind):
        return [{"kind": kind, "chain": self.chain, "count": self.count}]


def toys(shards):
    """Return a desk, a room and `shards` shards, as a pump wants them."""
    keys = [StageKey("room", 0), StageKey("desk", 0)]
    keys += [StageKey("shard", p) for p in range(shards)]
    return {key: StageFactory(partial(Toy, *key, shards), Toy.restore) for key in keys}


def dump(log):
    """Return all that stands in a log, but for when it got there."""
    return {
        (topic.name, p): [record[2:7] for record in log.read(topic.name, p, 0, 1_000_000)]
        for topic in TOPICS
        for p in range(log.shards if topic.sharded else 1)
    }
