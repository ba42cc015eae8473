"""Stories of presence and exposure: who is where, and how sure it is."""

from datetime import timedelta

from schemas.codelists import CheckInState, ContactOutcome, Precision, Status
from schemas.envelope import Event
from schemas.exposure import (
    AccountabilityChanged,
    ExposureClosed,
    ExposureOpened,
    Reached,
    TallyChanged,
)
from schemas.operations import Tick
from schemas.person import CheckedIn
from schemas.place import Place, Position
from streams.core.shard import Shard
from tests.support.engine import (
    CITIES,
    DAY,
    ONSET,
    Engine,
    advice,
    around,
    at,
    contact,
    fix,
    quake,
    says,
    stays_in,
    warning,
)


def quaked(*people: Event) -> Engine:
    engine = Engine().put(*people)
    return engine.tick(at("01:00")).put(quake(7.9, at("01:25"))).tick(at("01:30"))


def test_tiers_follow_basis_and_precision() -> None:
    _, lon, lat = CITIES["gaziantep"]
    engine = quaked(
        fix("gps.1", lon, lat, at("00:30")),
        stays_in("city.1", "gaziantep"),
        stays_in(
            "region.1",
            Place(precision=Precision.ADMIN1, country="TR", lon_deg=lon, lat_deg=lat),
        ),
        stays_in("country.1", Place(precision=Precision.COUNTRY, country="TR")),
        stays_in("away.1", "antalya"),
    )
    assert [engine.tier(f"{who}.1") for who in ("gps", "city", "region", "country", "away")] == [
        "confirmed",
        "probable",
        "possible",
        "country_only",
        None,
    ]


def test_diyarbakir_falls_from_band_six_to_the_possible_ring() -> None:
    engine = quaked(stays_in("ana.1", "diyarbakir"))
    (row,) = engine.rows("exposures")
    assert (row["tier"], row["band"]) == ("probable", "VI")
    engine.put(quake(7.8, at("01:50"))).tick(at("01:51"))
    (row,) = engine.rows("exposures")
    assert (row["tier"], row["band"]) == ("possible", "possible")
    assert engine.bucket("ana.1") == "unaccounted"


def test_nobody_passes_through_a_state_half_changed() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    engine.put(quake(7.8, at("01:50"))).tick(at("01:51"))
    assert [e.band for e in engine.said(ExposureOpened)] == ["VIII"]
    assert engine.said(ExposureClosed) == []


def test_a_fix_ages_from_fresh_to_old_to_nothing_better_than_the_stay() -> None:
    _, lon, lat = CITIES["doha"]
    engine = Engine().put(stays_in("ana.1", "doha"), fix("ana.1", lon, lat, at("00:00")))

    def basis(clock: str) -> tuple[object, object]:
        row = engine.tick(at(clock)).rows("persons")[0]
        return row["basis"], row["radius_m"]

    assert basis("06:00") == ("fresh_fix", 50)
    assert basis("06:01") == ("old_fix", 50)
    assert basis("07:00") == ("old_fix", 5_050)
    assert basis("71:00") == ("old_fix", 200_050)
    assert basis("72:01") == ("stay", 5_000)


def test_a_newer_fix_outside_the_country_of_the_stay_beats_it() -> None:
    _, lon, lat = CITIES["doha"]
    engine = Engine().put(stays_in("ana.1", "gaziantep"), fix("ana.1", lon, lat, at("00:00")))
    assert engine.tick(at("09:00")).rows("persons")[0]["basis"] == "old_fix"


def test_a_place_stated_to_the_call_centre_holds_for_three_days() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep"))
    doha = Place(
        precision=Precision.CITY, country="QA", name="Doha", lon_deg=51.531, lat_deg=25.2854
    )
    engine.put(contact("ana.1", ContactOutcome.REACHED_SAFE, at("02:00"), place=doha))
    assert engine.tick(at("74:00")).rows("persons")[0]["place"] == "Doha"
    assert engine.tick(at("74:01")).rows("persons")[0]["place"] == "Gaziantep"


