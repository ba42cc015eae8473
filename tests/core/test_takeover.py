"""What the first version of the engine left is taken over as it stands."""

import tomllib
import zlib
from base64 import b64decode
from pathlib import Path

import pytest

from schemas.codelists import Bucket, CheckInState, Verb
from schemas.exposure import AccountabilityChanged, Reached
from schemas.operations import EngineChanged, Tick
from streams.core.people import digest_of
from streams.core.room import Room
from streams.core.shard import Shard
from tests.support.engine import at, command, override, says

LEFT = tomllib.loads((Path(__file__).parent / "data/snapshots.toml").read_text(encoding="utf-8"))
SITUATION = "sit-b80df4e9f6a0e3cada1e"
OVERRIDDEN = override("ana.1", SITUATION, Bucket.SAFE, at("01:31"))


def left(stage: str) -> bytes:
    return zlib.decompress(b64decode(LEFT[stage]))


def tick(clock: str) -> Tick:
    when = at(clock)
    return Tick(event_id=clock, source="t", occurred_at=when, received_at=when, at=when)


def changed(clock: str) -> EngineChanged:
    when = at(clock)
    return EngineChanged(
        event_id="engine",
        source="t",
        occurred_at=when,
        received_at=when,
        version="new",
        previous="old",
    )


def test_a_shard_counts_its_people_by_area_once_it_is_told_of_the_new_engine() -> None:
    shard = Shard.restore(left("shard"))
    assert {row["area"] for row in shard.export("ledger")} == {None}
    moved = [
        out.event
        for out in shard.apply([changed("01:40")]).events
        if isinstance(out.event, AccountabilityChanged)
    ]
    # The first version kept no filed region: ana.1 counts by the city until she files again.
    assert {(m.area, m.moved) for m in moved} == {("TR-01", False), ("TR-27", False)}
    *tallies, reached = [out.event for out in shard.apply([tick("01:41")]).events]
    assert isinstance(reached, Reached)
    (tally,) = tallies
    cells = {(c.area, c.bucket.value, c.count) for c in tally.cells}  # type: ignore[attr-defined] # it is a TallyChanged
    assert cells == {
        ("TR-01", "safe", 1),
        ("TR-27", "unaccounted", 9),
        ("TR-27", "needs_help", 1),
    }
    assert (reached.distinct_known, reached.heard) == (11, {})


def test_a_shard_goes_on_hearing() -> None:
    shard = Shard.restore(left("shard"))
    shard.apply([says("p2.1", CheckInState.SAFE, at("01:50"))])
    (*_, reached) = [out.event for out in shard.apply([tick("01:51")]).events]
    assert isinstance(reached, Reached)
    assert reached.heard == {"CheckedIn": at("01:50")}


def test_what_an_older_engine_knows_is_not_refused_when_it_comes_again() -> None:
    shard = Shard.restore(left("shard"))
    again = shard.apply([OVERRIDDEN, says("p1.1", CheckInState.NEEDS_HELP, at("01:32"))])
    assert (again.events, again.rejects) == ([], [])
    assert digest_of(OVERRIDDEN).hex() == "261b3281fd301af0"


def test_the_later_fields_of_a_command_count_where_something_stands_in_them() -> None:
    silences = [
        command(Verb.SILENCE, at("01:40"), rule=rule, situation_id="sit-1", until=at(until))
        for rule, until in ((None, "02:00"), (None, "03:00"), ("affected_threshold", "02:00"))
    ]
    assert len({digest_of(silence) for silence in silences}) == 3


def test_a_room_knows_what_it_has_raised() -> None:
    room = Room.restore(left("room"))
    assert [row["rule"] for row in room.export("alerts")] == [
        "affected_threshold",
        "help_requested",
    ]
    (reached,) = room.reached.values()
    assert reached.heard == {}


@pytest.mark.parametrize(("stage", "cls"), [("shard", Shard), ("room", Room)])
def test_what_is_taken_over_is_snapshotted_whole(stage: str, cls: type[Shard | Room]) -> None:
    taken = cls.restore(left(stage))
    assert cls.restore(taken.snapshot()).snapshot() == taken.snapshot()
