"""A situation with 25 people in three towns, for tests of the staff pages.

Antakya: 3 need help, 9 unaccounted. Adana: 6 unaccounted, 4 safe. Malatya: one
unaccounted, alone. Two more are known only by country, one of them
unreachable, one unaccounted.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from schemas.alert import BucketSum, SituationSummed
from schemas.codelists import Bucket, Precision, StatementBy, Tier
from schemas.exposure import AccountabilityChanged, ExposureOpened
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.ports import NewRecord
from tests.serving import builders
from tests.support import screens

ANTAKYA = (36.16, 36.2)
ADANA = (35.32, 37.0)
MALATYA = (38.31, 38.35)
GROUPS: tuple[tuple[str, tuple[float, float] | None, Bucket, int], ...] = (
    ("Antakya", ANTAKYA, Bucket.NEEDS_HELP, 3),
    ("Antakya", ANTAKYA, Bucket.UNACCOUNTED, 9),
    ("Adana", ADANA, Bucket.UNACCOUNTED, 6),
    ("Adana", ADANA, Bucket.SAFE, 4),
    ("Malatya", MALATYA, Bucket.UNACCOUNTED, 1),
    ("", None, Bucket.UNREACHABLE, 1),
    ("", None, Bucket.UNACCOUNTED, 1),
)
AREAS = {"Antakya": "TR-31", "Adana": "TR-01", "Malatya": "TR-44", "": "TR"}
COUNTS = {"unaccounted": 17, "needs_help": 3, "safe": 4, "unreachable": 1}
KNOWN = 25


def fill(data: Path, *more: NewRecord, reached: int = 2) -> None:
    """Write the situation into a store in ``data``."""
    screens.fill(data, [*_story(reached), *more])


def people(place: str, bucket: Bucket) -> list[str]:
    """Return the ids of a group."""
    return [who for who, town, _, stands in _people() if (town, stands) == (place, bucket)]


def _people() -> Iterator[tuple[str, str, tuple[float, float] | None, Bucket]]:
    numbers = itertools.count(1)
    for place, point, bucket, count in GROUPS:
        for _ in range(count):
            yield f"h{next(numbers):03}.1", place, point, bucket


def _story(reached: int) -> Sequence[NewRecord]:
    zone = msgspec.structs.replace(builders.ZONE, situation_id="sit-1")
    records = [
        NewRecord(DESK_OUTPUT, 0, "sit-1", builders.SITUATION),
        NewRecord(DESK_OUTPUT, 0, "inc-1", builders.INCIDENT),
        NewRecord(DESK_OUTPUT, 0, "z", zone),
    ]
    for who, place, point, bucket in _people():
        records += [
            NewRecord(SHARD_OUTPUT, 0, who, _exposed(who, place, point)),
            NewRecord(SHARD_OUTPUT, 0, who, _moved(who, place, bucket)),
        ]
    sums = SituationSummed(
        **builders.base("sum"),
        situation_id="sit-1",
        tick_at=builders.AT,
        reached=reached,
        shards=2,
        known=KNOWN,
        inbound=1,
        withdrawn=0,
        buckets=tuple(BucketSum(bucket=Bucket(b), count=n) for b, n in COUNTS.items()),
        tiers={"probable": 23, "country_only": 2},
        imbalance=0,
    )
    totals = msgspec.structs.replace(builders.TOTALS, reached=reached, distinct_known=KNOWN)
    return [
        *records,
        NewRecord(ROOM_OUTPUT, 0, "sit-1", sums),
        NewRecord(ROOM_OUTPUT, 0, "t", totals),
        NewRecord(ROOM_OUTPUT, 0, "a", builders.ALERT),
    ]


def _exposed(who: str, place: str, point: tuple[float, float] | None) -> ExposureOpened:
    event = builders.opened(f"e-{who}", who)
    tier = Tier.PROBABLE if point else Tier.COUNTRY_ONLY
    reason = msgspec.structs.replace(
        event.reason,
        precision=Precision.CITY if point else Precision.COUNTRY,
        place_name=place or None,
        country="TR",
        admin1=AREAS[place] if point else None,
        lon_deg=point[0] if point else None,
        lat_deg=point[1] if point else None,
        radius_m=10_000 if point else None,
    )
    exposed: ExposureOpened = msgspec.structs.replace(event, tier=tier, reason=reason)
    return exposed


def _moved(who: str, place: str, bucket: Bucket) -> AccountabilityChanged:
    event: AccountabilityChanged = builders.moved(f"m-{who}", who, bucket)
    by = StatementBy.PERSON if bucket in {Bucket.SAFE, Bucket.NEEDS_HELP} else StatementBy.NOBODY
    return msgspec.structs.replace(event, by=by, area=AREAS[place], post="Ankara")
