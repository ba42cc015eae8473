"""Moments of the wall, written by hand: what the hub would have read from a store."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from streams.serving.answers import Completeness, Imbalance
from streams.serving.wall_answers import (
    Change,
    TrendPoint,
    WallAlert,
    WallAlerts,
    WallBand,
    WallChange,
    WallClock,
    WallContacts,
    WallFeed,
    WallIncident,
    WallInput,
    WallNow,
    WallPipeline,
    WallSituation,
)
from tests.browser.wall_areas import MANILA, QUAKE_AREAS

EPICENTRE = (37.03, 37.17)
BANDS = (("VIII", 4, 70.0), ("VII", 3, 140.0), ("VI", 2, 235.0), ("possible", 1, 300.0))
PARTS = {
    "unreachable": 15,
    "left_area": 15,
    "never_there": 10,
    "declines_to_leave": 0,
    "evacuated": 0,
    "no_longer_affected": 0,
    "deceased": 0,
}
TITLE = "M 7.8 Pazarcık, south-east Türkiye"  # noqa: RUF001 - the Turkish dotless letter is meant
NUMBERS = ("unaccounted", "needs_help", "safe", "other", "known")
MINUTE = timedelta(minutes=1)
NO_ALERTS = WallAlerts(open=0, acknowledged=0, silenced=0, oldest_at=None, items=())


def _trend(now: datetime) -> tuple[TrendPoint, ...]:
    falling = [
        (minute, round(331 + 900 * (math.exp(-(minute + 180) / 50) - math.exp(-180 / 50))))
        for minute in range(-180, 1, 3)
    ]
    return tuple(
        TrendPoint(at=now + minute * MINUTE, unaccounted=value, needs_help=41, safe=912, other=40)
        for minute, value in falling
    )


def _incident(now: datetime) -> WallIncident:
    return WallIncident(
        incident_id="inc-1",
        title=TITLE,
        hazard="earthquake",
        life="open",
        version=3,
        onset_at=now - 222 * MINUTE,
        magnitude=7.8,
        depth_m=10_000.0,
        depth_assumed=True,
        lon_deg=EPICENTRE[0],
        lat_deg=EPICENTRE[1],
        headline_source="usgs",
        members=4,
        area_known=True,
    )


def _band(name: str, rank: int) -> WallBand:
    return WallBand(
        zone_id=f"zone-{name}",
        version=3,
        band=name,
        rank=rank,
        possible_only=name == "possible",
        estimated=True,
        model="Allen, Wald and Worden 2012",
    )


def quake(now: datetime) -> WallSituation:
    """Return the earthquake whose numbers add up: 331 + 41 + 912 + 40 = 1324."""
    incident = _incident(now)
    return WallSituation(
        situation_id="sit-1",
        status="Actual",
        title=TITLE,
        hazard="earthquake",
        onset_at=incident.onset_at,
        closed=False,
        live=True,
        known=1324,
        unaccounted=331,
        needs_help=41,
        safe=912,
        other=40,
        other_parts=PARTS,
        duplicates=3,
        inbound=12,
        withdrawn=5,
        tiers={"confirmed": 212, "probable": 601, "possible": 404, "country_only": 107},
        completeness=Completeness(reached=8, shards=8, as_of=now, complete=True),
        at_least=False,
        imbalance=Imbalance(room=0, buckets=0, store=0),
        changes={
            "unaccounted": Change(minutes_15=-46, hour=-184),
            "needs_help": Change(minutes_15=3, hour=9),
            "safe": Change(minutes_15=43, hour=None),
            "other": Change(minutes_15=0, hour=4),
            "known": Change(minutes_15=0, hour=0),
        },
        trend=_trend(now),
        areas=QUAKE_AREAS,
        incidents=(incident,),
        bands=tuple(_band(name, rank) for name, rank, _ in BANDS),
        zones_key="sit-1.3",
    )


def _typhoon(now: datetime) -> WallSituation:
    incident = replace(
        _incident(now),
        incident_id="inc-2",
        title="Typhoon Doksuri",
        hazard="cyclone",
        magnitude=None,
        depth_m=None,
        depth_assumed=False,
        lon_deg=122.3,
        lat_deg=15.2,
        headline_source="gdacs",
    )
    return replace(
        quake(now),
        situation_id="sit-2",
        title="Typhoon Doksuri, Philippines",
        hazard="cyclone",
        known=64,
        unaccounted=50,
        needs_help=0,
        safe=14,
        other=0,
        other_parts=dict.fromkeys(PARTS, 0),
        duplicates=0,
        tiers={"confirmed": 0, "probable": 64, "possible": 0, "country_only": 0},
        changes={name: Change(minutes_15=0, hour=None) for name in NUMBERS},
        trend=(),
        areas=(MANILA,),
        incidents=(incident,),
        bands=(),
        zones_key="sit-2.1",
    )


def _feed(name: str, now: datetime, state: str = "ok", **more: Any) -> WallFeed:
    last = now - timedelta(seconds=34)
    told = {"reason": "", "last_success_at": last, "since": None, "items": 40, "usual_items": 41}
    return WallFeed(feed=name, state=state, expected_interval_s=600, **{**told, **more})


def _change(ago: int, kind: str, change: str, title: str, **more: Any) -> Callable[[datetime], Any]:
    told = {"status": "Actual", "before": None, "after": None, "scope": None, **more}
    return lambda now: WallChange(
        at=now - ago * MINUTE, kind=kind, change=change, title=title, **told
    )


CHANGES = (
    _change(6, "advice", "raised", "Türkiye, south-east", before=2, after=4, scope="part"),
    _change(18, "incident", "opened", "M 5.6 Elbistan", after=5.6),
    _change(35, "incident", "revised", TITLE, before=7.5, after=7.8),
    _change(222, "situation", "opened", TITLE),
)


def live(now: datetime) -> WallNow:
    """Return an ordinary bad day: one situation, one open alert, two feeds unwell."""
    alert = WallAlert(
        alert_id="al-1",
        status="Actual",
        rule="affected_threshold",
        severity="Extreme",
        title=f"1,217 of ours in the area of {TITLE}",
        situation_id="sit-1",
        raised_at=now - 4 * MINUTE,
        late_s=0,
    )
    return WallNow(
        as_of=now,
        clock=WallClock(mode="live", phase="running", beat_wall_at=now),
        completeness=Completeness(reached=8, shards=8, as_of=now, complete=True),
        affected=1324,
        people=43_117,
        situations=(quake(now),),
        quiet=2,
        unplaced=(),
        alerts=replace(
            NO_ALERTS, open=1, acknowledged=2, oldest_at=alert.raised_at, items=(alert,)
        ),
        changes=tuple(change(now) for change in CHANGES),
        feeds=(
            _feed("usgs", now),
            _feed("gdacs", now, last_success_at=now - 2 * MINUTE),
            _feed("cap", now, "late", last_success_at=now - 14 * MINUTE, reason="no answer"),
            _feed("de_aa", now, "down", since=now - 190 * MINUTE, reason="HTTP 503"),
        ),
        inputs=(
            WallInput(kind="registrations", last_at=now - timedelta(seconds=2)),
            WallInput(kind="check_ins", last_at=now - timedelta(seconds=1)),
            WallInput(kind="contacts", last_at=now - 3 * MINUTE),
        ),
        contacts=WallContacts(hour=212, reached=131),
        pipeline=WallPipeline(lag=0, dead_letters=0, skipped=0, faults=()),
    )


def exercise(now: datetime) -> WallNow:
    """Return a drill."""
    drill = replace(quake(now), status="Exercise", live=False)
    return replace(live(now), situations=(drill,), affected=0)


def replay(now: datetime) -> WallNow:
    """Return a scenario of 2023 played at sixty times its speed."""
    start = datetime.fromisoformat("2023-02-06T05:00:00+00:00")
    at = start + (int(now.timestamp()) % 300) * MINUTE
    clock = WallClock(
        mode="replay",
        phase="running",
        title="Türkiye 2023",
        start_at=start,
        end_at=start + timedelta(hours=12),
        speed=60.0,
        beat_wall_at=now,
    )
    return replace(live(at), clock=clock)


def ended(now: datetime) -> WallNow:
    """Return a scenario that is over, and that was an exercise."""
    played = replay(now)
    drills = tuple(replace(one, status="Exercise") for one in played.situations)
    return replace(played, clock=replace(played.clock, phase="ended"), situations=drills)


def calm(now: datetime) -> WallNow:
    """Return the wall before any incident."""
    return replace(
        live(now),
        situations=(),
        affected=0,
        alerts=NO_ALERTS,
        changes=(),
        contacts=WallContacts(hour=0, reached=0),
    )


def loading(now: datetime) -> WallNow:
    """Return the register being read; nothing has been summed."""
    clock = replace(replay(now).clock, phase="loading", done=23_000, of=43_000)
    return replace(
        calm(now), as_of=None, people=23_000, completeness=None, affected=None, clock=clock
    )


def three(now: datetime) -> WallNow:
    """Return three situations that take turns, one alert open for hours."""
    third = replace(_typhoon(now), situation_id="sit-3", title="Flood, Libya", zones_key="sit-3.1")
    return replace(
        live(now),
        situations=(quake(now), _typhoon(now), third),
        alerts=replace(live(now).alerts, acknowledged=3, silenced=1),
        affected=1388,
    )


def incomplete(now: datetime) -> WallNow:
    """Return a wall on which hardly anything is well."""
    shards = Completeness(reached=7, shards=8, as_of=now, complete=False)
    wrong = Imbalance(room=0, buckets=0, store=3)
    situation = replace(quake(now), at_least=True, completeness=shards, imbalance=wrong)
    silent = now - 14 * MINUTE
    return replace(
        live(now),
        situations=(situation,),
        completeness=shards,
        pipeline=WallPipeline(lag=412, dead_letters=1, skipped=2, faults=("partition_stopped",)),
        feeds=(
            _feed("usgs", now, "late", last_success_at=silent),
            _feed("gdacs", now, "suspect", items=3),
            _feed("cap", now, "unknown", last_success_at=None, items=None, usual_items=None),
            _feed("de_aa", now, "down", since=now - 190 * MINUTE, reason="HTTP 503"),
        ),
    )


def blind(now: datetime) -> WallNow:
    """Return a wall that knows next to nothing: no sums, no feeds, an incident without area."""
    unknown = dict.fromkeys(
        "known unaccounted needs_help safe other other_parts duplicates inbound withdrawn tiers "
        "completeness imbalance".split()
    )
    lost = {"incident_id": "inc-9", "lon_deg": None, "lat_deg": None, "area_known": False}
    situation = replace(
        quake(now), **unknown, at_least=True, changes={}, trend=(), areas=(), bands=()
    )
    return replace(
        live(now),
        situations=(situation,),
        unplaced=(replace(_incident(now), **lost),),
        affected=None,
        people=None,
        feeds=None,
        pipeline=WallPipeline(lag=None, dead_letters=0, skipped=None, faults=()),
        inputs=(WallInput(kind="registrations", last_at=None),),
    )


STORIES: dict[str, Callable[[datetime], WallNow]] = {
    told.__name__: told
    for told in (live, exercise, replay, ended, loading, calm, three, incomplete, blind)
}


def zones(situation: WallSituation) -> dict[str, Any]:
    """Return the geometry of a situation's bands, as the store would."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "zone_id": f"zone-{name}",
                "version": 3,
                "band": name,
                "rank": rank,
                "possible_only": name == "possible",
            },
            "geometry": {"type": "Polygon", "coordinates": [_oval(km)]},
        }
        for name, rank, km in (BANDS if situation.bands else ())
    ]
    return {
        "type": "FeatureCollection",
        "zones_key": situation.zones_key,
        "features": features,
    }


def _oval(km: float) -> list[list[float]]:
    """Return an oval along the fault, about ``km`` from the epicentre."""
    ring = []
    for step in range(73):
        angle, turned = math.radians(5 * step), math.radians(35)
        along, across = km * math.cos(angle) * 1.25, km * math.sin(angle) * 0.8
        x = along * math.cos(turned) - across * math.sin(turned)
        y = along * math.sin(turned) + across * math.cos(turned)
        ring.append([EPICENTRE[0] + x / 88.7, EPICENTRE[1] + y / 111.2])
    return ring
