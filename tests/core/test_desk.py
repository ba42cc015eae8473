"""Stories of the desk: revisions, cancels, agencies, aftershocks, advice."""

from datetime import timedelta

import msgspec
import pytest

from schemas.alert import AlertRaised
from schemas.codelists import AdviceScope, Bucket, CheckInState, MsgType, Status, Verb
from schemas.exposure import AccountabilityChanged
from schemas.incident import AdvisoryChanged, SituationChanged
from schemas.operations import Tick
from schemas.zone import ZoneChanged
from streams.core.desk import Desk
from streams.core.incidents import LIFE
from tests.support.engine import (
    Engine,
    advice,
    around,
    at,
    command,
    override,
    quake,
    says,
    stays_in,
    warning,
)


def quaked() -> Engine:
    return Engine().tick(at("01:00")).put(quake(7.9, at("01:25"))).tick(at("01:30"))


def test_four_agencies_are_one_incident_and_change_no_footprint() -> None:
    engine = quaked()
    zones = engine.rows("zones")
    engine.put(quake(7.5, at("01:27"), source="emsc", name="e1", lon=37.08, lat=37.17))
    engine.put(quake(7.4, at("01:28"), source="afad", name="a1", lon=37.03, lat=37.29))
    engine.tick(at("01:35"))
    (incident,) = engine.rows("incidents")
    assert [m["source"] for m in incident["members"]] == ["usgs", "emsc", "afad"]
    assert (incident["magnitude"], incident["headline_source"]) == (7.9, "usgs")
    assert engine.rows("zones") == zones


def test_a_preferred_agency_that_speaks_later_takes_the_headline_not_the_id() -> None:
    engine = Engine().tick(at("01:00")).put(quake(7.5, at("01:20"), source="emsc", name="e1"))
    (before,) = engine.rows("incidents")
    engine.put(quake(7.9, at("01:25"))).tick(at("01:30"))
    (after,) = engine.rows("incidents")
    assert after["incident_id"] == before["incident_id"]
    assert (after["version"], after["headline_source"], after["magnitude"]) == (2, "usgs", 7.9)


def test_two_quakes_of_one_source_in_one_second_are_two_incidents() -> None:
    engine = quaked().put(quake(5.6, at("01:26"), name="us9", lon=36.9, lat=37.3))
    assert len(engine.tick(at("01:31")).rows("incidents")) == 2


def test_an_aftershock_is_an_incident_of_its_own_in_the_first_ones_situation() -> None:
    engine = quaked()
    engine.put(quake(7.5, at("10:30"), name="us2", onset=at("10:24:48"), lon=37.196, lat=38.011))
    first, second = sorted(engine.rows("incidents"), key=lambda row: row["onset_at"])
    assert second["mainshock_id"] == first["incident_id"]
    assert second["situation_id"] == first["situation_id"]
    (situation,) = engine.rows("situations")
    assert list(situation["incident_ids"]) == [first["incident_id"], second["incident_id"]]


def test_a_revision_corrects_from_the_onset_on() -> None:
    engine = quaked().put(quake(7.8, at("01:50"))).tick(at("01:51"))
    sixes = [z for z in engine.rows("zones") if z["band"] == "VI"]
    assert [(z["version"], z["corrected"]) for z in sixes] == [(1, True), (2, False)]
    assert {z["valid_from"] for z in sixes} == {"2023-02-06T01:17:34Z"}
    assert sixes[0]["valid_to"] == "2023-02-06T01:50:00Z"
    assert round(sixes[0]["areas"][0]["radius_m"], -1) == 299_540
    assert round(sixes[1]["areas"][0]["radius_m"], -1) == 268_850


def test_a_cancelled_quake_holds_nobody_any_more() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep")).tick(at("01:00"))
    engine.put(quake(7.9, at("01:25"))).tick(at("01:30"))
    assert engine.bucket("ana.1") == "unaccounted"
    engine.put(quake(7.9, at("02:00"), msg_type=MsgType.CANCEL)).tick(at("02:01"))
    assert engine.bucket("ana.1") == "no_longer_affected"
    assert engine.tier("ana.1") is None
    assert engine.rows("incidents")[0]["life"] == "cancelled"


def test_a_partial_cancel_leaves_the_other_areas_in_force() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep"), stays_in("bob.1", "adana"))
    engine.tick(at("01:00"))
    first = warning("w", at("01:10"), around("gaziantep", 20), around("adana", 20))
    partial = warning(
        "w",
        at("02:00"),
        around("adana", 20),
        msg_type=MsgType.CANCEL,
        references=(first.event_id,),
        onset_at=at("01:10"),
    )
    engine.put(first).tick(at("01:30")).put(partial).tick(at("02:30"))
    assert engine.tier("ana.1") == "probable"
    assert engine.tier("bob.1") is None
    assert engine.bucket("bob.1") == "unaccounted", "who was there stays accounted for"


