"""Records by cause: indented under what they follow from, in any order given."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from dashboard.explore.tree import Leaf, tree

AT = datetime(2023, 2, 6, 1, 25, tzinfo=UTC)


def leaf(event_id, minute, *causes):
    at = AT + timedelta(minutes=minute)
    return Leaf(event_id, causes, at, "movement", "a.1", "", "", "", "", "Actual", {})


STORY = [
    leaf("report", 0),
    leaf("exposure", 1, "report"),
    leaf("movement", 1, "exposure"),
    leaf("check-in", 5),
    leaf("safe", 5, "check-in", "exposure"),
    leaf("alert", 2, "exposure"),
]


@pytest.mark.parametrize("order", list(permutations(range(6)))[::40])
def test_each_stands_under_the_latest_of_its_causes_by_time(order):
    found = tree([STORY[index] for index in order])
    assert [(depth, one.event_id) for depth, one in found] == [
        (0, "report"),
        (1, "exposure"),
        (2, "movement"),
        (2, "alert"),
        (0, "check-in"),
        (1, "safe"),
    ]


def test_an_unknown_cause_and_a_circle_lose_no_record():
    found = tree([leaf("a", 0, "b"), leaf("b", 1, "a"), leaf("c", 2, "c", "elsewhere")])
    assert [(depth, one.event_id) for depth, one in found] == [(0, "a"), (1, "b"), (0, "c")]


def test_a_record_given_twice_stands_once():
    assert len(tree([leaf("a", 0), leaf("a", 0)])) == 1


def test_a_long_chain_is_no_recursion():
    chain = [leaf(f"e{i:05}", i, f"e{i - 1:05}") for i in range(5_000)]
    assert tree(chain)[-1][0] == 4_999
