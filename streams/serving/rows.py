"""Messages to rows: what each message of the log makes true in the store."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Table

from schemas import alert, exposure, incident, operations, zone
from schemas.codec import encode
from schemas.codelists import Bucket
from schemas.envelope import Event
from streams.serving import journals as j
from streams.serving import tables as t

Values = dict[str, Any]
E = TypeVar("E", bound=Event)


class Row(NamedTuple):
    """One row as it now stands; ``values`` None: it is there no more.

    ``key`` are the values of the table's primary key, in its order.
    """

    table: Table
    key: tuple[Any, ...]
    values: Values | None


HEADLINE = (Bucket.UNACCOUNTED, Bucket.NEEDS_HELP, Bucket.SAFE)
"""Buckets that the wall shows by name; the others are its "other"."""

CHANGE_OF: dict[type[Event], str] = {
    exposure.ExposureOpened: "opened",
    exposure.ExposureChanged: "changed",
    exposure.ExposureClosed: "closed",
}

ONCE = frozenset({t.movements, t.acknowledgements, j.exposure_changes})
"""Journals: a row is written once and never changed."""


def rows_of(event: Event) -> list[Row]:
    """Return the rows an event makes true; none for what the store leaves out."""
    make = _MAKERS.get(type(event))
    return [] if make is None else make(event)


def _row(table: Table, event: Event, names: str, **more: Any) -> Row:
    """Return the row whose columns are the event's fields of those names."""
    values = {name: getattr(event, name) for name in names.split()}
    values.update(more)
    return Row(table, tuple(values[column.name] for column in table.primary_key), values)


def _body(event: Event) -> str:
    return encode(event).decode()


def _trigger(event: Event) -> str | None:
    """Return the record with which an event was found, None if it names none."""
    return event.cause_ids[0] if event.cause_ids else None


def _exposure(event: exposure.Exposure) -> list[Row]:
    names = "person_id cause_id status situation_id advisory tier band since post"
    reason = event.reason
    over = event if isinstance(event, exposure.ExposureClosed) else None
    return [
        _row(
            t.exposures,
            event,
            names,
            lon_deg=reason.lon_deg,
            lat_deg=reason.lat_deg,
            radius_m=reason.radius_m,
            basis=reason.basis,
            precision=reason.precision,
            place=reason.place_name,
            country=reason.country,
            as_of=reason.as_of,
            closed=over.why if over else None,
            until=over.until if over else None,
            body=_body(event),
        ),
        _row(
            j.exposure_changes,
            event,
            "event_id person_id cause_id situation_id status received_at tier band",
            change=CHANGE_OF[type(event)],
            at=over.until if over else event.occurred_at,
            zone_version=reason.zone_version,
            why=over.why if over else None,
            trigger_id=_trigger(event),
        ),
    ]


def _accountability(event: exposure.AccountabilityChanged) -> list[Row]:
    names = (
        "event_id person_id situation_id status from_bucket to_bucket at by by_user why tier post"
        " cause_event_id"
    )
    movements = []
    if event.moved:
        movements = [_row(t.movements, event, names, trigger_id=_trigger(event))]
    if event.to_bucket is None:
        return [
            *movements,
            Row(t.ledger, (event.person_id, event.situation_id, event.status), None),
        ]
    names = "person_id situation_id status by why at tier post area"
    return [*movements, _row(t.ledger, event, names, bucket=event.to_bucket)]


def _incident(event: incident.IncidentChanged) -> list[Row]:
    if event.void:
        return [Row(t.incidents, (event.incident_id, event.status), None)]
    names = (
        "incident_id status situation_id title hazard life version onset_at headline_source"
        " magnitude area_known depth_m depth_assumed"
    )
    spot = event.position
    more = {"lon_deg": spot.lon_deg if spot else None, "lat_deg": spot.lat_deg if spot else None}
    members = len(event.members)
    return [_row(t.incidents, event, names, members=members, **more, body=_body(event))]


def _zone(event: zone.ZoneChanged) -> list[Row]:
    if event.void:
        return [Row(t.zones, (event.zone_id, event.version, event.status), None)]
    names = (
        "zone_id version status cause_id situation_id advisory band rank possible_only estimated"
        " model seq corrected valid_from valid_to"
    )
    return [_row(t.zones, event, names, body=_body(event))]


