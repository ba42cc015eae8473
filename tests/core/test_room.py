"""Stories of the room: sums with their completeness, alerts raised once."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.alert import AlertAcknowledged, AlertRaised, SituationSummed, Totals
from schemas.codelists import CheckInState, Precision, Status, Verb
from schemas.envelope import Event
from schemas.exposure import Reached
from schemas.place import Place
from streams.core import rules
from streams.core.room import Room
from streams.core.rules import RULES
from tests.support.engine import (
    Engine,
    advice,
    around,
    at,
    command,
    quake,
    says,
    stays_in,
    warning,
)


def crowd(count: int, where: str = "gaziantep") -> list[Event]:
    return [stays_in(f"p{n}.1", where) for n in range(count)]


def quaked(count: int, **fields: Any) -> Engine:
    engine = Engine(4).put(*crowd(count))
    engine.tick(at("01:00")).put(quake(7.9, at("01:25"), **fields))
    return engine.tick(at("01:30"))


def test_the_sum_says_how_many_shards_stand_behind_it() -> None:
    engine = quaked(12)
    summed = engine.said(SituationSummed)[-1]
    assert (summed.known, summed.reached, summed.shards, summed.imbalance) == (12, 4, 4, 0)
    assert sum(b.count for b in summed.buckets) == 12


def reached(shard: int, clock: str, known: int = 5) -> Reached:
    when = at(clock)
    return Reached(
        event_id=f"{shard}:{clock}",
        source="shard",
        occurred_at=when,
        received_at=when,
        shard=shard,
        shards=3,
        tick_at=when,
        zone_seq=0,
        distinct_known=known,
        people=10,
    )


def test_a_silent_shard_makes_the_sum_an_at_least() -> None:
    room = Room(3)
    room.apply([reached(shard, "01:00") for shard in range(3)])
    late = room.apply([reached(0, "01:01"), reached(1, "01:01"), reached(0, "01:02")])
    totals = [out.event for out in late.events if isinstance(out.event, Totals)]
    assert [(t.tick_at, t.reached, t.shards, t.distinct_known) for t in totals] == [
        (at("01:01"), 2, 3, 15)
    ]


def test_the_threshold_alerts_once_whatever_follows() -> None:
    engine = quaked(12)
    engine.put(quake(7.5, at("01:40"), source="emsc", name="e1")).tick(at("01:41"))
    engine.put(quake(7.8, at("01:50"))).tick(at("01:51"))
    (alert,) = engine.said(AlertRaised)
    assert (alert.rule, alert.facts["known"], alert.audience) == (
        "affected_threshold",
        12,
        "duty_officer",
    )
    assert alert.late_s == 746, "12 min 26 s after the onset it says how late it is"


def test_people_known_only_by_country_do_not_raise_it() -> None:
    turkey = Place(precision=Precision.COUNTRY, country="TR")
    engine = Engine().put(*(stays_in(f"c{n}.1", turkey) for n in range(30)), *crowd(9))
    engine.tick(at("01:00")).put(quake(7.9, at("01:25"))).tick(at("01:30"))
    assert engine.said(SituationSummed)[-1].known == 39
    assert engine.said(AlertRaised) == []
    (alert,) = engine.put(stays_in("p10.1", "gaziantep")).tick(at("01:31")).said(AlertRaised)
    assert alert.title.endswith("10 of ours known to be affected, 30 more in the country")


def test_a_mainshock_after_a_foreshock_is_news_again() -> None:
    engine = Engine().put(*crowd(12)).put(*(stays_in(f"q{n}.1", "adana") for n in range(100)))
    engine.tick(at("01:00")).put(quake(5.8, at("01:30"), lon=37.38, lat=37.06)).tick(at("02:00"))
    engine.put(quake(7.9, at("09:30"), name="us2", onset=at("09:20"))).tick(at("10:00"))
    assert [a.facts["known"] for a in engine.said(AlertRaised)] == [12, 112]


def test_a_situation_that_changes_its_id_alerts_no_second_time() -> None:
    engine = Engine().put(*crowd(12)).put(says("p0.1", CheckInState.NEEDS_HELP, at("02:00")))
    engine.tick(at("01:00")).put(quake(7.8, at("01:40"), source="emsc", name="e1"))
    engine.tick(at("02:10")).put(quake(7.8, at("01:30"))).tick(at("02:20"))
    incident_id = engine.rows("incidents")[0]["incident_id"]
    engine.put(command(Verb.DECLARE, at("02:30"), title="all", incident_ids=(incident_id,)))
    engine.tick(at("02:40"))
    assert sorted(a.rule for a in engine.said(AlertRaised)) == [
        "affected_threshold",
        "help_requested",
    ]


def test_an_edited_text_neither_hides_a_rise_nor_repeats_it() -> None:
    engine = Engine().put(*crowd(2, "doha")).tick(at("01:00")).put(advice("QA", 1, at("01:10")))
    edited = msgspec.structs.replace(advice("QA", 4, at("02:01")), title="Qatar (typo mended)")
    engine.tick(at("01:20")).put(advice("QA", 4, at("02:00")), edited).tick(at("02:10"))
    assert len(engine.said(AlertRaised)) == 1
    engine.put(advice("QA", 2, at("01:30"))).tick(at("02:20"))
    assert len(engine.said(AlertRaised)) == 1, "a late older version is no new rise"


def test_a_rise_just_before_an_outage_is_raised_after_it_and_says_how_late() -> None:
    engine = Engine().put(*crowd(2, "doha")).tick(at("01:00")).put(advice("QA", 1, at("01:10")))
    engine.tick(at("01:20")).put(advice("QA", 4, at("01:30"))).tick(at("07:30"))
    (alert,) = engine.said(AlertRaised)
    assert alert.late_s == 6 * 3600


def test_who_comes_long_after_a_rise_is_an_exposure_and_no_alert() -> None:
    engine = Engine().tick(at("01:00")).put(advice("QA", 1, at("01:10")))
    engine.put(advice("QA", 4, at("02:00"))).tick(at("02:10"))
    engine.put(stays_in("late.1", "doha")).tick(at("23:00"))
    assert engine.tier("late.1") == "probable"
    assert engine.said(AlertRaised) == []


def test_what_is_over_when_we_hear_of_it_raises_nothing() -> None:
    engine = Engine().put(*crowd(12, "adana")).tick(at("01:00"))
    flood = warning("w", at("01:10"), around("adana", 20), expires_at=at("02:00"))
    engine.put(flood).tick(at("05:00"))
    assert engine.said(SituationSummed)[-1].known == 12
    assert engine.said(AlertRaised) == []


def test_below_the_threshold_nothing_is_raised() -> None:
    assert quaked(9).said(AlertRaised) == []


def test_a_request_for_help_passes_at_once_without_a_tick() -> None:
    engine = quaked(1).put(says("p0.1", CheckInState.NEEDS_HELP, at("01:31")))
    (alert,) = engine.said(AlertRaised)
    assert (alert.rule, alert.facts["person_id"]) == ("help_requested", "p0.1")
    engine.put(says("p0.1", CheckInState.NEEDS_HELP, at("01:40"))).tick(at("01:41"))
    assert len(engine.said(AlertRaised)) == 1


def test_advice_raised_alerts_with_people_inside_and_never_at_first_sight() -> None:
    engine = Engine().put(*crowd(2, "doha")).tick(at("01:00"))
    engine.put(advice("QA", 4, at("02:00"))).tick(at("02:01"))
    assert engine.said(AlertRaised) == [], "where we start from is not a rise"
    engine.put(advice("QA", 2, at("03:00"))).tick(at("03:01"))
    engine.put(advice("QA", 3, at("04:00"))).tick(at("04:01"))
    (alert,) = engine.said(AlertRaised)
    assert (alert.facts["inside"], alert.facts["level"], alert.facts["previous_level"]) == (2, 3, 2)


def test_an_exercise_says_so_on_every_alert() -> None:
    engine = quaked(12, status=Status.EXERCISE)
    (alert,) = engine.said(AlertRaised)
    assert alert.status is Status.EXERCISE
    assert alert.title.startswith("EXERCISE ")
    assert engine.said(Totals)[-1].distinct_known == 0


def test_acknowledging_names_who_and_refuses_what_is_not_there() -> None:
    engine = quaked(12)
    alert_id = engine.said(AlertRaised)[0].alert_id
    engine.put(command(Verb.ACKNOWLEDGE, at("02:00"), alert_id=alert_id))
    engine.put(command(Verb.ACKNOWLEDGE, at("02:01"), alert_id=alert_id))
    assert [a.by for a in engine.said(AlertAcknowledged)] == ["officer-1"]
    engine.put(command(Verb.ACKNOWLEDGE, at("02:02"), alert_id="alert-none"))
    assert engine.rejects == ["there is no alert alert-none; see `rollcall export alerts`"]


def test_people_are_counted_once_over_incidents() -> None:
    engine = quaked(12)
    engine.put(quake(7.5, at("10:30"), name="us2", onset=at("10:24:48"), lon=37.196, lat=38.011))
    engine.tick(at("10:31"))
    assert engine.said(Totals)[-1].distinct_known == 12
    assert engine.said(SituationSummed)[-1].known == 12


@pytest.mark.parametrize("path", sorted(Path(rules.__path__[0]).glob("*.py")), ids=lambda p: p.stem)
def test_every_rule_is_registered(path: Path) -> None:
    if path.stem not in {"__init__", "base"}:
        assert path.stem in {rule.name for rule in RULES}


def test_a_restored_room_goes_on_as_if_nothing_had_been() -> None:
    engine = quaked(12)
    twin = Room.restore(engine.room.snapshot())
    assert twin.snapshot() == engine.room.snapshot()
    again = [reached(shard, "05:00") for shard in range(3)]
    assert twin.apply(again) == engine.room.apply(again)
    assert twin.export("alerts") == engine.room.export("alerts")
