"""The oracle against cases worked out by hand from docs/semantics.md."""

import ast
import sys
from pathlib import Path

import pytest

from tests.oracle.countries import Countries
from tests.oracle.crowd import Crowd
from tests.oracle.exposure import World
from tests.oracle.facts import (
    EPICENTRE,
    T0,
    advisory,
    at,
    check_in,
    circle,
    contact,
    drawn,
    override,
    place,
    quake,
    registration,
    square,
    stay,
)
from tests.oracle.footprints import bands_of, epicentral_km
from tests.oracle.oracle import answer
from tests.oracle.places import p_inside
from tests.oracle.presence import people_of, presence_at
from tests.oracle.shapes import GEOD
from tests.oracle.times import MINUTE, instant, iso, local_start

GAZIANTEP = place("city", "TR", 37.38, 37.06)
ADANA = place("city", "TR", 35.33, 37.00)
DIYARBAKIR = place("city", "TR", 40.22, 37.91)
FEBRUARY = ("2023-02-04", "2023-02-09")
M1 = frozenset({"usgs:m1"})
ALLOWED = {"numpy", "pyproj", "tests"}
NOT_THE_ORACLE = {"report.py", "drive.py", "test_oracle.py", "test_report.py"}


@pytest.fixture(scope="session")
def world():
    return World(Countries.load())


@pytest.fixture
def tell(world):
    def tell(*facts, now=60.0, situation_ids=None):
        crowd = Crowd(world, people_of(facts))
        return answer(crowd, facts, instant(at(now)), situation_ids=situation_ids)

    return tell


def km_north(lonlat, km):
    lon, lat, _ = GEOD.fwd(lonlat[0], lonlat[1], 0.0, km * 1000.0)
    return lon, lat


def test_the_oracle_shares_no_code_with_the_engine():
    for path in Path(__file__).parent.glob("*.py"):
        if path.name in NOT_THE_ORACLE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
                names = [str(node.module)]
            for name in names:
                top, _, rest = name.partition(".")
                assert top in ALLOWED or top in sys.stdlib_module_names, (path, name)
                if top == "tests":
                    assert rest.startswith("oracle."), (path, name)
                    module = Path(__file__).parent / f"{rest.split('.')[1]}.py"
                    assert module.name not in NOT_THE_ORACLE, (path, name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"__import__", "eval", "exec"}, path
                assert "import_module" not in ast.unparse(node), path


@pytest.mark.parametrize(
    ("magnitude", "level", "km"),
    [
        (7.9, 5.5, 299),
        (7.8, 5.5, 269),
        (7.5, 5.5, 194),
        (7.4, 5.5, 174),
        (7.8, 5.0, 394),
        (7.9, 5.0, 439),
    ],
)
def test_rings_reach_as_far_as_the_published_relation_says(magnitude, level, km):
    assert epicentral_km(magnitude, 10.0, level) == pytest.approx(km, abs=1.0)


def test_a_deep_earthquake_has_no_ring_and_a_missing_depth_is_10_km():
    assert epicentral_km(6.6, 210.0, 5.0) == 0.0
    report = quake(7.8, depth_m=None)
    assert [band.name for band in bands_of(report)] == ["VIII", "VII", "VI", "possible"]
    assert bands_of(report) == bands_of(quake(7.8, depth_m=10_000.0))
    assert bands_of(quake(4.9, depth_m=0.0)) == ()


def test_p_inside_is_a_half_on_the_boundary_and_phi_of_1_51_a_radius_in():
    assert p_inside(0.0, 5_000.0) == 0.5
    assert p_inside(5_000.0, 5_000.0) == 0.934
    assert p_inside(-5_000.0, 5_000.0) == 0.066
    assert p_inside(100.0, 1.0) == 1.0


def test_a_local_day_in_turkiye_begins_two_hours_before_utc():
    assert iso(local_start(T0.date(), 37.0)) == "2023-02-05T22:00:00Z"
    assert iso(local_start(T0.date(), -175.2)) == "2023-02-06T12:00:00Z"
    assert iso(local_start(T0.date(), None)) == "2023-02-06T00:00:00Z"


def test_a_stay_counts_from_24_h_before_until_24_h_after_its_local_dates():
    # Local 4 to 9 February: 2023-02-03T22:00Z to 2023-02-09T22:00Z.
    person = people_of([registration("h.1", stay(GAZIANTEP, *FEBRUARY))])["h.1"]
    nowhere = Countries({})
    for text, basis in [
        ("2023-02-02T21:59:59Z", None),
        ("2023-02-02T22:00:00Z", "stay"),
        ("2023-02-10T21:59:59Z", "stay"),
        ("2023-02-10T22:00:00Z", None),
    ]:
        found = presence_at(person, instant(text), nowhere)
        assert (found.basis if found else None) == basis, text


