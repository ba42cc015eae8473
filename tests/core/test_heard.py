"""How fresh the input is: when each kind of people's messages came in last."""

import itertools
from typing import Any

from schemas.alert import Totals
from schemas.codelists import Bucket, CheckInState, ContactOutcome
from schemas.envelope import Event
from schemas.exposure import Reached
from schemas.operations import Tick
from streams.core.room import Room
from streams.core.shard import Shard
from tests.support.engine import Engine, at, contact, override, says, stays_in


def tick(clock: str) -> Tick:
    when = at(clock)
    return Tick(event_id=clock, source="t", occurred_at=when, received_at=when, at=when)


def heard_of(shard: Shard, clock: str) -> dict[str, Any]:
    (*_, out) = shard.apply([tick(clock)]).events
    assert isinstance(out.event, Reached)
    return out.event.heard


MESSAGES: tuple[Event, ...] = (
    stays_in("ana.1", "adana", when=at("00:10"), received_at=at("00:40")),
    stays_in("ben.1", "adana", when=at("00:20"), received_at=at("00:30")),
    says("ana.1", CheckInState.SAFE, at("00:50")),
    contact("ana.1", ContactOutcome.REACHED_SAFE, at("00:45"), received_at=at("00:55")),
    override("ana.1", "sit-1", Bucket.SAFE, at("00:58")),
)
HEARD = {
    "CheckedIn": at("00:50"),
    "ContactRecorded": at("00:55"),
    "RegistrationFiled": at("00:40"),
}


def test_a_shard_says_when_it_heard_each_kind_last_whatever_came_first() -> None:
    for order in itertools.permutations(MESSAGES):
        shard = Shard(0, 1)
        shard.apply(order)
        shard.apply(order[:2])
        assert heard_of(shard, "01:00") == HEARD


def test_before_anything_is_heard_nothing_is_said() -> None:
    assert heard_of(Shard(0, 1), "01:00") == {}


def test_what_was_heard_survives_a_restart() -> None:
    shard = Shard(0, 1)
    shard.apply(MESSAGES)
    assert heard_of(Shard.restore(shard.snapshot()), "01:00") == HEARD


def test_a_refused_message_was_heard_all_the_same() -> None:
    shard = Shard(0, 1)
    first, second = (
        says("ana.1", state, at("00:10"), event_id="one", received_at=at(came))
        for state, came in ((CheckInState.SAFE, "00:11"), (CheckInState.LEFT_AREA, "00:12"))
    )
    shard.apply([first])
    assert len(shard.apply([second]).rejects) == 1
    assert heard_of(shard, "01:00") == {"CheckedIn": at("00:12")}


def test_the_room_says_the_latest_over_all_shards() -> None:
    engine = Engine(4)
    for n in range(12):
        engine.put(says(f"p{n}.1", CheckInState.SAFE, at(f"00:{10 + n}")))
    engine.put(stays_in("p1.1", "adana", when=at("00:05"))).tick(at("01:00"))
    (*_, totals) = engine.said(Totals)
    assert totals.heard == {"CheckedIn": at("00:21"), "RegistrationFiled": at("00:05")}
    assert list(totals.heard) == ["CheckedIn", "RegistrationFiled"]
    room = Room.restore(engine.room.snapshot())
    later = [tick_reached(r, "01:01") for r in room.reached.values()]
    (out,) = room.apply(later).events
    assert isinstance(out.event, Totals)
    assert out.event.heard == totals.heard


def tick_reached(reached: Reached, clock: str) -> Reached:
    return Reached(
        event_id=f"{reached.shard}:{clock}",
        source="shard",
        occurred_at=at(clock),
        received_at=at(clock),
        shard=reached.shard,
        shards=reached.shards,
        tick_at=at(clock),
        zone_seq=reached.zone_seq,
        distinct_known=reached.distinct_known,
        people=reached.people,
        heard=reached.heard,
    )
