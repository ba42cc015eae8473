"""Stories of areas: in which region a member is counted, and what its sum says."""

from typing import Any

import msgspec
import pytest

from schemas.alert import AreaSum, BucketSum, SituationSummed
from schemas.codelists import Bucket, CheckInState, Precision, Verb
from schemas.envelope import Event
from schemas.exposure import AccountabilityChanged, TallyChanged
from schemas.place import Place
from tests.support.engine import CITIES, Engine, advice, at, command, fix, quake, says, stays_in

_, LON, LAT = CITIES["gaziantep"]


def quaked(*people: Event) -> Engine:
    engine = Engine().put(*people)
    return engine.tick(at("01:00")).put(quake(7.8, at("01:25"))).tick(at("01:30"))


def place(precision: Precision = Precision.CITY, **fields: Any) -> Place:
    point = {} if precision is Precision.COUNTRY else {"lon_deg": LON, "lat_deg": LAT}
    return Place(**({"precision": precision, "country": "TR"} | point | fields))


@pytest.mark.parametrize(
    ("where", "area"),
    [
        (place(), "TR-27"),
        (place(admin1="TR-31"), "TR-31"),
        (place(Precision.ADMIN1, admin1="TR-31"), "TR-31"),
        (place(Precision.ADMIN1), "TR-27"),
        (place(Precision.COUNTRY), "TR"),
        (place(Precision.COUNTRY, admin1="TR-31"), "TR-31"),
        (place(admin1="Hatay"), "TR-27"),
        (place(country="CY"), "CY"),
    ],
    ids=["city", "filed", "region", "bare", "country", "country filed", "no code", "no city near"],
)
def test_what_was_filed_counts_then_the_nearest_city_then_the_country(
    where: Place, area: str
) -> None:
    (row,) = quaked(stays_in("ana.1", where)).rows("ledger")
    assert row["area"] == area


def test_a_fix_counts_in_the_region_of_the_nearest_city() -> None:
    (row,) = quaked(fix("ana.1", LON, LAT, at("00:30"))).rows("ledger")
    assert row["area"] == "TR-27"


def test_a_fix_far_from_every_city_counts_in_its_country() -> None:
    engine = Engine().put(fix("ana.1", 5.5, 23.5, at("00:30"))).tick(at("01:00"))
    engine.put(quake(7.8, at("01:25"), lon=5.5, lat=23.5)).tick(at("01:30"))
    (row,) = engine.rows("ledger")
    assert row["area"] == "DZ"


def test_a_fix_at_sea_far_from_every_country_counts_nowhere() -> None:
    engine = Engine().put(fix("ana.1", -120.0, -40.0, at("00:30"))).tick(at("01:00"))
    engine.put(quake(8.5, at("01:25"), lon=-120.0, lat=-40.0)).tick(at("01:30"))
    (row,) = engine.rows("ledger")
    assert row["area"] is None
    (summed,) = engine.said(SituationSummed)
    assert summed.areas == (
        AreaSum(area="", buckets=(BucketSum(bucket=Bucket.UNACCOUNTED, count=1),)),
    )


def test_a_change_of_area_alone_moves_nobody() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    refiled = stays_in("ana.1", place(admin1="TR-31"), when=at("01:31"), event_id="refiled")
    engine.put(refiled).tick(at("01:32"))
    told = engine.said(AccountabilityChanged)
    assert [(t.area, t.moved) for t in told] == [("TR-27", True), ("TR-31", False)]
    assert told[1].from_bucket == told[1].to_bucket == Bucket.UNACCOUNTED
    assert told[0].event_id != told[1].event_id