def test_tiers_by_basis_and_distance(tell):
    # M7.4 reaches VI at 173.6 km and the possible ring at 257 km.
    km = epicentral_km(7.4, 10.0, 5.5)
    answered = tell(
        quake(7.4),
        registration("city.1", stay(GAZIANTEP, *FEBRUARY)),
        check_in("fresh.1", -30, EPICENTRE),
        check_in("edge.1", -30, km_north(EPICENTRE, km - 0.01), accuracy_m=1_000.0),
        check_in("old.1", -60 * 24, EPICENTRE),
        registration("ring.1", stay(DIYARBAKIR, *FEBRUARY)),
        registration("country.1", stay(place("country", "TR"), *FEBRUARY)),
        registration("admin.1", stay(place("admin1", "TR", 35.3, 37.0), *FEBRUARY)),
        registration("far.1", stay(place("city", "TR", 28.97, 41.01), *FEBRUARY)),
        now=40,
    )
    tiers = {person: e.tier for (person, _), e in answered.exposures.items()}
    assert tiers == {
        "city.1": "probable",
        "fresh.1": "confirmed",
        "edge.1": "probable",
        "old.1": "probable",
        "country.1": "country_only",
        "admin.1": "possible",
    }
    assert answered.exposures["fresh.1", M1].band == "VIII"
    assert answered.exposures["fresh.1", M1].since == instant(at(0))


def test_the_old_fix_grows_5_km_an_hour_until_only_possible(tell):
    # 40 h old: 0.1 + 34 x 5 = 170.1 km around a point 20 km inside VIII; VI reaches 173.6 km.
    answered = tell(quake(7.4), check_in("h.1", -40 * 60, EPICENTRE), now=0.5)
    assert answered.exposures["h.1", M1].tier == "probable"
    beyond = km_north(EPICENTRE, 300)
    answered = tell(quake(7.4), check_in("h.1", -40 * 60, beyond), now=0.5)
    assert answered.exposures["h.1", M1].tier == "possible"
    answered = tell(quake(7.4), check_in("h.1", -7 * 60 - 1, beyond), now=0.5)
    assert not answered.exposures


def test_leaving_across_the_boundary_dwells_10_minutes_unless_clearly_out(tell):
    km = epicentral_km(7.4, 10.0, 5.0)
    inside, jitter = km_north(EPICENTRE, km - 5), km_north(EPICENTRE, km + 0.95)
    facts = [
        quake(7.4),
        check_in("h.1", 10, inside, accuracy_m=1_000.0),
        check_in("h.1", 20, jitter, accuracy_m=1_000.0),
    ]
    assert tell(*facts, now=29).exposures["h.1", M1].since == instant(at(10))
    assert not tell(*facts, now=30).exposures
    back = check_in("h.1", 29, inside, accuracy_m=1_000.0)
    assert tell(*facts, back, now=45).exposures["h.1", M1].since == instant(at(10))
    late = check_in("h.1", 31, inside, accuracy_m=1_000.0)
    assert tell(*facts, late, now=45).exposures["h.1", M1].since == instant(at(31))
    gone = check_in("h.1", 21, km_north(EPICENTRE, km + 3), accuracy_m=1_000.0)
    assert not tell(*facts, gone, now=21.5).exposures
    assert tell(*facts, now=300).members["h.1", M1].tier == "possible"


def test_swapped_coordinates_are_left_out():
    person = people_of(
        [
            registration("h.1", stay(place("city", "KE", 36.82, -1.29), *FEBRUARY)),
            check_in("h.1", 0, (-1.29, 36.82)),
            check_in("h.1", 1, (37.38, 37.06)),
        ]
    )["h.1"]
    assert [fix.lon for fix in person.fixes] == [37.38]


def test_who_arrives_within_72_h_is_inbound_and_in_no_ledger(tell):
    # Local 9 February begins on the 8th at 22:00Z, 68 h 43 min after the quake.
    coming = registration("h.1", stay(GAZIANTEP, "2023-02-09", None))
    answered = tell(quake(7.8), coming)
    assert answered.exposures["h.1", M1] == ("inbound", "VIII", instant("2023-02-05T22:00:00Z"))
    assert not answered.members
    later = registration("h.1", stay(GAZIANTEP, "2023-02-10", None))
    assert not tell(quake(7.8), later).exposures