def test_a_reference_joins_messages_whatever_comes_first() -> None:
    alert = warning("a", at("01:10"), around("adana", 20))
    update = warning("b", at("02:00"), around("adana", 30), references=(alert.event_id,))
    one = Engine().tick(at("01:00")).put(alert, update).tick(at("03:00"))
    other = Engine().tick(at("01:00")).put(update, alert).tick(at("03:00"))
    assert len(one.rows("incidents")) == 1
    for kind in ("incidents", "zones", "situations"):
        assert one.rows(kind) == other.rows(kind)


def test_an_incident_without_an_area_is_visible_and_says_so() -> None:
    report = warning("dry", at("01:10"))
    drought = msgspec.structs.replace(report, hazard="drought", position=None)
    (incident,) = Engine().tick(at("01:00")).put(drought).rows("incidents")
    assert (incident["area_known"], incident["life"]) == (False, "reported")


def test_a_lost_area_never_overwrites_a_known_one() -> None:
    engine = Engine().put(stays_in("ana.1", "adana")).tick(at("01:00"))
    engine.put(warning("w", at("01:10"), around("adana", 20))).tick(at("01:20"))
    engine.put(warning("w", at("02:00"), onset_at=at("01:10"))).tick(at("02:10"))
    assert engine.tier("ana.1") == "probable"


def test_what_evolves_holds_on_from_the_last_time_its_source_said_so() -> None:
    engine = Engine().put(stays_in("ana.1", "adana", "2023-02-01", "2023-03-20"))
    engine.tick(at("01:00")).put(warning("w", at("01:10"), around("adana", 20)))
    assert engine.tick(at("160:00")).tier("ana.1") == "probable", "seven days for a flood"
    engine.put(warning("w", at("161:00"), around("adana", 20), onset_at=at("01:10")))
    assert engine.tick(at("300:00")).tier("ana.1") == "probable", "said again, unchanged"
    assert engine.tick(at("161:00") + timedelta(days=7)).tier("ana.1") is None
    assert {z["version"] for z in engine.rows("zones")} == {1}


def test_a_drill_closes_draws_and_groups_nothing_live() -> None:
    engine = Engine().put(stays_in("ana.1", "adana")).tick(at("01:00"))
    engine.put(quake(7.8, at("01:25"))).tick(at("01:30"))
    (incident,), (situation,) = engine.rows("incidents"), engine.rows("situations")
    ids = {"incident_id": incident["incident_id"]}
    for verb, fields in (
        (Verb.POLYGON, ids | {"areas": (around("doha", 5),)}),
        (Verb.CLOSE, {"situation_id": situation["situation_id"]}),
        (Verb.DECLARE, {"title": "drill", "incident_ids": (incident["incident_id"],)}),
    ):
        engine.put(command(verb, at("02:00"), status=Status.EXERCISE, **fields))
    engine.put(advice("TR", 4, at("02:10"))).put(
        advice("TR", 1, at("02:20"), status=Status.EXERCISE)
    )
    engine.tick(at("02:30"))
    live = [s for s in engine.rows("situations") if s["status"] == "Actual"]
    assert [(s["situation_id"], s["closed"]) for s in live] == [(situation["situation_id"], False)]
    assert engine.bucket("ana.1") == "unaccounted"
    assert {e["cause_id"] for e in engine.rows("exposures")} == {incident["incident_id"], "test:TR"}


def test_advice_of_a_drill_is_the_same_after_a_restart() -> None:
    engine = Engine(1).put(stays_in("ana.1", "doha")).tick(at("00:30"))
    engine.put(advice("QA", 4, at("00:10"), status=Status.EXERCISE)).tick(at("01:00"))
    twin = Desk.restore(engine.desk.snapshot())
    later = advice("QA", 3, at("01:10"), status=Status.EXERCISE)
    assert twin.apply([later]) == engine.desk.apply([later])
    assert [row["advisory_id"] for row in twin.export("advisories")] == ["exercise~test:QA"]
    assert twin.apply([later]).rejects == []


def test_a_mainshock_opens_a_closed_situation_again() -> None:
    engine = Engine().tick(at("01:00")).put(quake(5.8, at("01:30"))).tick(at("02:00"))
    (situation,) = engine.rows("situations")
    engine.put(command(Verb.CLOSE, at("03:00"), situation_id=situation["situation_id"]))
    assert engine.rows("situations")[0]["closed"] is True
    engine.put(quake(7.9, at("09:30"), name="us2", onset=at("09:20")))
    (after,) = engine.rows("situations")
    assert (after["closed"], after["title"]) == (False, "M 7.9 Türkiye")


