"""The sums by area against the sums and the ledger, over many small histories."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codelists import Bucket
from tests.oracle.times import DAY
from tests.properties.generators import History, histories, now_of
from tests.properties.harness import Stages, event_of, tick_at

CHANCES = st.randoms(use_true_random=False)


def played(history: History, chance: random.Random) -> Stages:
    """Return the stages after all facts in some order and batches, restarted between."""
    facts = list(history.facts)
    chance.shuffle(facts)
    now = now_of(history)
    stages = Stages(3, batch=lambda: chance.randint(1, 7))
    for tick, came in ((now - DAY, facts[::2]), (now, facts[1::2])):
        stages.put([*map(event_of, came), tick_at(tick)])
        stages.run()
        stages.restart()
    return stages


@given(histories(), CHANCES)
@settings(max_examples=60)
def test_the_areas_of_a_situation_sum_to_it_and_to_its_ledger(
    history: History, chance: random.Random
) -> None:
    stages = played(history, chance)
    lines = Counter(
        (row["situation_id"], row["area"] or "", Bucket(row["bucket"]))
        for row in stages.rows("ledger")
    )
    told: Counter[tuple[str, str, Bucket]] = Counter()
    for situation_id, summed in stages.summed.items():
        by_bucket: Counter[Bucket] = Counter()
        for area in summed.areas:
            assert area.buckets
            for part in area.buckets:
                assert part.count > 0
                by_bucket[part.bucket] += part.count
                told[situation_id, area.area, part.bucket] += part.count
        names = [area.area for area in summed.areas]
        assert names == sorted(set(names))
        assert {b.bucket: b.count for b in summed.buckets} == {b: by_bucket[b] for b in Bucket}
    assert told == lines
