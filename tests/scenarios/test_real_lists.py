"""Recorded lists of real feeds through the engine: what begins and what ends."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.alert import AlertRaised
from schemas.codelists import Precision
from schemas.envelope import Event
from schemas.incident import AdvisoryChanged
from schemas.place import Place
from streams.feeds import feed_named
from tests.support.engine import Engine, stays_in

APRIL_30 = datetime(2026, 4, 30, 12, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, 12, tzinfo=UTC)

CAPITALS = {"QA": (51.53, 25.29), "SA": (46.72, 24.69), "UA": (30.52, 50.45)}


def in_capital(person_id: str, country: str, first: str, last: str) -> Event:
    lon, lat = CAPITALS[country]
    place = Place(precision=Precision.CITY, country=country, lon_deg=lon, lat_deg=lat)
    return stays_in(person_id, place, first, last, when=APRIL_30 - timedelta(days=20))


def read(samples: Path, feed: str, name: str, at: datetime) -> list[Event]:
    payload = (samples / feed / name).read_bytes()
    return [item for item in feed_named(feed).parse(payload, at) if isinstance(item, Event)]


def test_the_german_warnings_for_qatar_and_saudi_arabia_end_exactly_once(samples: Path) -> None:
    engine = Engine().put(
        in_capital("qa-now.1", "QA", "2026-04-20", "2026-05-20"),
        in_capital("qa-soon.1", "QA", "2026-05-02", "2026-05-09"),
        in_capital("qa-later.1", "QA", "2026-05-10", "2026-05-19"),
        in_capital("qa-gone.1", "QA", "2026-04-01", "2026-04-28"),
        in_capital("sa-now.1", "SA", "2026-04-20", "2026-05-20"),
        in_capital("ua-now.1", "UA", "2026-04-20", "2026-05-20"),
    )
    engine.tick(APRIL_30 - timedelta(minutes=1))
    engine.put(*read(samples, "de_aa", "travelwarning_2026-04-30.json", APRIL_30))
    engine.tick(APRIL_30)
    assert len(engine.said(AdvisoryChanged)) == 199
    tiers = {row["person_id"]: row["tier"] for row in engine.rows("exposures")}
    assert tiers == {
        "qa-now.1": "probable",
        "qa-soon.1": "inbound",
        "sa-now.1": "probable",
        "ua-now.1": "probable",
    }
    second = read(samples, "de_aa", "travelwarning_2026-05-01.json", MAY_1)
    engine.put(*second).tick(MAY_1).put(*second).tick(MAY_1 + timedelta(hours=1))
    changes = engine.said(AdvisoryChanged)[199:]
    told = Counter(a.change for a in changes if a.change != "editorial")
    assert told == {"ended": 6, "lowered": 1}
    ended = [a.advisory_id for a in changes if a.change == "ended"]
    assert sorted(ended) == [f"de_aa:{c}" for c in ("AE", "BH", "JO", "OM", "QA", "SA")]
    (israel,) = [a for a in changes if a.change == "lowered"]
    assert (israel.advisory_id, israel.scope, israel.zoned) == ("de_aa:IL", "part", False)
    assert {row["person_id"] for row in engine.rows("exposures")} == {"ua-now.1"}
    assert engine.said(AlertRaised) == [], "a lowered warning raises no alert"


def test_what_leaves_the_gdacs_list_has_not_ended_and_nothing_doubles(samples: Path) -> None:
    engine = Engine()
    lives: list[dict[str, str]] = []
    for day in (17, 18, 20, 21):
        at = datetime(2026, 4, day, 12, tzinfo=UTC)
        engine.put(*read(samples, "gdacs", f"api_eventlist_2026-04-{day}.json", at)).tick(at)
        rows = engine.rows("incidents")
        lives.append({row["members"][0]["chain_id"]: row["life"] for row in rows})
    flood = "gdacs:FL1103210"
    assert [flood in life for life in lives] == [True] * 4
    assert lives[1][flood] == lives[0][flood]
    assert "gdacs:EQ1536386" in lives[2]
    assert "gdacs:EQ1536386" not in lives[1]
    assert len(engine.rows("incidents")) == len(
        {r["incident_id"] for r in engine.rows("incidents")}
    )
    assert engine.rejects == []
