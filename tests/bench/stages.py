"""Throughput of each stage alone: records in, process CPU time, five runs."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import msgspec
import numpy as np

from schemas.codec import decode, encode
from schemas.codelists import Hazard, MsgType, Precision, Revision
from schemas.envelope import Event
from schemas.operations import Tick
from schemas.person import CheckedIn, RegistrationFiled, Stay
from schemas.place import Place, Position
from schemas.report import IncidentReported
from streams.core.desk import Desk
from streams.core.room import Room
from streams.core.shard import Shard
from streams.core.stage import ROOM_INPUT, SHARD_INPUT
from streams.recovery import uncollected

NOON = datetime(2023, 2, 6, 12, tzinfo=UTC)
RUNS = 5


def cpu(work: Callable[[], object]) -> float:
    """Return the process CPU seconds that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def five(make: Callable[[], Callable[[], object]]) -> float:
    """Return the median CPU seconds over five runs, each on a fresh subject."""
    return median(cpu(make()) for _ in range(RUNS))


def common(event_id: str, at: datetime) -> dict[str, Any]:
    return {"event_id": event_id, "source": "bench", "occurred_at": at, "received_at": at}


def tick(at: datetime) -> Tick:
    return Tick(**common(f"tick:{at.isoformat()}", at), at=at, resume=True)


def registration(n: int, lon: float, lat: float, country: str = "TR") -> RegistrationFiled:
    place = Place(precision=Precision.CITY, country=country, lon_deg=lon, lat_deg=lat)
    stay = Stay(stay_id="s", place=place, from_date=date(2023, 2, 1), to_date=date(2023, 3, 1))
    return RegistrationFiled(
        **common(f"r{n}", NOON - timedelta(days=9)),
        person_id=f"h{n}.1",
        registration_id="r",
        stays=(stay,),
    )


def check_in(n: int, person: int, lon: float, lat: float, at: datetime) -> CheckedIn:
    return CheckedIn(
        **common(f"c{n}", at),
        person_id=f"h{person}.1",
        position=Position(lon_deg=lon, lat_deg=lat, accuracy_m=30.0),
    )


def quake(
    name: str, at: datetime, magnitude: float = 7.8, lon: float = 37.0, lat: float = 37.2
) -> IncidentReported:
    return IncidentReported(
        **common(f"usgs:{name}", at),
        chain_id=f"usgs:{name}",
        msg_type=MsgType.ALERT,
        hazard=Hazard.EARTHQUAKE,
        title=f"M {magnitude}",
        onset_at=at,
        sent_at=at,
        revision=Revision.CORRECTS,
        position=Position(lon_deg=lon, lat_deg=lat),
        magnitude=magnitude,
        depth_m=10_000.0,
    )


def to_shards(events: Sequence[Event]) -> list[Event]:
    """Return what the desk sends to the shards for ``events``."""
    return [o.event for o in Desk(1).apply(events).events if o.topic == SHARD_INPUT]


def shard_check_ins(count: int, *, affected: bool) -> float:
    """Return check-ins per CPU second, decoding included."""
    random = np.random.default_rng(1)
    lons = random.uniform(36.5, 37.5, count) if affected else random.uniform(-5.0, 5.0, count)
    lats = random.uniform(36.8, 37.6, count) if affected else random.uniform(45.0, 52.0, count)
    people = [
        registration(n, 37.0, 37.2) if affected else registration(n, 2.35, 48.86, "FR")
        for n in range(count)
    ]
    begin = to_shards([tick(NOON), quake("a", NOON - timedelta(hours=1)), tick(NOON)])
    bodies = [
        encode(check_in(n, n, float(lons[n]), float(lats[n]), NOON + timedelta(milliseconds=n)))
        for n in range(count)
    ]

    def make() -> Callable[[], object]:
        shard = Shard(0, 1)
        shard.apply(people)
        shard.apply(begin)
        return lambda: shard.apply([decode("CheckedIn", body) for body in bodies])

    return count / five(make)


def desk_reports(count: int) -> float:
    """Return reports of separate quakes per CPU second."""
    reports = [
        quake(f"q{n}", NOON + timedelta(minutes=5 * n), 5.6, lon=n % 90, lat=(n * 7) % 80)
        for n in range(count)
    ]

    def make() -> Callable[[], object]:
        desk = Desk(8)
        desk.apply([tick(NOON)])
        return lambda: desk.apply(reports)

    return count / five(make)


def room_ticks(shards: int, ticks: int) -> float:
    """Return records (tallies and Reached) per CPU second."""
    shard = Shard(0, 1)
    shard.apply([registration(n, 37.0, 37.2) for n in range(50)])
    outputs = shard.apply(
        to_shards([tick(NOON), quake("a", NOON), tick(NOON + timedelta(seconds=1))])
    ).events
    desk_out = Desk(1).apply([quake("a", NOON)]).events
    begin = [o.event for o in desk_out if o.topic == ROOM_INPUT]
    of_tick: list[Any] = [o.event for o in outputs if o.topic == ROOM_INPUT][-2:]
    records = [
        msgspec.structs.replace(
            event, shard=s, tick_at=NOON + timedelta(seconds=t), **_shards_of(event, shards)
        )
        for t in range(2, ticks)
        for s in range(shards)
        for event in of_tick
    ]

    def make() -> Callable[[], object]:
        room = Room(shards)
        room.apply(begin)
        return lambda: room.apply(records)

    return len(records) / five(make)


def _shards_of(event: Event, shards: int) -> dict[str, int]:
    return {"shards": shards} if hasattr(event, "shards") else {}


def million(people: int, inside: int) -> dict[str, float]:
    """Return seconds for a new footprint over ``people``, and for a restart.

    ``inside`` of them stay in cities within the footprint.
    """
    random = np.random.default_rng(3)
    near = np.c_[random.uniform(36.0, 38.0, 40), random.uniform(36.6, 37.8, 40)].round(3)
    far = np.c_[random.uniform(-120.0, 20.0, 400), random.uniform(-40.0, 60.0, 400)].round(3)
    shard = Shard(0, 1)
    shard.apply([tick(NOON - timedelta(hours=1))])
    for start in range(0, people, 20_000):
        batch = []
        for n in range(start, min(start + 20_000, people)):
            lon, lat = near[n % 40] if n < inside else far[n % 400]
            batch.append(registration(n, float(lon), float(lat), "TR" if n < inside else "US"))
        shard.apply(batch)
    records = to_shards(
        [tick(NOON - timedelta(hours=1)), quake("a", NOON - timedelta(hours=2)), tick(NOON)]
    )
    records = records[1:]
    done = cpu(lambda: shard.apply(records))
    known = sum(tally.known for tally in shard.counts.tallies.values())
    began = time.perf_counter()
    body = shard.snapshot()
    saved = time.perf_counter() - began
    began = time.perf_counter()
    with uncollected():
        restored = Shard.restore(body)
    loaded = time.perf_counter() - began
    if len(restored.people) != people:
        msg = f"{len(restored.people)} of {people} people came back"
        raise AssertionError(msg)
    return {
        "footprint_s": done,
        "known": known,
        "snapshot_s": saved,
        "snapshot_mb": len(body) / 1e6,
        "restore_s": loaded,
    }