def test_the_area_is_that_of_the_surest_exposure() -> None:
    engine = Engine().put(stays_in("ana.1", "gaziantep"), stays_in("ben.1", "adana"))
    engine.put(quake(7.8, at("01:25"))).tick(at("01:30"))
    rows = {row["person_id"]: (row["tier"], row["area"]) for row in engine.rows("ledger")}
    assert rows == {"ana.1": ("probable", "TR-27"), "ben.1": ("probable", "TR-01")}
    engine.put(fix("ana.1", *CITIES["adana"][1:], at("01:40"))).tick(at("01:41"))
    rows = {row["person_id"]: (row["tier"], row["area"]) for row in engine.rows("ledger")}
    assert rows["ana.1"] == ("confirmed", "TR-01")


def test_whoever_has_left_stays_counted_where_they_were_last_exposed() -> None:
    engine = quaked(fix("ana.1", LON, LAT, at("00:30")))
    engine.put(fix("ana.1", *CITIES["doha"][1:], at("01:40"))).tick(at("02:00"))
    (row,) = engine.rows("ledger")
    assert (engine.rows("exposures"), row["area"]) == ([], "TR-27")


def test_tallies_say_the_area_of_situations_and_of_advice() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"), stays_in("ben.1", place(Precision.COUNTRY)))
    engine.put(advice("TR", 4, at("01:40"))).tick(at("01:41"))
    cells: dict[bool, set[tuple[str | None, int]]] = {True: set(), False: set()}
    for tally in _tallies(engine):
        cells[tally.cause_id is not None] |= {(c.area, c.count) for c in tally.cells}
    assert cells == {True: {("TR-27", 1), ("TR", 1)}, False: {("TR-27", 1), ("TR", 1)}}


def _tallies(engine: Engine) -> list[TallyChanged]:
    return [t for of in engine.room.tallies.values() for t in of.values()]


def test_the_sum_by_area_leaves_out_buckets_of_nobody_and_is_sorted() -> None:
    people = [
        stays_in("ana.1", "gaziantep"),
        stays_in("ben.1", "gaziantep"),
        stays_in("cem.1", "adana"),
        stays_in("dan.1", place(Precision.COUNTRY)),
    ]
    engine = quaked(*people).put(says("ben.1", CheckInState.SAFE, at("01:35")))
    summed = engine.tick(at("01:36")).said(SituationSummed)[-1]
    one = BucketSum(bucket=Bucket.UNACCOUNTED, count=1)
    safe = BucketSum(bucket=Bucket.SAFE, count=1)
    assert summed.areas == (
        AreaSum(area="TR", buckets=(one,)),
        AreaSum(area="TR-01", buckets=(one,)),
        AreaSum(area="TR-27", buckets=(one, safe)),
    )


def test_a_duplicate_is_counted_in_its_area_as_a_duplicate() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"), stays_in("ben.1", "gaziantep"))
    engine.put(command(Verb.LINK, at("01:35"), person_id="ben.1", other_id="ana.1"))
    summed = engine.tick(at("01:36")).said(SituationSummed)[-1]
    one = BucketSum(bucket=Bucket.UNACCOUNTED, count=1)
    duplicate = BucketSum(bucket=Bucket.DUPLICATE, count=1)
    assert summed.areas == (AreaSum(area="TR-27", buckets=(one, duplicate)),)
    assert summed.known == 1


def test_a_tally_that_says_no_area_counts_nowhere() -> None:
    engine = quaked(stays_in("ana.1", "gaziantep"))
    (tally,) = [t for t in _tallies(engine) if t.known]
    later = {"tick_at": at("01:40"), "received_at": at("01:40")}
    bare = tuple(msgspec.structs.replace(cell, area=None) for cell in tally.cells)
    told: list[Event] = [msgspec.structs.replace(tally, cells=bare, **later)]
    told += [msgspec.structs.replace(r, **later) for r in engine.room.reached.values()]
    (summed,) = [
        out.event
        for out in engine.room.apply(told).events
        if isinstance(out.event, SituationSummed)
    ]
    assert summed.areas == (
        AreaSum(area="", buckets=(BucketSum(bucket=Bucket.UNACCOUNTED, count=1),)),
    )