def test_exchanged_axes_are_seen_through() -> None:
    _, lon, lat = CITIES["gaziantep"]
    engine = quaked(stays_in("ana.1", "gaziantep"), fix("ana.1", lat, lon - 20, at("00:30")))
    assert engine.tier("ana.1") is None, "a far fix that no swap explains is believed"
    engine = quaked(stays_in("bob.1", "doha"), fix("bob.1", 25.2854, 51.531, at("00:30")))
    assert engine.rows("persons")[0]["basis"] == "stay"


def test_leaving_takes_ten_minutes_or_a_clear_distance() -> None:
    zone = around("adana", 20)
    _, lon, lat = CITIES["adana"]
    outside = lon + 0.2290  # 20.38 km east: 380 m out, with 400 m accuracy
    engine = Engine().put(fix("ana.1", lon, lat, at("01:00"), 400.0)).tick(at("01:01"))
    engine.put(warning("w", at("01:10"), zone)).tick(at("01:11"))
    engine.put(fix("ana.1", outside, lat, at("01:20"), 400.0)).tick(at("01:29"))
    assert engine.tier("ana.1") == "confirmed", "P fell, but the dwell is not over"
    far = fix("ana.1", lon + 1.0, lat, at("01:25"), 50.0)
    engine.put(far).tick(at("01:29:30"))
    assert engine.tier("ana.1") is None, "beyond the boundary by more than its radius"


def test_jitter_within_ten_minutes_opens_once() -> None:
    zone, (_, lon, lat) = around("adana", 20), CITIES["adana"]
    engine = Engine().tick(at("01:00")).put(warning("w", at("01:05"), zone)).tick(at("01:06"))
    for minute in range(10, 30, 4):
        inside = minute % 8 == 2
        where = lon + (0.2 if inside else 0.2255)
        engine.put(fix("ana.1", where, lat, at(f"01:{minute}"), 900.0)).tick(at(f"01:{minute}:30"))
    assert len(engine.said(ExposureOpened)) == 1
    assert engine.said(ExposureClosed) == []


def test_arriving_within_three_days_is_inbound_and_not_in_the_ledger() -> None:
    engine = Engine().put(
        stays_in("soon.1", "doha", "2023-02-08"),
        stays_in("later.1", "doha", "2023-02-12"),
        stays_in("gone.1", "doha", "2023-01-01", "2023-02-03"),
        stays_in("here.1", "doha"),
    )
    engine.tick(at("01:00")).put(advice("QA", 4, at("02:00"))).tick(at("02:30"))
    tiers = {row["person_id"]: row["tier"] for row in engine.rows("exposures")}
    assert tiers == {"soon.1": "inbound", "here.1": "probable"}
    engine.tick(at("48:00"))
    tiers = {row["person_id"]: row["tier"] for row in engine.rows("exposures")}
    assert tiers["soon.1"] == "probable", "from 24 h before its dates a stay covers"


def test_whoever_left_before_the_quake_is_not_a_member_and_a_late_fix_withdraws() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    assert engine.bucket("ana.1") == "unaccounted"
    _, lon, lat = CITIES["doha"]
    engine.put(fix("ana.1", lon, lat, at("01:10"))).tick(at("01:31"))
    assert engine.bucket("ana.1") is None
    assert engine.tier("ana.1") is None
    partition = engine.partitions[0 if engine.partitions[0].people else 1]
    assert partition.people[0].withdrawn


def test_dropping_ticks_changes_no_state() -> None:
    people = (stays_in("ana.1", "gaziantep"), fix("ana.1", 37.38, 37.06, at("00:00")))
    every, last = Engine().put(*people), Engine().put(*people)
    for engine in (every, last):
        engine.tick(at("01:00")).put(quake(7.8, at("01:25")))
    for hour in range(2, 80):
        every.tick(at(f"{hour}:00"))
    last.tick(at("79:00"))
    for kind in ("persons", "exposures", "ledger"):
        assert every.rows(kind) == last.rows(kind)


