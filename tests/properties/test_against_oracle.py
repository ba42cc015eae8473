"""The engine against the oracle, over many small histories.

Both read docs/semantics.md and nothing of each other.
"""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.countries import Countries
from tests.oracle.crowd import Crowd
from tests.oracle.exposure import World
from tests.oracle.oracle import Answer, answer
from tests.oracle.presence import people_of, presence_at
from tests.oracle.times import DAY, MINUTE, instant
from tests.properties.generators import History, histories, now_of
from tests.properties.harness import Stages, Told, event_of, played, tick_at

WORLD = World(Countries.load())


def asked(history: History) -> tuple[Answer, Crowd]:
    crowd = Crowd(WORLD, people_of(history.facts))
    now = now_of(history)
    return answer(crowd, history.facts, now, situation_ids=history.situation_ids), crowd


def zones_told(stages: Stages, told: Told) -> list[Any]:
    return sorted(
        (
            sorted(told.of[row["cause_id"]]),
            row["band"],
            row["version"],
            instant(row["valid_from"]),
            instant(row["valid_to"]) if row.get("valid_to") else None,
            row.get("corrected", False),
            row.get("possible_only", False),
            sorted(row.get("touches", ())),
        )
        for row in stages.rows("zones")
        if not row.get("advisory")
    )


def zones_of(answered: Answer) -> list[Any]:
    return sorted(
        (
            sorted(incident.members),
            version.zone,
            version.number,
            version.valid_from,
            version.valid_to,
            version.corrected,
            version.possible_only,
            sorted(WORLD.touched(version)),
        )
        for incident in answered.incidents
        for version in incident.versions
    )


def check(history: History, stages: Stages) -> None:
    assert stages.rejects == []
    answered, crowd = asked(history)
    told = Told(stages)
    assert told.incidents == {incident.members for incident in answered.incidents}
    assert zones_told(stages, told) == zones_of(answered)
    assert told.exposures == dict(answered.exposures)
    assert told.members == dict(answered.members)
    for row in stages.rows("persons"):
        person = crowd.people[row["person_id"]]
        presence = presence_at(person, person.now(now_of(history)), WORLD.countries)
        assert row["basis"] == (presence.basis if presence else None)
        if presence and presence.place.lon is not None:
            assert row["radius_m"] == round(presence.place.radius_m)


def both_ways(history: History, chance: random.Random, shards: int) -> tuple[Stages, Stages]:
    """Return the stages after a plain run, and after a run in which all goes awry."""
    now = now_of(history)
    plain = played(history.facts, (now - DAY, now))
    facts = [*history.facts, *chance.sample(history.facts, k=len(history.facts) // 3)]
    chance.shuffle(facts)
    late = [fact for fact in facts if chance.random() < 0.2]
    prompt = [fact for fact in facts if fact not in late]
    other = Stages(shards, batch=lambda: chance.randint(1, 7))
    earlier = sorted(chance.sample(range(1, 24 * 60), k=2), reverse=True)
    ticks = [*(now - minutes * MINUTE for minutes in earlier), now]
    for tick, came in zip(ticks, (prompt[::2], prompt[1::2], late), strict=True):
        other.put([*map(event_of, came), tick_at(tick)])
        other.run()
        other.restart()
    return plain, other


def check_both_ways(history: History, chance: random.Random, shards: int) -> None:
    plain, other = both_ways(history, chance, shards)
    assert other.exports() == plain.exports()


CHANCES = st.randoms(use_true_random=False)
SHARDS = st.sampled_from((1, 3, 8))
at_length = settings(max_examples=4_000, derandomize=False)


@given(histories())
@settings(max_examples=250)
def test_engine_and_oracle_say_the_same(history: History) -> None:
    check(history, played(history.facts, (now_of(history) - DAY, now_of(history))))


@given(histories(), CHANCES, SHARDS)
@settings(max_examples=80)
def test_order_doubles_batches_partitions_and_restarts_change_nothing(
    history: History, chance: random.Random, shards: int
) -> None:
    check_both_ways(history, chance, shards)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@given(histories(people=8))
@at_length
def test_engine_and_oracle_say_the_same_at_length(history: History) -> None:
    check(history, played(history.facts, (now_of(history) - DAY, now_of(history))))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@given(histories(people=8), CHANCES, SHARDS)
@at_length
def test_order_changes_nothing_at_length(
    history: History, chance: random.Random, shards: int
) -> None:
    check_both_ways(history, chance, shards)
