"""Finding what can be followed, and the record as it came."""

import msgspec
import pytest

from schemas.codelists import Bucket
from schemas.operations import MessageRejected
from streams.serving.rows import rows_of
from streams.serving.seek import Found, candidates, raw
from streams.serving.store import open_store
from streams.serving.writer import write_rows
from tests.serving.builders import ALERT, INCIDENT, SITUATION, base, moved, opened


@pytest.fixture
def store(place):
    engine = open_store(place)
    with engine.begin() as connection:
        for event in (
            msgspec.structs.replace(SITUATION, title="Gaziantep M 7.8"),
            INCIDENT,
            ALERT,
            opened("e1", "a.1"),
            moved("m1", "a.1", Bucket.SAFE),
            moved("m2", "ab.1", Bucket.SAFE),
            moved("m3", "a%b.1", Bucket.SAFE),
        ):
            write_rows(connection, rows_of(event))
    yield engine
    engine.dispose()


def test_causes_are_found_by_title_and_id_and_persons_by_the_beginning_of_theirs(store):
    situation = Found("situation", "sit-1", "Gaziantep M 7.8")
    assert candidates(store, "") == [Found("incident", "inc-1", "M 7.8"), situation]
    assert candidates(store, "gazi") == [situation]
    assert candidates(store, "INC-") == [Found("incident", "inc-1", "M 7.8")]
    assert candidates(store, "ab") == [Found("person", "ab.1", "")]
    assert candidates(store, "nobody") == []


def test_the_exact_one_comes_first_and_a_percent_sign_is_no_pattern(store):
    assert candidates(store, "a.1")[0] == Found("person", "a.1", "")
    assert candidates(store, "a%") == [Found("person", "a%b.1", "")]
    assert candidates(store, "' OR 1=1 --") == []


def test_no_more_are_found_than_are_asked_for(store):
    assert len(candidates(store, "a", most=2)) == 2


def test_a_record_is_given_as_it_came_or_as_it_now_stands(store):
    incident = raw(store, "incident", "i1", "inc-1")
    assert incident is not None
    assert (incident["incident_id"], incident["headline_source"]) == ("inc-1", "usgs")
    movement = raw(store, "movement", "m1", "a.1")
    assert movement is not None
    assert (movement["person_id"], movement["at"]) == ("a.1", "2023-02-06T01:25:00Z")
    assert raw(store, "movement", "nothing", "a.1") is None
    assert raw(store, "dead_letter", "r1", "r1") is None


def test_a_refused_record_is_not_given(store):
    letter = MessageRejected(
        **base("r1"), reason="no", topic="intake", partition=0, offset=1,
        message_type="CheckedIn", body='{"name": "Ana"}', retryable=False,
    )  # fmt: skip
    with store.begin() as connection:
        write_rows(connection, rows_of(letter))
    assert raw(store, "dead_letter", "r1", "r1") is None
