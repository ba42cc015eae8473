"""People as a list, one person with their story, alerts and silences."""

from contextlib import closing
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from sqlalchemy import event

from schemas.alert import AlertAcknowledged, SilenceChanged
from schemas.codelists import (
    Bucket,
    CheckInState,
    ContactChannel,
    ContactOutcome,
    Precision,
    Role,
    StatementBy,
    Tier,
    Verb,
)
from schemas.command import CommandIssued
from schemas.exposure import ExposureClosed, HelpRequested
from schemas.person import CheckedIn, ContactRecorded, LinkChanged, RegistrationFiled, Stay
from schemas.place import Place
from streams.backends.sqlite import SqliteLog
from streams.core.stage import ROOM_INPUT, ROOM_OUTPUT, SHARD_INPUT, SHARD_OUTPUT
from streams.ports import NewRecord
from streams.serving.alert_lists import alerts, silences
from streams.serving.people import members, person, why_flagged
from streams.serving.store import open_store
from streams.serving.timeline import timeline
from streams.serving.writer import Writer
from tests.serving.builders import (
    ALERT,
    AT,
    SHARDS,
    TOTALS,
    base,
    moved,
    opened,
    story,
)

changed = msgspec.structs.replace
MINUTE = timedelta(minutes=1)


def at(minutes):
    return {"occurred_at": AT + minutes * MINUTE, "received_at": AT + minutes * MINUTE}


def of_ann():
    """Return what is said by, of and about Ann: a stay, a statement, a call, an override."""
    stay = Stay(
        stay_id="s1", from_date=AT.date(),
        place=Place(
            precision=Precision.CITY, country="TR", name="Adana", lon_deg=35.3, lat_deg=37.0
        ),
    )  # fmt: skip
    return [
        RegistrationFiled(
            **base("r1") | at(-9000), person_id="a.1", registration_id="r1", stays=(stay,)
        ),
        CheckedIn(**base("c1") | at(10), person_id="a.1", state=CheckInState.NEEDS_HELP),
        ContactRecorded(
            **base("k1") | at(20), person_id="a.1", outcome=ContactOutcome.NO_ANSWER,
            channel=ContactChannel.PHONE, by="agent3",
        ),
        ContactRecorded(
            **base("k2") | at(30), person_id="a.1", outcome=ContactOutcome.REACHED_SAFE,
            channel=ContactChannel.PHONE, by="agent4",
        ),
        LinkChanged(
            **base("l1") | at(40), link_id="link-1", seq=1, person_id="a.1", root_id="A.1",
            linked=True, by="officer7", reason="same passport",
        ),
        CommandIssued(
            **base("o1") | at(50), verb=Verb.OVERRIDE, by="officer7", role=Role.OFFICER,
            reason="rang the post", person_id="a.1", situation_id="sit-1",
            bucket=Bucket.EVACUATED,
        ),
    ]  # fmt: skip


HELP = HelpRequested(
    **base("h1", cause_ids=("c1",)) | at(10), person_id="a.1", situation_id="sit-1",
    tier=Tier.PROBABLE,
)  # fmt: skip
HELP_ALERT = changed(
    ALERT, event_id="alert-h", alert_id="alert-h", rule="help_requested", cause_id="h1",
    cause_ids=("h1",), facts={"person_id": "a.1"}, raised_at=AT + 10 * MINUTE,
)  # fmt: skip
TAKEN = AlertAcknowledged(
    **base("k", cause_ids=("d1",)) | at(12), alert_id="alert-h", by="officer7", reason="calling"
)


