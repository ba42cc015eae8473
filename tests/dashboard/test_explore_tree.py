"""Records by cause: indented under what they follow from, in any order given."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from dashboard.explore.tree import tree
from streams.serving.trail import TrailRecord

AT = datetime(2023, 2, 6, 1, 25, tzinfo=UTC)


def one(event_id, minute, *causes):
    at = AT + timedelta(minutes=minute)
    return TrailRecord(event_id, causes, at, "movement", "a.1", "", "", "", "Actual")


STORY = [
    one("report", 0),
    one("exposure", 1, "report"),
    one("movement", 1, "exposure"),
    one("check-in", 5),
    one("safe", 5, "check-in", "exposure"),
    one("alert", 2, "exposure"),
]


@pytest.mark.parametrize("order", list(permutations(range(6)))[::40])
def test_each_stands_under_the_latest_of_its_causes_by_time(order):
    found = tree([STORY[index] for index in order])
    assert [(depth, record.event_id) for depth, record in found] == [
        (0, "report"),
        (1, "exposure"),
        (2, "movement"),
        (2, "alert"),
        (0, "check-in"),
        (1, "safe"),
    ]


def test_an_unknown_cause_and_a_circle_lose_no_record():
    found = tree([one("a", 0, "b"), one("b", 1, "a"), one("c", 2, "c", "elsewhere")])
    assert [(depth, record.event_id) for depth, record in found] == [(0, "c"), (0, "a"), (1, "b")]


def test_a_cause_that_was_heard_of_later_still_stands_above():
    """An exposure is as old as its onset, the report of it younger."""
    found = tree([one("exposure", 0, "report"), one("report", 8)])
    assert [(depth, record.event_id) for depth, record in found] == [(0, "report"), (1, "exposure")]


def test_a_record_given_twice_stands_once():
    assert len(tree([one("a", 0), one("a", 0)])) == 1


def test_a_long_chain_is_no_recursion():
    chain = [one(f"e{i:05}", i, f"e{i - 1:05}") for i in range(5_000)]
    assert tree(chain)[-1][0] == 4_999
