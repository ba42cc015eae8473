"""Status: what is known, what is unknown, and the third figure."""

from datetime import timedelta

import msgspec
from sqlalchemy import event

from schemas.codelists import AdviceScope, Bucket, Verb
from schemas.incident import AdvisoryChanged
from streams.serving import tables as t
from streams.serving.queries import commands, journal, nearest_id, status
from streams.serving.rows import rows_of
from streams.serving.store import open_store
from streams.serving.writer import write_rows
from tests.serving.builders import ALERT, AT, INCIDENT, SITUATION, TOTALS, moved, ordered, summed


def said(engine, *events):
    with engine.begin() as connection:
        for event in events:
            write_rows(connection, rows_of(event))


def test_an_empty_store_knows_nothing_and_says_so(store):
    now = status(store)
    assert now.as_of is None
    assert now.feeds is None
    assert now.skipped is None
    assert (now.totals, now.situations, now.alerts, now.faults) == ((), (), (), ())
    assert now.dead_letters == 0


def test_a_situation_without_a_sum_has_no_number(store):
    said(store, SITUATION)
    (one,) = status(store).situations
    assert one.title == "M 7.8"
    numbers = (one.known, one.buckets, one.tiers, one.inbound, one.withdrawn, one.imbalance)
    assert numbers == (None,) * 6
    assert one.completeness is None


def test_a_sum_has_all_buckets_and_balances(store):
    said(
        store,
        SITUATION,
        moved("m1", "a.1", Bucket.UNACCOUNTED),
        moved("m2", "b.1", Bucket.SAFE),
        moved("m3", "c.1", Bucket.DUPLICATE),
        summed("s", 2, unaccounted=1, safe=1, duplicate=1),
    )
    (one,) = status(store).situations
    assert one.buckets == {
        "unaccounted": 1,
        "needs_help": 0,
        "safe": 1,
        "unreachable": 0,
        "left_area": 0,
        "never_there": 0,
        "declines_to_leave": 0,
        "evacuated": 0,
        "no_longer_affected": 0,
        "duplicate": 1,
        "deceased": 0,
    }
    assert one.tiers == {"confirmed": 0, "probable": 2, "possible": 0, "country_only": 0}
    assert one.rows_known == 2
    assert one.imbalance is not None
    assert one.imbalance.balanced


def test_a_row_deleted_by_hand_shows_in_the_third_figure(store):
    test_a_sum_has_all_buckets_and_balances(store)
    with store.begin() as connection:
        connection.execute(t.ledger.delete().where(t.ledger.c.person_id == "b.1"))
    (one,) = status(store).situations
    assert one.imbalance is not None
    assert (one.imbalance.room, one.imbalance.buckets, one.imbalance.store) == (0, 0, -1)
    assert not one.imbalance.balanced


def test_buckets_that_do_not_sum_to_the_known_show(store):
    said(store, SITUATION, summed("s", 3, unaccounted=1, safe=1))
    (one,) = status(store).situations
    assert one.imbalance is not None
    assert (one.imbalance.buckets, one.imbalance.store) == (1, -3)


def test_a_sum_that_did_not_change_holds_at_a_later_tick_as_far_as_that_reached(store):
    later = AT + timedelta(minutes=10)
    total = msgspec.structs.replace(TOTALS, tick_at=later, reached=1)
    said(store, SITUATION, summed("s", 0), total)
    now = status(store)
    assert now.as_of == later
    (one,) = now.situations
    assert one.completeness is not None
    assert (one.completeness.reached, one.completeness.shards) == (1, 2)
    assert one.completeness.as_of == later
    assert not one.completeness.complete


def test_advice_counts_people_inside_and_arriving(store):
    advice = AdvisoryChanged(
        event_id="ad1",
        source="desk",
        occurred_at=AT,
        received_at=AT,
        advisory_id="de_aa:SD",
        issuer="de_aa",
        title="Sudan",
        native_level="warning",
        level=4,
        scope=AdviceScope.WHOLE,
        change="raised",
        sent_at=AT,
        version=2,
        zoned=True,
    )
    said(store, advice)
    rows = [("a.1", "probable"), ("b.1", "country_only"), ("c.1", "inbound")]
    with store.begin() as connection:
        for person_id, tier in rows:
            values = {
                "person_id": person_id, "cause_id": "de_aa:SD", "status": "Actual",
                "advisory": True, "tier": tier, "band": "advice 4", "since": AT, "body": "{}",
            }  # fmt: skip
            connection.execute(t.exposures.insert(), values)
    (one,) = status(store).advisories
    assert one.tiers == {
        "confirmed": 0, "probable": 1, "possible": 0, "country_only": 1, "inbound": 1,
    }  # fmt: skip
    said(store, msgspec.structs.replace(advice, event_id="ad2", change="ended"))
    assert status(store).advisories == ()


