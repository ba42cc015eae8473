"""Sums: what the shards say, added up, also by area."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas.alert import AreaSum, BucketSum, SituationSummed
from schemas.codelists import Bucket
from schemas.exposure import Reached, TallyChanged
from schemas.incident import SituationChanged
from streams.core.rules.base import Count
from streams.core.stage import derive_id


def sum_of(
    situation: SituationChanged,
    of_shards: Sequence[TallyChanged],
    count: Count,
    tick_at: datetime,
    trigger: Reached,
) -> SituationSummed:
    """Return a situation's sum as of a tick, over what each shard said last."""
    buckets: Counter[Bucket] = Counter()
    tiers: Counter[str] = Counter()
    areas: dict[str, Counter[Bucket]] = {}
    for tally in of_shards:
        for cell in tally.cells:
            buckets[cell.bucket] += cell.count
            areas.setdefault(cell.area or "", Counter())[cell.bucket] += cell.count
            if cell.bucket is not Bucket.DUPLICATE:
                tiers[cell.tier.value] += cell.count
    counted = sum(n for bucket, n in buckets.items() if bucket is not Bucket.DUPLICATE)
    return SituationSummed(
        event_id=derive_id("sum", situation.situation_id, trigger.event_id),
        source="room",
        occurred_at=tick_at,
        received_at=trigger.received_at,
        cause_ids=(trigger.event_id,),
        status=situation.status,
        situation_id=situation.situation_id,
        tick_at=tick_at,
        reached=count.reached,
        shards=count.shards,
        known=count.known,
        inbound=count.inbound,
        withdrawn=sum(tally.withdrawn for tally in of_shards),
        buckets=tuple(BucketSum(bucket=b, count=buckets[b]) for b in Bucket),
        tiers=dict(sorted(tiers.items())),
        imbalance=count.known - counted,
        areas=tuple(_area_sum(area, areas[area]) for area in sorted(areas)),
    )


def heard_by(reached: Iterable[Reached]) -> dict[str, datetime]:
    """Return when each kind of people's messages came in last, over the shards."""
    latest: dict[str, datetime] = {}
    for said in reached:
        for name, at in said.heard.items():
            latest[name] = max(at, latest.get(name, at))
    return dict(sorted(latest.items()))


def _area_sum(area: str, counts: Counter[Bucket]) -> AreaSum:
    """Return an area's part, in the order of the buckets, those of nobody left out."""
    return AreaSum(
        area=area,
        buckets=tuple(BucketSum(bucket=b, count=counts[b]) for b in Bucket if counts[b]),
    )