def test_whoever_stood_only_in_the_first_version_is_no_longer_affected(tell):
    # Diyarbakir lies 294 km away: in VI of M7.9 (299 km), in the possible ring of M7.8 (394 km).
    lonely = place("city", "TR", *km_north(EPICENTRE, 420))
    facts = [
        quake(7.9),
        quake(7.8, sent=30),
        registration("d.1", stay(DIYARBAKIR, *FEBRUARY)),
        registration("l.1", stay(lonely, *FEBRUARY)),
        registration("n.1", stay(lonely, *FEBRUARY)),
        check_in("n.1", 10, state="needs_help"),
    ]
    before = tell(*[facts[0], *facts[2:]], now=20)
    assert before.exposures["d.1", M1].tier == "probable"
    after = tell(*facts, now=60)
    assert after.members["d.1", M1] == (True, instant(at(0)), "possible", "unaccounted")
    assert after.members["l.1", M1] == (False, instant(at(0)), "possible", "no_longer_affected")
    assert after.members["n.1", M1].bucket == "needs_help"
    assert ("l.1", M1) not in after.exposures


def test_a_cancelled_earthquake_holds_nobody(tell):
    answered = tell(
        quake(7.8),
        quake(7.8, sent=30, msg_type="Cancel"),
        registration("h.1", stay(GAZIANTEP, *FEBRUARY)),
    )
    assert not answered.exposures
    assert answered.members["h.1", M1].bucket == "no_longer_affected"


def test_a_second_agency_keeps_up_what_the_first_took_back(tell):
    answered = tell(
        quake(7.8),
        quake(7.5, source="emsc", sent=10),
        quake(7.8, sent=30, msg_type="Cancel"),
        registration("h.1", stay(GAZIANTEP, *FEBRUARY)),
    )
    both = frozenset({"usgs:m1", "emsc:m1"})
    assert answered.exposures["h.1", both].tier == "probable"
    assert answered.members["h.1", both] == (True, instant(at(0)), "probable", "unaccounted")


def test_four_agencies_are_one_incident_and_the_aftershock_is_another(tell):
    answered = tell(
        quake(7.9),
        quake(7.5, source="emsc", sent=6, onset=0.5),
        quake(7.4, source="afad", sent=7),
        quake(7.8, source="gfz", sent=8),
        quake(7.5, chain="m2", sent=560, onset=547, lonlat=(37.196, 38.011)),
    )
    first, second = answered.incidents
    assert first.members == {"usgs:m1", "emsc:m1", "afad:m1", "gfz:m1"}
    assert second.members == {"usgs:m2"}
    assert second.situation == first.situation == "usgs:m1"


def test_an_aftershock_reopens_safe_and_a_far_one_does_not(tell):
    story = [
        quake(7.8),
        registration("h.1", stay(place("city", "TR", 36.92, 37.58), *FEBRUARY)),
        check_in("h.1", 223, state="safe"),
    ]
    assert tell(*story, now=300).members["h.1", M1].bucket == "safe"
    again = quake(7.5, chain="m2", sent=560, onset=547, lonlat=(37.196, 38.011))
    assert tell(*story, again, now=600).members["h.1", M1].bucket == "unaccounted"
    small = quake(5.6, chain="m2", sent=560, onset=547, lonlat=(37.196, 38.511))
    assert tell(*story, small, now=600).members["h.1", M1].bucket == "safe"


def test_a_statement_before_the_onset_says_nothing(tell):
    story = [quake(7.8), registration("h.1", stay(GAZIANTEP, *FEBRUARY))]
    early = check_in("h.1", -1, state="safe")
    assert tell(*story, early).members["h.1", M1].bucket == "unaccounted"
    on_time = check_in("h.1", 0, state="safe")
    assert tell(*story, on_time).members["h.1", M1].bucket == "safe"


def test_three_attempts_on_two_channels_make_unreachable(tell):
    story = [quake(7.8), registration("h.1", stay(GAZIANTEP, *FEBRUARY))]
    calls = [contact("h.1", minute, "no_answer") for minute in (10, 20, 30)]
    assert tell(*story, *calls).members["h.1", M1].bucket == "unaccounted"
    sms = contact("h.1", 40, "wrong_number", "sms")
    assert tell(*story, *calls[1:], sms).members["h.1", M1].bucket == "unreachable"
    safe = contact("h.1", 35, "third_party_safe")
    assert tell(*story, *calls, safe, sms).members["h.1", M1].bucket == "safe"