def _advisory(event: incident.AdvisoryChanged) -> list[Row]:
    names = "advisory_id status issuer title level native_level scope change sent_at zoned"
    rows = [_row(t.advisories, event, names, body=_body(event))]
    if event.change != "editorial":
        more = {
            "at": event.received_at,
            "kind": "advice",
            "about_id": event.advisory_id,
            "situation_id": None,
            "before": event.previous_level,
            "after": event.level,
        }
        rows.append(_row(j.changes, event, "event_id status change title scope", **more))
    return rows


def _situation(event: incident.SituationChanged) -> list[Row]:
    key = (event.situation_id, event.status)
    if event.void:
        return [Row(t.situations, key, None), Row(t.sums, key, None)]
    names = "situation_id status title hazard onset_at closed declared_by"
    return [_row(t.situations, event, names, body=_body(event))]


def _sum(event: alert.SituationSummed) -> list[Row]:
    names = "situation_id status tick_at reached shards known inbound withdrawn imbalance"
    return [_row(t.sums, event, names, body=_body(event)), _minute(event)]


def _minute(event: alert.SituationSummed) -> Row:
    """Return the row of the history: what the room said last in that minute."""
    parts = {one.bucket: one.count for one in event.buckets}
    first = {bucket.value: parts.get(bucket, 0) for bucket in HEADLINE}
    return _row(
        j.sum_history,
        event,
        "situation_id status tick_at known",
        minute=event.tick_at.replace(second=0, microsecond=0),
        complete=event.reached == event.shards,
        **first,
        other=sum(n for bucket, n in parts.items() if bucket not in {*HEADLINE, Bucket.DUPLICATE}),
    )


def _totals(event: alert.Totals) -> list[Row]:
    names = "status tick_at reached shards distinct_known people skipped"
    heard = msgspec.json.encode(event.heard, order="deterministic").decode()
    return [_row(t.totals, event, names, heard=heard)]


def _alert(event: alert.AlertRaised) -> list[Row]:
    names = (
        "alert_id status rule cause_id situation_id audience intent title severity raised_at late_s"
        " silence_id"
    )
    person_id = event.facts.get("person_id")
    return [_row(t.alerts, event, names, person_id=person_id, body=_body(event))]


def _acknowledged(event: alert.AlertAcknowledged) -> list[Row]:
    names = "alert_id status by reason"
    return [_row(t.acknowledgements, event, names, at=event.occurred_at)]


def _silence(event: alert.SilenceChanged) -> list[Row]:
    names = "silence_id status by reason rule situation_id until"
    return [_row(t.silences, event, names, at=event.occurred_at)]


def _dead_letter(event: operations.MessageRejected) -> list[Row]:
    names = "event_id topic partition offset message_type reason retryable retried_at body"
    more = {"traceback": event.traceback, "at": event.occurred_at}
    return [_row(t.deadletters, event, names, **more)]


def _health(event: operations.FeedHealthChanged) -> list[Row]:
    names = "feed state reason items usual_items last_success_at expected_interval_s"
    return [_row(t.feed_health, event, names, at=event.occurred_at)]


def _fault(event: operations.FaultRaised) -> list[Row]:
    if event.cleared:
        return [Row(t.faults, (event.fault, event.stage, event.partition), None)]
    return [_row(t.faults, event, "fault stage partition detail offset", at=event.occurred_at)]


_MAKERS: dict[type[Event], Callable[[Any], list[Row]]] = {
    exposure.ExposureOpened: _exposure,
    exposure.ExposureChanged: _exposure,
    exposure.ExposureClosed: _exposure,
    exposure.AccountabilityChanged: _accountability,
    incident.IncidentChanged: _incident,
    incident.AdvisoryChanged: _advisory,
    incident.SituationChanged: _situation,
    zone.ZoneChanged: _zone,
    alert.SituationSummed: _sum,
    alert.Totals: _totals,
    alert.AlertRaised: _alert,
    alert.AlertAcknowledged: _acknowledged,
    alert.SilenceChanged: _silence,
    operations.MessageRejected: _dead_letter,
    operations.FeedHealthChanged: _health,
    operations.FaultRaised: _fault,
}