def test_an_override_follows_the_incident_into_another_group() -> None:
    engine = Engine().put(stays_in("ana.1", "adana")).tick(at("01:00"))
    engine.put(quake(7.8, at("01:25"))).tick(at("01:30"))
    incident_id = engine.rows("incidents")[0]["incident_id"]
    engine.put(command(Verb.DECLARE, at("02:00"), title="first", incident_ids=(incident_id,)))
    first = engine.rows("ledger")[0]["situation_id"]
    engine.put(override("ana.1", first, Bucket.EVACUATED, at("02:10")))
    engine.put(command(Verb.DECLARE, at("02:20"), title="second", incident_ids=(incident_id,)))
    (row,) = engine.tick(at("02:30")).rows("ledger")
    assert row["bucket"] == "evacuated"
    assert row["situation_id"] != first
    why = [m.why for m in engine.said(AccountabilityChanged) if m.to_bucket is None]
    assert set(why) == {"regrouped"}


def test_what_a_displaced_content_had_joined_comes_apart_again() -> None:
    one = msgspec.structs.replace(quake(7.8, at("01:30"), name="a"), same_as=("usgs:other",))
    two = quake(6.0, at("01:31"), name="b", lon=50.0)
    others = quake(7.0, at("01:40"), name="other", lon=60.0), quake(7.0, at("01:41"), name="a")
    both = [msgspec.structs.replace(report, event_id="same") for report in (one, two)]
    forth = Engine().tick(at("02:00")).put(*both, *others)
    back = Engine().tick(at("02:00")).put(*reversed(both), *others)
    assert forth.rows("incidents") == back.rows("incidents")
    assert Desk.restore(forth.desk.snapshot()).export("incidents") == forth.rows("incidents")


def test_life_cycle_moves_only_along_the_table() -> None:
    engine = quaked()
    assert engine.rows("incidents")[0]["life"] == "active"
    engine.tick(at("23:00")).tick(at("01:17:34", at("00:00") + 3 * (at("24:00") - at("00:00"))))
    assert engine.rows("incidents")[0]["life"] == "ended"
    assert set(LIFE) == {"reported", "active", "ended", "cancelled"}
    assert all(set(after) <= set(LIFE) for after in LIFE.values())


def test_advice_raised_ended_and_merely_edited() -> None:
    engine = Engine().put(stays_in("ana.1", "doha")).tick(at("01:00"))
    for clock, level in (("02:00", 2), ("03:00", 4), ("04:00", 4), ("05:00", 2)):
        engine.put(advice("QA", level, at(clock))).tick(at(f"{clock[:2]}:30"))
    changes = [(a.change, a.level, a.zoned) for a in engine.said(AdvisoryChanged)]
    assert changes == [("first", 2, False), ("raised", 4, True), ("ended", 2, False)]
    zones = engine.rows("zones")
    assert [(z["band"], z["valid_from"], z["valid_to"]) for z in zones] == [
        ("advice 4", "2023-02-06T03:00:00Z", "2023-02-06T05:00:00Z")
    ]
    assert engine.rows("ledger") == [], "advice keeps no ledger"


def test_partial_advice_never_colours_the_whole_country() -> None:
    engine = Engine().put(stays_in("ana.1", "doha")).tick(at("01:00"))
    engine.put(advice("QA", 4, at("02:00"), AdviceScope.PART)).tick(at("02:30"))
    assert engine.rows("zones") == []
    assert engine.tier("ana.1") is None


def test_an_officer_declares_draws_and_closes() -> None:
    engine = Engine().put(stays_in("ana.1", "doha")).tick(at("01:00"))
    declared = command(Verb.DECLARE, at("02:00"), title="Gulf", areas=(around("doha", 50),))
    engine.put(declared).tick(at("02:01"))
    (situation,) = engine.rows("situations")
    assert (situation["title"], situation["declared_by"]) == ("Gulf", "officer-1")
    assert engine.bucket("ana.1") == "unaccounted"
    drawn = command(
        Verb.POLYGON,
        at("03:00"),
        incident_id=situation["incident_ids"][0],
        areas=(around("adana", 50),),
    )
    engine.put(drawn).tick(at("03:01"))
    assert engine.bucket("ana.1") == "no_longer_affected"
    assert engine.rows("zones")[-1]["model"] == "officer"
    closing = command(Verb.CLOSE, at("04:00"), situation_id=situation["situation_id"])
    engine.put(closing).tick(at("04:01"))
    assert engine.rows("situations")[0]["closed"] is True