def test_needs_help_is_not_left_by_hearsay_but_by_an_override(tell):
    story = [
        quake(7.8),
        registration("h.1", stay(GAZIANTEP, *FEBRUARY)),
        check_in("h.1", 10, state="needs_help"),
        contact("h.1", 20, "third_party_safe"),
        contact("h.1", 25, "reached_left_area"),
    ]
    assert tell(*story).members["h.1", M1].bucket == "needs_help"
    freed = override("h.1", 30, "evacuated", "sit-1")
    ids = {"sit-1": "usgs:m1"}
    assert tell(*story, freed, situation_ids=ids).members["h.1", M1].bucket == "evacuated"


def test_an_eruption_that_evolves_stays_true_for_its_time(tell):
    where = (120.35, 15.14)
    answered = tell(
        drawn("volcano", [circle(where, 30_000.0)], sent=5),
        drawn("volcano", [circle(where, 10_000.0)], sent=60),
        registration("h.1", stay(place("city", "PH", *km_north(where, 20)), *FEBRUARY)),
        now=120,
    )
    v1 = frozenset({"vaac:v1"})
    assert not answered.exposures
    assert answered.members["h.1", v1] == (True, instant(at(0)), "probable", "unaccounted")


def test_advice_matches_whole_countries_by_what_was_filed(tell):
    whole = [{"kind": "countries", "codes": ["QA"]}]
    people = [
        registration("city.1", stay(place("city", "QA", 51.53, 25.29), *FEBRUARY)),
        registration("admin.1", stay(place("admin1", "QA", 51.2, 25.6), *FEBRUARY)),
        registration("country.1", stay(place("country", "QA"), *FEBRUARY)),
        registration("next.1", stay(place("city", "BH", 50.58, 26.22), *FEBRUARY)),
        check_in("fix.1", 0, (51.2, 25.3)),
    ]
    qatar = frozenset({"de:QA"})
    raised = advisory(4, whole, advisory_id="de:QA")
    answered = tell(raised, *people)
    assert {person: e.tier for (person, cause), e in answered.exposures.items()} == {
        "city.1": "probable",
        "admin.1": "possible",
        "country.1": "country_only",
        "fix.1": "confirmed",
    }
    assert answered.exposures["city.1", qatar].since == instant(at(5))
    lowered = advisory(2, whole, advisory_id="de:QA", sent=30)
    assert not tell(raised, lowered, *people).exposures


def test_an_unbroken_run_lasts_over_a_change_of_version(tell):
    story = [quake(7.8), quake(7.9, sent=30), check_in("h.1", 0, EPICENTRE)]
    assert tell(*story).exposures["h.1", M1].since == instant(at(0))


def test_the_800_km_circle_across_180_degrees_touches_the_right_countries(world):
    touched = world.countries.touched([circle((-175.385, -20.55), 800_000.0)])
    assert touched >= {"TO", "FJ", "NU"}
    assert not touched & {"ZA", "BR", "NC", "AU"}
    # Tonga's waters begin on the other side of the cut, south of the square.
    assert world.countries.touched([square((178.44, -18.14), 2.5)]) == {"FJ"}


def test_a_check_in_counts_at_once_and_not_at_the_next_tick(tell):
    story = [quake(7.8), check_in("h.1", 60, EPICENTRE), check_in("i.1", 20, EPICENTRE)]
    answered = tell(*story, now=30)
    assert answered.exposures["h.1", M1].since == instant(at(60))
    assert answered.exposures["i.1", M1].since == instant(at(20))
    assert instant(at(1)) - instant(at(0)) == MINUTE


def test_a_square_across_180_degrees_has_no_boundary_there(tell):
    near_the_cut = registration("h.1", stay(place("city", "FJ", 179.99, -16.5), *FEBRUARY))
    across = registration("i.1", stay(place("city", "FJ", -179.99, -16.5), *FEBRUARY))
    out = registration("o.1", stay(place("city", "FJ", -178.0, -16.5), *FEBRUARY))
    volcano = drawn("volcano", [square((179.5, -16.5), 1.0)])
    answered = tell(volcano, near_the_cut, across, out, now=30)
    tiers = {person: e.tier for (person, _), e in answered.exposures.items()}
    assert tiers == {"h.1": "probable", "i.1": "probable"}