@pytest.fixture
def store(tmp_path, place):
    """Return a store of the small crisis, with Ann's story in it."""
    needs_help = changed(
        moved("m6", "a.1", Bucket.NEEDS_HELP, Bucket.UNACCOUNTED, cause_ids=("c1",)),
        at=AT + 10 * MINUTE, by=StatementBy.PERSON, why="needs_help", cause_event_id="c1",
        area="TR-01", post="BE-ANKARA",
    )  # fmt: skip
    records = [
        *story(),
        *(NewRecord(SHARD_INPUT, 0, "a.1", said) for said in of_ann()),
        NewRecord(SHARD_OUTPUT, 0, "a.1", needs_help),
        NewRecord(ROOM_INPUT, 0, "a.1", HELP),
        NewRecord(ROOM_OUTPUT, 0, "a", HELP_ALERT),
        NewRecord(ROOM_OUTPUT, 0, "a", TAKEN),
    ]
    engine = open_store(place)
    with closing(SqliteLog.open(tmp_path, shards=SHARDS)) as log:
        log.append(records)
        Writer(log, engine).drain()

        def say(*more):
            log.append(list(more))
            Writer(log, engine).drain()

        yield engine, say
    engine.dispose()


def ids(engine, **wanted):
    found = members(engine, "sit-1", **wanted)
    return [row.person_id for row in found.rows], found.total


def test_a_list_begins_with_who_needs_help_and_says_what_is_known(store):
    engine, _ = store
    assert ids(engine) == (["a.1", "b.1"], 2)
    ann = members(engine, "sit-1").rows[0]
    assert (ann.bucket, ann.by, ann.why, ann.area, ann.post) == (
        "needs_help", "person", "needs_help", "TR-01", "BE-ANKARA",
    )  # fmt: skip
    assert (ann.basis, ann.precision, ann.band, ann.since, ann.exposed) == (
        "stay", "city", "VI", AT, True,
    )  # fmt: skip
    assert (ann.contacts, ann.last_contact, ann.last_contact_at) == (
        2, "reached_safe", AT + 30 * MINUTE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"buckets": ["safe"]}, ["b.1"]),
        ({"buckets": ["safe", "needs_help"]}, ["a.1", "b.1"]),
        ({"tiers": ["possible"]}, []),
        ({"areas": ["TR-01"]}, ["a.1"]),
        ({"areas": [""]}, ["b.1"]),
        ({"post": "BE-ANKARA"}, ["a.1"]),
        ({"bases": ["stay"], "precisions": ["city"]}, ["a.1", "b.1"]),
        ({"precisions": ["country"]}, []),
        ({"person_ids": ["b.1", "c.1"]}, ["b.1"]),
        ({"search": "B."}, ["b.1"]),
        ({"search": "%"}, []),
        ({"status": "Exercise"}, []),
    ],
)
def test_a_list_is_filtered(store, wanted, found):
    assert ids(store[0], **wanted) == (found, len(found))


def test_a_page_knows_how_many_there_are_in_all(store):
    engine, _ = store
    assert ids(engine, limit=1) == (["a.1"], 2)
    assert ids(engine, limit=1, offset=1) == (["b.1"], 2)
    assert ids(engine, limit=1, offset=7) == ([], 2)


def test_a_place_is_found_by_its_name_and_the_open_exposure_counts_most(store):
    engine, say = store
    reason = changed(opened("e", "b.1").reason, place_name="Antakya", as_of=AT)
    closed = opened("e8", "b.1", ExposureClosed, why="left", until=AT)
    say(
        NewRecord(SHARD_OUTPUT, 1, "b.1", changed(closed, cause_id="inc-2", tier=Tier.CONFIRMED)),
        NewRecord(SHARD_OUTPUT, 1, "b.1", changed(opened("e9", "b.1"), reason=reason)),
    )
    assert ids(engine, search="antak") == (["b.1"], 1)
    (bob,) = members(engine, "sit-1", person_ids=["b.1"]).rows
    assert (bob.place, bob.exposed) == ("Antakya", True)