def test_someone_arriving_at_two_quakes_of_one_situation_is_one_person() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep", "2023-02-08"))
    second = quake(7.5, at("10:30"), name="us2", onset=at("10:24:48"), lon=37.196, lat=38.011)
    engine.put(second).tick(at("11:00"))
    assert len(engine.rows("exposures")) == 2
    assert [t.inbound for of in engine.room.tallies.values() for t in of.values()] == [1]


def test_a_tally_back_at_zero_survives_a_restart() -> None:
    engine = Engine(1).tick(at("00:30")).put(advice("QA", 4, at("00:10")))
    engine.put(fix("ana.1", 51.53, 25.28, at("00:40"))).tick(at("01:00"))
    engine.put(fix("ana.1", 4.35, 50.85, at("01:05")))
    engine.partitions[0] = Shard.restore(engine.partitions[0].snapshot())
    engine.tick(at("01:10"))
    assert [t.known for t in engine.room.tallies["test:QA"].values()] == [0]


def test_nothing_said_in_an_exercise_moves_a_live_clock_or_belief() -> None:
    engine = Engine().put(stays_in("ana.1", "adana")).tick(at("01:00"))
    engine.put(warning("w", at("01:00"), around("adana", 20), expires_at=at("02:02")))
    engine.tick(at("01:59"))
    engine.put(says("ana.1", CheckInState.SAFE, at("02:03"), status=Status.EXERCISE))
    engine.put(fix("ana.1", 4.35, 50.85, at("02:03"), status=Status.EXERCISE))
    assert engine.tier("ana.1") == "probable"
    assert engine.rows("persons")[0]["basis"] == "stay"


def test_one_id_with_two_contents_leaves_nothing_of_the_refused_one() -> None:
    both = [
        CheckedIn(
            event_id="x",
            source="t",
            occurred_at=at("02:01"),
            received_at=at("02:01"),
            person_id="ana.1",
            position=position,
            state=state,
        )
        for position, state in (
            (Position(lon_deg=4.35, lat_deg=50.85), None),
            (None, CheckInState.NEEDS_HELP),
        )
    ]
    forth = quaked(stays_in("ana.1", "gaziantep")).put(*both).tick(at("02:10"))
    back = quaked(stays_in("ana.1", "gaziantep")).put(*reversed(both)).tick(at("02:10"))
    for kind in ("persons", "exposures", "ledger"):
        assert forth.rows(kind) == back.rows(kind)
    assert len(forth.rejects) == len(back.rejects) == 1
    for engine in (forth, back):
        said = {repr(event) for event in engine.outputs}
        assert len({event.event_id for event in engine.outputs}) == len(said)


def test_a_stated_point_is_inside_a_country_by_where_it_is() -> None:
    dubai = Place(precision=Precision.POINT, country="QA", lon_deg=55.27, lat_deg=25.2)
    engine = Engine().tick(at("00:30")).put(advice("QA", 4, at("00:10")))
    engine.put(contact("ana.1", ContactOutcome.REACHED_SAFE, at("00:40"), place=dubai))
    assert engine.tick(at("01:00")).tier("ana.1") is None


def test_a_revised_onset_loses_no_call_for_help() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    engine.put(says("ana.1", CheckInState.NEEDS_HELP, ONSET + timedelta(seconds=20)))
    engine.put(quake(7.8, at("01:40"), onset=ONSET + timedelta(seconds=30))).tick(at("02:00"))
    assert engine.bucket("ana.1") == "needs_help"


