"""Small histories of people and incidents: what engine and oracle are asked about."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from streams.core.stage import derive_id
from tests.oracle.facts import EPICENTRE, advisory, at, circle, drawn, quake, square
from tests.oracle.footprints import bands_of
from tests.oracle.times import Fact, instant
from tests.properties.lives import CITIES, COUNTRIES, SECOND, Draw, lives, moved, soon

AGENCIES = ("usgs", "usgs", "emsc", "gfz", "afad", "gdacs", "zamg")
MAGNITUDES = (5.0, 5.6, 6.7, 7.4, 7.5, 7.8, 7.9)
EPICENTRES = (EPICENTRE, EPICENTRE, (37.196, 38.011), (37.3, 37.3), (36.0, 36.1), (51.0, 26.5))
RADII_M = (8_000.0, 30_000.0, 150_000.0, 500_000.0)


class History(NamedTuple):
    """What the generators make; ``now`` in minutes, as all times."""

    facts: list[Fact]
    now: float
    situation_ids: dict[str, str]


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
        circles = [circle(centre, radius_m) for radius_m in RADII_M]
        more: dict[str, Any] = {}
        if draw(st.booleans()):
            more["expires_at"] = at(onset + draw(st.integers(1, 60)) * 60.0)
        report = drawn(
            hazard,
            [draw(st.sampled_from([*circles, square(centre, 0.5), square(centre, 2.5)]))],
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
