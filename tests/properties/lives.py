"""Small lives near the edges where rules change: registrations, fixes, calls.

Times are minutes around the first onset, mostly whole half hours so that age
limits, margins and instants of two facts meet; places lie in a few cities or
a drawn distance from a boundary.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.oracle.facts import T0, check_in, contact, override, place, registration, stay
from tests.oracle.shapes import GEOD
from tests.oracle.times import Fact

Draw = Callable[[st.SearchStrategy[Any]], Any]

CITIES = {
    "TR": (37.38, 37.06),
    "SY": (37.16, 36.20),
    "LB": (35.50, 33.89),
    "QA": (51.53, 25.28),
    "FJ": (178.44, -18.14),
}
COUNTRIES = sorted(CITIES)
HOMES = ("TR", "TR", "SY", "QA", "FJ", "LB")
STATES = ("safe", "needs_help", "left_area", "never_there", "declines_to_leave")
FAILED = ("no_answer", "wrong_number")
OUTCOMES = (
    "reached_safe",
    "reached_needs_help",
    "reached_left_area",
    "reached_never_there",
    "reached_declines_to_leave",
    "third_party_safe",
    "evacuated",
    *FAILED,
)
CHANNELS = ("phone", "sms", "visit")
BUCKETS = ("unaccounted", "safe", "needs_help", "left_area", "evacuated", "deceased", "unreachable")
SECOND = 547.0
"""Onset of the second earthquake."""
P_EDGES = (0.8487, 0.0, -0.8487, -1.0)
"""Radii inside of a boundary at which P is 0.9, 0.5, 0.1, and at which dwell ends."""
NEAR_A_STAY_M = (0, 9_000, 20_000, 24_000, 26_000, 39_000, 90_000)

half_hours = st.integers(-9 * 48, 5 * 48).map(lambda n: n * 30.0)
soon = st.one_of(
    st.sampled_from((0.0, SECOND)),
    st.integers(-10, 60).map(float),
    st.integers(-20, 40).map(lambda n: n * 30.0),
    half_hours,
)
days = st.integers(-6, 5).map(lambda n: str(T0.date() + timedelta(days=n)))
azimuths = st.sampled_from((0, 45, 200))

Point = tuple[float, float]
Edges = list[tuple[Point, float]]


def moved(lonlat: Point, azimuth_deg: float, metres: float) -> Point:
    """Return the point so far away, to 7 decimals as positions are given."""
    lon, lat, _ = GEOD.fwd(lonlat[0], lonlat[1], azimuth_deg, metres)
    return round(float(lon), 7), round(float(lat), 7)


@st.composite
def filed_places(draw: Draw, home: str) -> Fact:
    """Return a place as filed, of any precision, mostly at home."""
    country = draw(st.sampled_from((home, home, home, *COUNTRIES)))
    lonlat = CITIES[country]
    precision = draw(st.sampled_from(("city", "city", "city", "address", "admin1", "country")))
    if precision == "country" or (precision == "admin1" and draw(st.booleans())):
        return place(precision, country)
    if draw(st.integers(0, 3)) == 0:
        lonlat = moved(lonlat, draw(azimuths), draw(st.integers(0, 400_000)))
    radius = draw(st.sampled_from((None, None, 1_500.0, 40_000.0)))
    return place(precision, country, *lonlat, **({"radius_m": radius} if radius else {}))


@st.composite
def stays(draw: Draw, home: str, number: int) -> Fact:
    """Return a stay of some days, one to come, an open-ended one, or a residence."""
    begin, end = sorted((draw(days), draw(days)))
    where, stay_id = draw(filed_places(home)), f"s{number}"
    kind = draw(
        st.sampled_from(("stay", "long", "long", "coming", "coming", "open", "residence", "moved"))
    )
    if kind in {"residence", "moved"}:
        since = begin if kind == "moved" else None
        return stay(where, since, None, residence=True, stay_id=stay_id)
    if kind == "coming":
        begin, end = str(T0.date() + timedelta(days=draw(st.integers(1, 4)))), None
    if kind == "long":
        begin, end = str(T0.date() - timedelta(days=9)), None
    return stay(where, begin, None if kind == "open" else end, stay_id=stay_id)


@st.composite
def registrations(draw: Draw, person_id: str, home: str) -> list[Fact]:
    """Return versions of one or two registrations, some of them cancelled."""
    filed: list[Fact] = []
    for number in range(draw(st.integers(0, 3))):
        listed = [draw(stays(home, n)) for n in range(draw(st.integers(0, 3)))]
        more = {"cancelled": True} if draw(st.integers(0, 9)) == 0 else {}
        name = draw(st.sampled_from(("r1", "r1", "r2")))
        minutes, event_id = draw(soon) - 5_000, f"{person_id}/{number}"
        head = {"minutes": minutes, "registration_id": name, "event_id": event_id}
        filed.append(registration(person_id, *listed, **head, **more))
    return filed


@st.composite
def fixes(draw: Draw, home: str, edges: Edges) -> dict[str, Any]:
    """Return a position: about a boundary, about home, or with axes exchanged."""
    kind = draw(st.sampled_from(("edge", "edge", "home", "home", "swapped", "anywhere")))
    accuracy_m = draw(st.sampled_from((None, 0.0, 50.0, 1_000.0, 20_000.0)))
    lonlat = CITIES[home]
    if kind == "edge" and edges:
        centre, radius_m = draw(st.sampled_from(edges))
        deep = draw(st.sampled_from(P_EDGES)) + draw(st.integers(-100, 100)) / 1_000.0
        in_m = deep * max(1.0, 100.0 if accuracy_m is None else accuracy_m)
        lonlat = moved(centre, draw(azimuths), max(0.0, radius_m - in_m))
    elif kind == "swapped" and home == "QA":
        lonlat = moved(lonlat, draw(azimuths), draw(st.sampled_from((0, 90_000, 110_000))))[::-1]
    elif kind == "anywhere":
        lonlat = CITIES[draw(st.sampled_from(COUNTRIES))]
    else:
        lonlat = moved(lonlat, draw(azimuths), draw(st.sampled_from(NEAR_A_STAY_M)))
    return {"lonlat": lonlat, "accuracy_m": accuracy_m}


@st.composite
def walks(draw: Draw, person_id: str, edges: Edges) -> list[Fact]:
    """Return fixes to and fro over a boundary, minutes apart: the dwell."""
    centre, radius_m = draw(st.sampled_from(edges))
    minutes, azimuth = draw(soon), draw(azimuths)
    facts: list[Fact] = []
    for number in range(draw(st.integers(2, 4))):
        in_m = draw(st.sampled_from((3_000, -900, -900, -1_100)))
        where = moved(centre, azimuth, max(0.0, radius_m - in_m))
        event_id = f"{person_id}/w{number}"
        facts.append(check_in(person_id, minutes, where, accuracy_m=1_000.0, event_id=event_id))
        minutes += draw(st.sampled_from((1, 5, 9, 9.5, 10, 11)))
    return facts


@st.composite
def calls(draw: Draw, person_id: str, home: str) -> list[Fact]:
    """Return contacts: single ones, some with a place, or attempts in a row."""
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.one_of(st.integers(0, 60).map(float), soon))
        return [
            contact(
                person_id,
                start + number,
                draw(st.sampled_from(FAILED)),
                draw(st.sampled_from(CHANNELS)),
                event_id=f"{person_id}/f{number}",
            )
            for number in range(draw(st.integers(2, 5)))
        ]
    facts: list[Fact] = []
    for number in range(draw(st.integers(0, 3))):
        where = None
        if draw(st.integers(0, 2)) == 0:
            where = draw(filed_places(home))
            if where["precision"] == "address" and draw(st.booleans()):
                where["precision"] = "point"
        outcome, channel = draw(st.sampled_from(OUTCOMES)), draw(st.sampled_from(CHANNELS))
        event_id = f"{person_id}/k{number}"
        facts.append(contact(person_id, draw(soon), outcome, channel, where, event_id))
    return facts


@st.composite
def lives(draw: Draw, person_id: str, edges: Edges, ids: list[str]) -> list[Fact]:
    """Return all facts about one person."""
    home = draw(st.sampled_from(HOMES))
    facts: list[Fact] = draw(registrations(person_id, home))
    if edges and draw(st.integers(0, 3)) == 0:
        facts += draw(walks(person_id, edges))
    for number in range(draw(st.integers(0, 3))):
        state = draw(st.sampled_from((None, *STATES)))
        where = {"lonlat": None}
        if state is None or draw(st.integers(0, 2)) == 0:
            where = draw(fixes(home, edges))
        event_id = f"{person_id}/c{number}"
        facts.append(check_in(person_id, draw(soon), **where, state=state, event_id=event_id))
    facts += draw(calls(person_id, home))
    if ids and draw(st.integers(0, 4)) == 0:
        bucket, about = draw(st.sampled_from(BUCKETS)), draw(st.sampled_from(ids))
        facts.append(override(person_id, draw(soon), bucket, about, f"{person_id}/o"))
    return facts