def test_safe_said_before_the_corrected_onset_does_not_count() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep")).tick(at("01:00"))
    engine.put(quake(7.8, at("01:20"), onset=ONSET - timedelta(hours=24)))
    engine.put(says("ana.1", CheckInState.SAFE, ONSET - timedelta(hours=5))).tick(at("01:21"))
    assert engine.bucket("ana.1") == "safe"
    engine.put(quake(7.8, at("01:40"))).tick(at("02:00"))
    assert engine.bucket("ana.1") == "unaccounted"


def test_a_check_in_and_the_zone_around_it_in_one_batch() -> None:
    zones = Engine(1).tick(at("01:00")).put(quake(7.8, at("01:20"))).partitions[0].book.records
    shard = Engine(1).tick(at("01:00")).partitions[0]
    when = at("01:30")
    tick = Tick(event_id="t", source="t", occurred_at=when, received_at=when, at=when)
    shard.apply([*zones.values(), fix("ana.1", 37.38, 37.06, at("00:59")), tick])
    assert [row["tier"] for row in shard.export("exposures")] == ["confirmed"]


def test_leaving_one_situation_for_another_by_knowledge_is_withdrawn_not_regrouped() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    engine.put(warning("w", at("01:05"), around("doha", 50))).tick(at("02:00"))
    moved = DAY - timedelta(days=2)
    engine.put(stays_in("ana.1", "doha", "2023-02-02", registration_id="r2", when=moved))
    engine.tick(at("03:00"))
    gone = [m.why for m in engine.said(AccountabilityChanged) if m.to_bucket is None]
    assert gone == ["withdrawn"]


def test_a_statement_counts_alike_whatever_came_first() -> None:
    far = Place(precision=Precision.CITY, country="GE", lon_deg=37.014, lat_deg=40.526)
    person = stays_in("ana.1", far), says("ana.1", CheckInState.NEEDS_HELP, at("01:18:04"))
    solutions = [
        quake(7.9, at("01:30")),
        quake(6.0, at("01:40")),
        quake(6.0, at("01:50"), onset=at("01:18:34"), lon=37.1),
    ]
    one = Engine().tick(at("01:20")).put(*person, *solutions).tick(at("02:40"))
    other = Engine().tick(at("01:20")).put(*solutions, *person).tick(at("02:40"))
    assert one.rows("ledger") == other.rows("ledger")
    assert one.bucket("ana.1") == "needs_help"


def test_before_the_first_tick_nothing_is_evaluated() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep"), quake(7.8, at("01:25")))
    assert engine.rows("exposures") == []
    assert engine.tick(at("01:30")).tier("ana.1") == "probable"


def test_a_restored_shard_goes_on_as_if_nothing_had_been() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"), fix("ana.1", 37.38, 37.06, at("00:00")))
    for shard in engine.partitions:
        twin = Shard.restore(shard.snapshot())
        assert twin.snapshot() == shard.snapshot()
        for kind in ("persons", "exposures", "ledger"):
            assert twin.export(kind) == shard.export(kind)
        later = fix("ana.1", 51.5, 25.2, at("02:00"))
        assert twin.apply([later]) == shard.apply([later])


def test_every_tick_is_answered_even_with_zero() -> None:
    shard = Shard(0, 1)
    when = at("01:00")
    tick = Tick(event_id="t", source="t", occurred_at=when, received_at=when, at=when)
    (out,) = shard.apply([tick]).events
    assert isinstance(out.event, Reached)
    assert (out.event.distinct_known, out.event.people) == (0, 0)


def test_tallies_are_absolute_and_balance() -> None:
    people = [stays_in(f"p{n}.1", "gaziantep") for n in range(7)]
    engine = quaked(*people)
    heard: list[TallyChanged] = []
    for of_shard in engine.room.tallies.values():
        heard += of_shard.values()
    assert sum(tally.known for tally in heard) == 7
    assert sum(cell.count for tally in heard for cell in tally.cells) == 7
    assert {cell.post for tally in heard for cell in tally.cells} == {"BE-ANKARA"}
