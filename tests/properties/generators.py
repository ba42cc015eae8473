"""Small histories of people and incidents, near the edges where rules change.

Times are minutes around the first onset, mostly whole half hours so that age
limits, margins and instants of two facts meet; places lie in a few cities or
a drawn distance from a boundary.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from streams.core.stage import derive_id
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
    stay,
)
from tests.oracle.footprints import bands_of
from tests.oracle.shapes import GEOD
from tests.oracle.times import Fact, instant

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
AGENCIES = ("usgs", "usgs", "emsc", "gfz", "afad", "gdacs", "zamg")
MAGNITUDES = (5.0, 5.6, 6.7, 7.4, 7.5, 7.8, 7.9)
EPICENTRES = (EPICENTRE, EPICENTRE, (37.196, 38.011), (37.3, 37.3), (36.0, 36.1), (51.0, 26.5))
RADII_M = (8_000.0, 30_000.0, 150_000.0, 500_000.0)
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


class History(NamedTuple):
    """What the generators make; ``now`` in minutes, as all times."""

    facts: list[Fact]
    now: float
    situation_ids: dict[str, str]


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
    kind = draw(st.sampled_from(("stay", "long", "long", "coming", "open", "residence", "moved")))
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


@st.composite
def quakes(draw: Draw, number: int) -> list[Fact]:
    """Return one agency's statements about an earthquake: revised, cancelled."""
    source, chain = draw(st.sampled_from(AGENCIES)), f"q{number}"
    onset = draw(st.sampled_from((0.0, 0.0, 0.5, 2.0, SECOND, SECOND))) + number / 60.0
    lonlat = draw(st.sampled_from(EPICENTRES))
    said: list[Fact] = []
    for version in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 3)) == 0:
            lonlat = draw(st.sampled_from(EPICENTRES))
        report = quake(
            draw(st.sampled_from(MAGNITUDES)),
            sent=onset + draw(st.integers(0, 20).map(lambda n: n * 15.0)),
            source=source,
            chain=chain,
            onset=onset,
            lonlat=lonlat,
            depth_m=draw(st.sampled_from((None, 0.0, 10_000.0, 35_000.0, 120_000.0))),
        )
        report["event_id"] += f"/{version}"
        if draw(st.integers(0, 6)) == 0:
            report["msg_type"] = "Cancel"
        if draw(st.integers(0, 6)) == 0:
            report["same_as"] = [report["chain_id"]]
            report["chain_id"] += "b"
        said.append(report)
    return said


@st.composite
def eruptions(draw: Draw, number: int) -> list[Fact]:
    """Return statements about a drawn area that evolves, or is corrected."""
    country = draw(st.sampled_from(COUNTRIES))
    revision = draw(st.sampled_from(("evolves", "evolves", "corrects")))
    hazard = draw(st.sampled_from(("volcano", "flood", "weather")))
    onset = draw(soon)
    said: list[Fact] = []
    for version in range(draw(st.integers(1, 3))):
        centre = moved(CITIES[country], 90, draw(st.sampled_from((0, 20_000, 140_000))))
        more: dict[str, Any] = {}
        if draw(st.booleans()):
            more["expires_at"] = at(onset + draw(st.integers(1, 60)) * 60.0)
        report = drawn(
            hazard,
            [circle(centre, draw(st.sampled_from(RADII_M)))],
            sent=onset + draw(st.integers(-2, 20)) * 30.0,
            onset=onset,
            chain=f"v{number}",
            revision=revision,
            **more,
        )
        report["event_id"] += f"/{version}"
        if draw(st.integers(0, 6)) == 0:
            report["msg_type"] = "Cancel"
            del report["areas"]
        said.append(report)
    return said


@st.composite
def advice(draw: Draw, number: int) -> list[Fact]:
    """Return the levels of one issuer's advice for one country over time."""
    country = draw(st.sampled_from(COUNTRIES))
    said: list[Fact] = []
    for version in range(draw(st.integers(1, 3))):
        areas = [{"kind": "countries", "codes": [country]}]
        if draw(st.integers(0, 2)) == 0:
            areas = [circle(CITIES[country], draw(st.sampled_from(RADII_M)))]
        more: dict[str, Any] = {}
        if draw(st.integers(0, 2)) == 0:
            more["valid_from"] = at(draw(soon))
        if draw(st.integers(0, 2)) == 0:
            more["valid_to"] = at(draw(soon))
        statement = advisory(
            draw(st.integers(1, 4)),
            areas,
            sent=draw(soon),
            advisory_id=f"issuer{number}:{country}",
            scope=draw(st.sampled_from(("whole", "part", "unknown"))),
            **more,
        )
        statement["event_id"] += f"/{version}"
        said.append(statement)
    return said


def situation_id(chain_id: str) -> str:
    """Return the id of the situation that a chain's own incident would open."""
    return derive_id("sit", derive_id("inc", chain_id, "Actual"))


@st.composite
def histories(draw: Draw, people: int = 5) -> History:
    """Return 2 to ``people`` people and 1 to 4 causes, over a few days."""
    facts: list[Fact] = draw(quakes(0))
    for number in range(1, draw(st.integers(1, 4))):
        facts += draw(st.one_of(quakes(number), quakes(number), eruptions(number), advice(number)))
    edges = [
        ((area["lon_deg"], area["lat_deg"]), area["radius_m"])
        for report in facts
        if report["type"] == "IncidentReported"
        for band in bands_of(report)
        for area in band.areas
        if area["kind"] == "circle"
    ]
    chains = sorted({fact["chain_id"] for fact in facts if "chain_id" in fact})
    ids = {situation_id(chain_id): chain_id for chain_id in chains}
    for number in range(1, draw(st.integers(2, people)) + 1):
        facts += draw(lives(f"h{number}.1", edges, sorted(ids)))
    after = draw(st.sampled_from((0.0, 0.0, 1.0, 9.0, 9.5, 10.0, 60.0, 6 * 60.0, 3 * 24 * 60.0)))
    moments = [(instant(fact["occurred_at"]) - instant(at(0))) / 6e7 for fact in facts]
    now = draw(st.one_of(st.integers(0, 5 * 48).map(lambda n: n * 30.0), st.sampled_from(moments)))
    return History(facts, now + after, ids)


def now_of(history: History) -> int:
    """Return the instant of the last tick."""
    return instant(at(history.now))