def test_the_journal_is_by_time_and_its_alerts_carry_who_took_note(store):
    said(store, moved("m2", "b.1", Bucket.SAFE), moved("m1", "a.1", Bucket.SAFE), ALERT)
    assert [row["event_id"] for row in journal(store, "movements")] == ["m1", "m2"]
    assert journal(store, "movements", "sit-2") == []
    (alert,) = journal(store, "alerts", "sit-1")
    assert alert["facts"] == {"known": 2}
    assert alert["acknowledged_by"] is None


def test_a_movement_has_the_reason_of_the_command_it_rests_on(store):
    override = {"situation_id": "sit-1", "bucket": Bucket.SAFE}
    ordered(
        store,
        ("c-ana", Verb.OVERRIDE, 0, {"person_id": "a.1", **override}),
        ("c-ben", Verb.OVERRIDE, 0, {"person_id": "b.1", **override}),
    )
    seen = moved("m1", "a.1", Bucket.UNACCOUNTED)
    set_safe = moved("m2", "a.1", Bucket.SAFE, Bucket.UNACCOUNTED)
    rang = moved("m3", "c.1", Bucket.SAFE)
    said(
        store,
        seen,
        msgspec.structs.replace(set_safe, cause_event_id="c-ana", by_user="officer7"),
        msgspec.structs.replace(rang, cause_event_id="contact-1", by_user="agent3"),
    )
    for situation_id in (None, "sit-1"):
        found = journal(store, "movements", situation_id)
        assert [(row["event_id"], row["reason"]) for row in found] == [
            ("m1", None), ("m2", "asked by the post"), ("m3", None),
        ]  # fmt: skip
    assert journal(store, "movements", "sit-2") == []


def test_a_mistyped_id_finds_the_one_that_was_meant(store):
    said(store, SITUATION)
    assert nearest_id(store, "situation_id", "sit-1") == (True, "sit-1")
    assert nearest_id(store, "situation_id", "inc-9") == (True, "inc-9")
    assert nearest_id(store, "situation_id", "sit-l") == (False, "sit-1")
    assert nearest_id(store, "alert_id", "x") == (False, None)


def test_a_status_is_of_one_moment_while_another_writes(store, place):
    reader = open_store(place, read_only=True)
    writes = iter([(SITUATION, ALERT)])

    def write_once(*args):
        if args[2].startswith("SELECT"):
            said(store, *next(writes, ()))

    event.listen(reader, "after_cursor_execute", write_once)
    now = status(reader)
    assert (now.situations, now.alerts) == ((), ())
    assert next(writes, None) is None
    now = status(reader)
    assert (len(now.situations), len(now.alerts)) == (1, 1)
    reader.dispose()


def test_the_live_comes_before_the_ended_and_the_newest_first(store):
    days = {"old": 0, "new": 3, "over": 5, "shut": 9}
    for name, day in days.items():
        onset_at = AT + timedelta(days=day)
        about = {"situation_id": name, "onset_at": onset_at, "event_id": name}
        said(
            store,
            msgspec.structs.replace(SITUATION, **about, closed=name == "shut"),
            msgspec.structs.replace(
                INCIDENT, **about, incident_id=name, life="ended" if name == "over" else "active"
            ),
        )
    assert [one.situation_id for one in status(store).situations] == ["new", "old", "over", "shut"]


def test_orders_are_found_among_all_that_came_in_by_an_index(store):
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    event.listen(store, "before_cursor_execute", keep)
    assert commands(store) == []
    event.remove(store, "before_cursor_execute", keep)
    ((statement, parameters),) = [one for one in asked if "FROM inputs" in one[0]]
    with store.connect() as connection:
        if connection.dialect.name == "postgresql":
            # An empty table is read whole, whatever its indexes are.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            assert any("Scan using inputs_commands on inputs" in line for (line,) in plan)
            return
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        assert [row.detail for row in plan] == [
            "SEARCH inputs USING INDEX inputs_commands (name=?)"
        ]
