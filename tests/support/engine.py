"""The three stages wired in memory, and short builders for what they are told.

No log and no pump: what one stage writes, the next applies at once. It is for
tests about meaning; tests about logs and crashes run the pump.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.codelists import (
    AdviceScope,
    Bucket,
    CheckInState,
    ContactChannel,
    ContactOutcome,
    Hazard,
    MsgType,
    Precision,
    Revision,
    Role,
    Verb,
)
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.operations import Tick
from schemas.person import CheckedIn, ContactRecorded, RegistrationFiled, Stay
from schemas.place import Circle, Countries, Place, Position
from schemas.report import AdvisoryIssued, IncidentReported
from streams.core.desk import Desk
from streams.core.room import Room
from streams.core.shard import Shard
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT, TO_ALL
from streams.merge import admit, route

DAY = datetime(2023, 2, 6, tzinfo=UTC)
ONSET = DAY + timedelta(hours=1, minutes=17, seconds=34)

CITIES = {
    "gaziantep": ("TR", 37.3833, 37.0662),
    "adana": ("TR", 35.3213, 37.0),
    "diyarbakir": ("TR", 40.2306, 37.9144),
    "antalya": ("TR", 30.7133, 36.8969),
    "doha": ("QA", 51.531, 25.2854),
}


def at(clock: str, day: datetime = DAY) -> datetime:
    """Return the instant "HH:MM" or "HH:MM:SS" of a day."""
    parts = [int(part) for part in clock.split(":")]
    return day + timedelta(hours=parts[0], minutes=parts[1], seconds=sum(parts[2:]))


class Engine:
    """Desk, shards and room; keeps every output that leaves the stages."""

    def __init__(self, shards: int = 2) -> None:
        self.shards = shards
        self.desk = Desk(shards)
        self.partitions = [Shard(p, shards) for p in range(shards)]
        self.room = Room(shards)
        self.outputs: list[Event] = []
        self.rejects: list[str] = []

    def put(self, *events: Event) -> "Engine":
        for event in events:
            for topic, partition, _ in route(admit(event), self.shards):
                self._deliver(topic, partition, event)
        return self

    def tick(self, when: datetime) -> "Engine":
        return self.put(
            Tick(
                event_id=f"tick:{when.isoformat()}",
                source="test",
                occurred_at=when,
                received_at=when,
                at=when,
                resume=True,
            )
        )

    def _deliver(self, topic: str, partition: int, event: Event) -> None:
        stages: list[Any]
        if topic == DESK_INPUT:
            stages = [self.desk]
        elif topic == ROOM_INPUT:
            stages = [self.room]
        elif topic == SHARD_INPUT:
            stages = self.partitions if partition == TO_ALL else [self.partitions[partition]]
        else:
            self.outputs.append(event)
            return
        for stage in stages:
            outcome = stage.apply([event])
            self.rejects += [reject.reason for reject in outcome.rejects]
            for out in outcome.events:
                self._deliver(out.topic, out.partition, out.event)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        if kind in {"incidents", "zones", "advisories", "situations"}:
            return self.desk.export(kind)
        rows = [row for shard in self.partitions for row in shard.export(kind)]
        return sorted(rows, key=str)

    def said(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.outputs if type(event) is kind]

    def tier(self, person_id: str) -> str | None:
        tiers = [r["tier"] for r in self.rows("exposures") if r["person_id"] == person_id]
        return tiers[0] if tiers else None

    def bucket(self, person_id: str) -> str | None:
        buckets = [r["bucket"] for r in self.rows("ledger") if r["person_id"] == person_id]
        return buckets[0] if buckets else None

    def buckets(self) -> Counter[str]:
        return Counter(row["bucket"] for row in self.rows("ledger"))


def _common(event_id: str, when: datetime, fields: dict[str, Any]) -> dict[str, Any]:
    common = {"event_id": event_id, "source": "test", "occurred_at": when, "received_at": when}
    return common | fields


def city(name: str) -> Place:
    country, lon, lat = CITIES[name]
    return Place(
        precision=Precision.CITY, country=country, name=name.title(), lon_deg=lon, lat_deg=lat
    )


def stays_in(
    person_id: str,
    where: str | Place,
    first: str = "2023-02-01",
    last: str | None = "2023-02-20",
    **fields: Any,
) -> RegistrationFiled:
    place = city(where) if isinstance(where, str) else where
    stay = Stay(
        stay_id="s1",
        place=place,
        from_date=date.fromisoformat(first),
        to_date=date.fromisoformat(last) if last else None,
    )
    when = fields.pop("when", DAY - timedelta(days=30))
    registration = fields.pop("registration_id", "r1")
    return RegistrationFiled(
        **_common(f"reg:{person_id}:{registration}", when, fields),
        person_id=person_id,
        registration_id=registration,
        stays=(stay,),
    )


def fix(
    person_id: str, lon: float, lat: float, when: datetime, accuracy_m: float = 50.0, **fields: Any
) -> CheckedIn:
    return CheckedIn(
        **_common(f"fix:{person_id}:{when.isoformat()}", when, fields),
        person_id=person_id,
        position=Position(lon_deg=lon, lat_deg=lat, accuracy_m=accuracy_m),
    )


def says(person_id: str, state: CheckInState, when: datetime, **fields: Any) -> CheckedIn:
    event_id = f"says:{person_id}:{when.isoformat()}"
    return CheckedIn(**_common(event_id, when, fields), person_id=person_id, state=state)


def contact(
    person_id: str,
    outcome: ContactOutcome,
    when: datetime,
    channel: ContactChannel = ContactChannel.PHONE,
    **fields: Any,
) -> ContactRecorded:
    return ContactRecorded(
        **_common(f"contact:{person_id}:{when.isoformat()}", when, fields),
        person_id=person_id,
        outcome=outcome,
        channel=channel,
        by="agent-7",
    )


def quake(
    magnitude: float,
    sent: datetime,
    *,
    source: str = "usgs",
    name: str = "us1",
    onset: datetime = ONSET,
    lon: float = 37.014,
    lat: float = 37.226,
    msg_type: MsgType = MsgType.ALERT,
    **fields: Any,
) -> IncidentReported:
    common = _common(f"{source}:{name}:{sent.isoformat()}", onset, fields)
    return IncidentReported(
        **(common | {"source": source, "received_at": sent}),
        chain_id=f"{source}:{name}",
        msg_type=msg_type,
        hazard=Hazard.EARTHQUAKE,
        title=f"M {magnitude} Türkiye",
        onset_at=onset,
        sent_at=sent,
        revision=Revision.CORRECTS,
        position=Position(lon_deg=lon, lat_deg=lat),
        magnitude=magnitude,
        depth_m=10_000.0,
    )


def warning(
    name: str,
    when: datetime,
    *circles: Circle,
    revision: Revision = Revision.EVOLVES,
    **fields: Any,
) -> IncidentReported:
    kind = fields.pop("msg_type", MsgType.ALERT)
    onset_at = fields.pop("onset_at", when)
    common = _common(fields.pop("event_id", f"cap:{name}:{when.isoformat()}"), when, fields)
    return IncidentReported(
        **(common | {"source": "cap:met"}),
        chain_id=f"cap:{name}",
        msg_type=kind,
        hazard=Hazard.FLOOD,
        title=f"Warning {name}",
        onset_at=onset_at,
        sent_at=when,
        revision=revision,
        areas=circles,
    )


def around(where: str, radius_km: float) -> Circle:
    _, lon, lat = CITIES[where]
    return Circle(lon_deg=lon, lat_deg=lat, radius_m=radius_km * 1000.0)


def advice(
    country: str, level: int, when: datetime, scope: AdviceScope = AdviceScope.WHOLE, **fields: Any
) -> AdvisoryIssued:
    areas = (Countries(codes=(country,)),) if scope is AdviceScope.WHOLE else ()
    return AdvisoryIssued(
        **_common(f"advice:{country}:{when.isoformat()}", when, fields),
        advisory_id=f"test:{country}",
        issuer="test",
        title=f"Advice {country}",
        sent_at=when,
        native_level=f"level {level}",
        level=level,
        scope=scope,
        areas=areas,
    )


def command(verb: Verb, when: datetime, **fields: Any) -> CommandIssued:
    values = {"by": "officer-1", "role": Role.OFFICER, "reason": "as ordered"} | fields
    return CommandIssued(**_common(f"cmd:{verb}:{when.isoformat()}", when, values), verb=verb)


def override(person_id: str, situation_id: str, bucket: Bucket, when: datetime) -> CommandIssued:
    return command(
        Verb.OVERRIDE, when, person_id=person_id, situation_id=situation_id, bucket=bucket
    )
