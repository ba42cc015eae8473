"""The three stages over queues in memory, so that a test decides every batch.

What one stage writes stands in the queue of another, as in the log, until it
is taken; nothing depends on a pump.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from schemas.alert import SituationSummed
from schemas.codec import decode
from schemas.envelope import Event
from schemas.operations import Tick
from streams.core.desk import Desk
from streams.core.room import Room
from streams.core.shard import Shard
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT, TO_ALL
from streams.merge import admit, route
from tests.oracle.times import EPOCH, Fact, instant, iso

DESK_KINDS = ("incidents", "zones", "advisories")
SHARD_KINDS = ("persons", "exposures", "ledger")
ALL_AT_ONCE: Callable[[], int] = lambda: 1_000_000

Place = tuple[str, int]


def event_of(fact: Fact) -> Event:
    """Return a fact as the message the engine reads."""
    body = {name: value for name, value in fact.items() if name != "type"}
    return decode(fact["type"], msgspec.json.encode(body))


def tick_at(at: int) -> Tick:
    """Return a tick; instants as microseconds since 1970."""
    when = EPOCH + timedelta(microseconds=at)
    return Tick(
        event_id=f"tick:{iso(at)}",
        source="test",
        occurred_at=when,
        received_at=when,
        at=when,
        resume=True,
    )


class Stages:
    """Desk, shards and room, and the queues before them.

    ``summed`` is what the room said last of each situation.
    """

    def __init__(self, shards: int, batch: Callable[[], int] = ALL_AT_ONCE) -> None:
        self.shards = shards
        self.batch = batch
        self.rejects: list[str] = []
        self.summed: dict[str, SituationSummed] = {}
        self.stages: dict[Place, Any] = {
            (DESK_INPUT, 0): Desk(shards),
            (ROOM_INPUT, 0): Room(shards),
        }
        self.stages |= {(SHARD_INPUT, p): Shard(p, shards) for p in range(shards)}
        self.queues: dict[Place, deque[Event]] = {place: deque() for place in self.stages}

    def put(self, events: Iterable[Event]) -> None:
        """Stand events in the queues of the stages they are for."""
        for event in events:
            for topic, partition, _ in route(admit(event), self.shards):
                self._queue(topic, partition, event)

    def _queue(self, topic: str, partition: int, event: Event) -> None:
        partitions = range(self.shards) if partition == TO_ALL else (partition,)
        for number in partitions:
            if (topic, number) in self.queues:
                self.queues[topic, number].append(event)

    def run(self) -> None:
        """Take from the queues, batch by batch, until all are empty."""
        while any(self.queues.values()):
            for place, queue in self.queues.items():
                taken = [queue.popleft() for _ in range(min(len(queue), self.batch()))]
                if not taken:
                    continue
                outcome = self.stages[place].apply(taken)
                self.rejects += [reject.reason for reject in outcome.rejects]
                for out in outcome.events:
                    if isinstance(out.event, SituationSummed):
                        self.summed[out.key] = out.event
                    self._queue(out.topic, out.partition, out.event)

    def restart(self) -> None:
        """Put the snapshot of every stage in its place."""
        for place, stage in self.stages.items():
            self.stages[place] = type(stage).restore(stage.snapshot())

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the rows of a state export, over all shards, in order."""
        topic = SHARD_INPUT if kind in SHARD_KINDS else DESK_INPUT
        rows = [
            row
            for place, stage in self.stages.items()
            if place[0] == topic
            for row in stage.export(kind)
        ]
        return sorted(rows, key=lambda row: [str(value) for value in row.values()])

    def exports(self) -> dict[str, bytes]:
        """Return every state export as bytes."""
        return {kind: msgspec.json.encode(self.rows(kind)) for kind in (*DESK_KINDS, *SHARD_KINDS)}


class Told:
    """What the engine exports, in the words of the oracle.

    Causes and situations are the chain ids of an incident's members, or an
    advisory's id alone.
    """

    def __init__(self, stages: Stages) -> None:
        incidents = stages.rows("incidents")
        members = {
            row["incident_id"]: frozenset(member["chain_id"] for member in row["members"])
            for row in incidents
        }
        self.incidents = set(members.values())
        self.of = members | {
            row["advisory_id"]: frozenset({row["advisory_id"]}) for row in stages.rows("advisories")
        }
        situations = {
            row["situation_id"]: members[row.get("mainshock_id") or row["incident_id"]]
            for row in incidents
            if row.get("situation_id")
        }
        self.exposures = {
            (row["person_id"], self.of[row["cause_id"]]): (
                row["tier"],
                row["band"],
                instant(row["since"]),
            )
            for row in stages.rows("exposures")
        }
        self.members = {
            (row["person_id"], situations[row["situation_id"]]): (
                row["held"],
                instant(row["first_at"]),
                row["tier"],
                row["bucket"],
            )
            for row in stages.rows("ledger")
        }


def played(facts: Sequence[Fact], ticks: Sequence[int], shards: int = 2, **how: Any) -> Stages:
    """Return the stages after all facts in the order given, then the ticks.

    The first tick stands before the facts, so that they are evaluated as they come.
    """
    stages = Stages(shards, **how)
    stages.put([tick_at(ticks[0]), *map(event_of, facts), *map(tick_at, ticks[1:])])
    stages.run()
    return stages