def test_linked_records_count_once_and_unlinking_restores() -> None:
    engine = Engine().put(stays_in("ana.1", "adana"), stays_in("zoe.7", "adana"))
    engine.tick(at("01:00")).put(quake(7.8, at("01:25"))).tick(at("01:30"))
    engine.put(command(Verb.LINK, at("02:00"), person_id="zoe.7", other_id="ana.1"))
    engine.tick(at("02:01"))
    assert engine.buckets() == {"unaccounted": 1, "duplicate": 1}
    link_id = next(iter(engine.desk.links.values())).link_id
    engine.put(command(Verb.UNLINK, at("03:00"), link_id=link_id)).tick(at("03:01"))
    assert engine.buckets() == {"unaccounted": 2}


def test_what_a_duplicate_says_and_where_it_is_counts_for_its_root() -> None:
    engine = Engine(4).put(stays_in("ana.1", "doha"), stays_in("zoe.7", "adana"))
    engine.tick(at("01:00")).put(quake(7.8, at("01:25"))).tick(at("01:30"))
    engine.put(command(Verb.LINK, at("02:00"), person_id="zoe.7", other_id="ana.1"))
    engine.put(says("zoe.7", CheckInState.NEEDS_HELP, at("02:05"))).tick(at("02:10"))
    assert engine.bucket("ana.1") == "needs_help"
    assert engine.bucket("zoe.7") == "duplicate"
    (alert,) = [a for a in engine.said(AlertRaised) if a.rule == "help_requested"]
    assert alert.facts["person_id"] == "ana.1"
    twin = Engine(1).put(stays_in("ana.1", "doha"), stays_in("zoe.7", "adana"))
    twin.put(says("zoe.7", CheckInState.NEEDS_HELP, at("02:05"))).tick(at("01:00"))
    twin.put(command(Verb.LINK, at("02:00"), person_id="zoe.7", other_id="ana.1"))
    twin.put(quake(7.8, at("01:25"))).tick(at("02:10"))
    for kind in ("persons", "exposures", "ledger"):
        assert twin.rows(kind) == engine.rows(kind)
    assert {row["person_id"] for row in engine.rows("exposures")} == {"ana.1"}
    engine.put(command(Verb.UNLINK, at("03:00"), link_id=engine.desk.links["zoe.7"].link_id))
    engine.tick(at("03:01"))
    assert (engine.bucket("ana.1"), engine.bucket("zoe.7")) == (None, "needs_help")


def test_an_exercise_never_touches_a_live_count() -> None:
    engine = Engine().put(stays_in("ana.1", "adana")).tick(at("01:00"))
    engine.put(quake(7.8, at("01:25"), status=Status.EXERCISE)).tick(at("01:30"))
    assert [row["status"] for row in engine.rows("ledger")] == ["Exercise"]
    assert {e.status for e in engine.said(ZoneChanged)} == {Status.EXERCISE}
    assert {e.status for e in engine.said(SituationChanged)} == {Status.EXERCISE}
    engine.put(quake(7.8, at("01:40"))).tick(at("01:50"))
    assert sorted(row["status"] for row in engine.rows("ledger")) == ["Actual", "Exercise"]


def test_one_id_with_two_contents_keeps_the_lower_hash_in_any_order() -> None:
    one = quake(7.8, at("01:25"))
    other = msgspec.structs.replace(one, magnitude=6.1)
    forth, back = Engine(), Engine()
    forth.put(one, other).tick(at("02:00"))
    back.put(other, one).tick(at("02:00"))
    assert forth.rows("zones") == back.rows("zones")
    assert len(forth.rejects) == len(back.rejects) == 1
    assert sorted(reason[:8] for reason in forth.rejects + back.rejects) == ["event_id", "its even"]


def test_a_jump_of_the_clock_must_be_marked() -> None:
    desk = Desk(1)

    def tick(clock: str, *, resume: bool) -> Tick:
        when = at(clock)
        return Tick(
            event_id=clock, source="t", occurred_at=when, received_at=when, at=when, resume=resume
        )

    desk.apply([tick("01:00", resume=False)])
    (reject,) = desk.apply([tick("01:11", resume=False)]).rejects
    assert "mark it resume" in reject.reason
    assert desk.apply([tick("01:11", resume=True)]).rejects == []
    assert desk.apply([tick("01:05", resume=False)]).events == [], "an older tick is ignored"


@pytest.mark.parametrize("kind", ["incidents", "zones", "advisories", "situations"])
def test_a_restored_desk_goes_on_as_if_nothing_had_been(kind: str) -> None:
    engine = quaked().put(advice("TR", 4, at("01:40")))
    engine.put(command(Verb.DECLARE, at("01:45"), title="x", areas=(around("doha", 5),)))
    twin = Desk.restore(engine.desk.snapshot())
    assert twin.export(kind) == engine.desk.export(kind)
    later = quake(7.8, at("01:50"))
    assert twin.apply([later]) == engine.desk.apply([later])
    assert twin.snapshot() == engine.desk.snapshot()