def test_a_person_is_shown_with_ledger_exposures_and_links(store):
    engine, _ = store
    ann = person(engine, "a.1")
    assert ann is not None
    (standing,) = ann.standings
    assert (standing.title, standing.bucket) == ("M 7.8", "needs_help")
    assert [(one.event_id, one.to_bucket) for one in standing.movements] == [
        ("m1", "unaccounted"), ("m6", "needs_help"),
    ]  # fmt: skip
    (exposure,) = ann.exposures
    assert (exposure.closed, exposure.reason.band) == (None, "VI")
    assert why_flagged(exposure.reason, "en") == why_flagged(exposure.reason, "xx")
    assert "VI" in why_flagged(exposure.reason, "de")
    assert [(one.link_id, one.root_id, one.linked) for one in ann.links] == [
        ("link-1", "A.1", True)
    ]
    assert ann.contacts == 2


def test_who_was_withdrawn_stays_to_be_seen_and_who_was_never_there_is_nobody(store):
    engine, _ = store
    cem = person(engine, "c.1")
    assert cem is not None
    assert [(one.bucket, len(one.movements)) for one in cem.standings] == [(None, 2)]
    assert [(one.closed, one.until) for one in cem.exposures] == [("withdrawn", AT)]
    assert person(engine, "z.1") is None


def test_a_story_is_told_by_time_with_who_and_why_and_cause(store):
    engine, _ = store
    moments = timeline(engine, "a.1")
    assert [(one.kind, one.what, one.who, one.event_id, one.cause_event_id) for one in moments] == [
        ("registration", "filed", "person", "r1", None),
        ("exposure", "opened", "engine", "e1", None),
        ("movement", "unaccounted", "nobody", "m1", None),
        ("check_in", "needs_help", "person", "c1", None),
        ("movement", "needs_help", "person", "m6", "c1"),
        ("alert", "help_requested", "engine", "alert-h", "h1"),
        ("contact", "no_answer", "agent3", "k1", None),
        ("contact", "reached_safe", "agent4", "k2", None),
        ("link", "linked", "officer7", "l1", None),
        ("override", "evacuated", "officer7", "o1", None),
    ]
    assert all(one.at <= after.at for one, after in pairwise(moments))
    by_id = {one.event_id: one for one in moments}
    assert by_id["o1"].why == "rang the post"
    assert by_id["r1"].facts["stays"][0]["place"]["name"] == "Adana"
    assert by_id["alert-h"].facts["acknowledged_by"] == "officer7"


def test_the_linked_record_shows_the_link_from_the_other_side(store):
    engine, _ = store
    assert [one.event_id for one in timeline(engine, "A.1")] == ["l1"]


def test_alerts_are_listed_open_first_with_their_facts(store):
    engine, say = store
    muted = changed(ALERT, event_id="a3", alert_id="a3", silence_id="silence-1")
    say(NewRecord(ROOM_OUTPUT, 0, "a", muted))
    lines = alerts(engine)
    assert [(one.alert_id, one.state, one.acknowledged_by) for one in lines] == [
        ("alert-1", "open", None),
        ("alert-h", "acknowledged", "officer7"),
        ("a3", "silenced", None),
    ]
    assert (lines[0].facts, lines[1].person_id) == ({"known": 2}, "a.1")


def test_silences_say_whether_they_are_in_force_and_how_much_they_mute(store):
    engine, say = store
    until = {"over": AT, "on": AT + MINUTE}
    say(
        *(
            NewRecord(ROOM_OUTPUT, 0, "q", SilenceChanged(
                **base(f"q-{name}"), silence_id=name, by="officer7", reason="known",
                until=end, rule="affected_threshold",
            ))
            for name, end in until.items()
        ),
        NewRecord(
            ROOM_OUTPUT, 0, "a", changed(ALERT, event_id="a3", alert_id="a3", silence_id="on")
        ),
        NewRecord(ROOM_OUTPUT, 0, "t", TOTALS),
    )  # fmt: skip
    assert [(one.silence_id, one.in_force, one.muted) for one in silences(engine)] == [
        ("on", True, 1), ("over", False, 0),
    ]  # fmt: skip


def test_a_list_is_one_transaction(store):
    engine, _ = store
    begun: list[object] = []
    event.listen(engine, "begin", begun.append)
    members(engine, "sit-1")
    person(engine, "a.1")
    timeline(engine, "a.1")
    assert len(begun) == 3
