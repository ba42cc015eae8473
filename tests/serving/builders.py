"""What the stages say in a small crisis, made by hand."""

from datetime import UTC, datetime, timedelta

from schemas.alert import AlertRaised, BucketSum, SituationSummed, Totals
from schemas.codec import encode
from schemas.codelists import (
    Basis,
    Bucket,
    Hazard,
    Precision,
    Revision,
    Role,
    StatementBy,
    Tier,
)
from schemas.command import CommandIssued
from schemas.exposure import AccountabilityChanged, ExposureClosed, ExposureOpened, Reason
from schemas.incident import IncidentChanged, SituationChanged
from schemas.place import Circle
from schemas.zone import ZoneChanged
from streams.core.stage import DESK_INPUT, DESK_OUTPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.ports import NewRecord, Record
from streams.serving.inputs import row_of_input
from streams.serving.writer import write_rows

AT = datetime(2023, 2, 6, 1, 25, tzinfo=UTC)
SHARDS = 2


def base(event_id, **more):
    return {"event_id": event_id, "source": "test", "occurred_at": AT, "received_at": AT, **more}


def moved(event_id, person_id, to, was=None, **more):
    return AccountabilityChanged(
        **base(event_id, **more),
        person_id=person_id,
        situation_id="sit-1",
        from_bucket=was,
        to_bucket=to,
        at=AT,
        by=StatementBy.NOBODY,
        why="exposed",
        tier=Tier.PROBABLE,
    )


def opened(event_id, person_id, cls=ExposureOpened, **more):
    reason = Reason(
        basis=Basis.STAY,
        precision=Precision.CITY,
        as_of=AT,
        zone_id="inc-1/VI",
        zone_version=1,
        band="VI",
        cause_title="M 7.8",
        model="test",
    )
    return cls(
        **base(event_id),
        person_id=person_id,
        cause_id="inc-1",
        tier=Tier.PROBABLE,
        since=AT,
        band="VI",
        reason=reason,
        situation_id="sit-1",
        **more,
    )


def summed(event_id, known, **buckets):
    return SituationSummed(
        **base(event_id),
        situation_id="sit-1",
        tick_at=AT,
        reached=2,
        shards=2,
        known=known,
        inbound=1,
        withdrawn=0,
        buckets=tuple(BucketSum(bucket=Bucket(b), count=n) for b, n in buckets.items()),
        tiers={"probable": known},
        imbalance=0,
    )


SITUATION = SituationChanged(
    **base("s1"),
    situation_id="sit-1",
    title="M 7.8",
    hazard=Hazard.EARTHQUAKE,
    onset_at=AT,
    incident_ids=("inc-1",),
    seq=1,
    aliases=("inc-9",),
)
INCIDENT = IncidentChanged(
    **base("i1"),
    incident_id="inc-1",
    hazard=Hazard.EARTHQUAKE,
    title="M 7.8",
    onset_at=AT,
    version=1,
    life="active",
    headline_source="usgs",
    members=(),
    situation_id="sit-1",
)
ZONE = ZoneChanged(
    **base("z1"),
    zone_id="inc-1/VI",
    version=1,
    seq=2,
    cause_id="inc-1",
    hazard=Hazard.EARTHQUAKE,
    title="M 7.8",
    band="VI",
    rank=6,
    areas=(Circle(lon_deg=37.0, lat_deg=37.2, radius_m=1000.0),),
    onset_at=AT,
    valid_from=AT,
    revision=Revision.CORRECTS,
    model="test",
)
ALERT = AlertRaised(
    **base("a1"),
    alert_id="alert-1",
    rule="affected_threshold",
    cause_id="sit-1",
    audience="duty_officer",
    intent="alert",
    title="2 of ours",
    severity="critical",
    facts={"known": 2},
    raised_at=AT,
    situation_id="sit-1",
)
TOTALS = Totals(
    **base("t1"), tick_at=AT, reached=2, shards=2, distinct_known=2, people=5, skipped=0
)


def story():
    """Return what the stages say in a small crisis: two known, one of them safe."""
    return [
        NewRecord(DESK_OUTPUT, 0, "sit-1", SITUATION),
        NewRecord(DESK_OUTPUT, 0, "inc-1", INCIDENT),
        NewRecord(DESK_OUTPUT, 0, "z", ZONE),
        NewRecord(SHARD_OUTPUT, 0, "a.1", opened("e1", "a.1")),
        NewRecord(SHARD_OUTPUT, 0, "a.1", moved("m1", "a.1", Bucket.UNACCOUNTED)),
        NewRecord(SHARD_OUTPUT, 1, "b.1", opened("e2", "b.1")),
        NewRecord(SHARD_OUTPUT, 1, "b.1", moved("m2", "b.1", Bucket.UNACCOUNTED)),
        NewRecord(SHARD_OUTPUT, 1, "c.1", opened("e3", "c.1")),
        NewRecord(SHARD_OUTPUT, 1, "c.1", moved("m3", "c.1", Bucket.UNACCOUNTED)),
        NewRecord(
            SHARD_OUTPUT,
            1,
            "c.1",
            opened("e4", "c.1", ExposureClosed, why="withdrawn", until=AT),
        ),
        NewRecord(SHARD_OUTPUT, 1, "c.1", moved("m4", "c.1", None, Bucket.UNACCOUNTED)),
        NewRecord(SHARD_OUTPUT, 1, "b.1", moved("m5", "b.1", Bucket.SAFE, Bucket.UNACCOUNTED)),
        NewRecord(ROOM_OUTPUT, 0, "sit-1", summed("sum", 2, unaccounted=1, safe=1)),
        NewRecord(ROOM_OUTPUT, 0, "t", TOTALS),
        NewRecord(ROOM_OUTPUT, 0, "a", ALERT),
    ]


def ordered(engine, *commands):
    """Write commands as they come in, each at the next offset of one partition."""
    with engine.begin() as connection:
        for offset, (event_id, verb, later_s, given) in enumerate(commands):
            at = AT + timedelta(seconds=later_s)
            command = CommandIssued(
                event_id=event_id,
                source="api",
                occurred_at=at,
                received_at=at + timedelta(seconds=1),
                verb=verb,
                by="officer7",
                role=Role.OFFICER,
                reason="asked by the post",
                **given,
            )
            record = Record(DESK_INPUT, 0, offset, event_id, "CommandIssued", 1, encode(command), 0)
            row = row_of_input(record)
            assert row is not None
            write_rows(connection, [row])
