"""The difference between two assessments of a person, as events.

Ids derive from what changed and from the record that caused it, so that a
batch run again gives the same bytes.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from schemas.codelists import Bucket, Tier
from schemas.envelope import Event
from schemas.exposure import (
    AccountabilityChanged,
    Exposure,
    ExposureChanged,
    ExposureClosed,
    ExposureOpened,
    HelpRequested,
)
from streams.core.assessment import Assessment, Entry, ExposureRow
from streams.core.stage import ROOM_INPUT, SHARD_OUTPUT, Out, derive_id
from streams.core.zonebook import Cause, ZoneBook


def of_exposures(
    person_id: str,
    old: dict[str, ExposureRow],
    new: Assessment,
    at: datetime,
    trigger: Event,
    shard: int,
    book: ZoneBook,
) -> list[Out]:
    """Return what opened, changed and closed, by cause id."""
    out: list[Out] = []
    for cause_id in sorted(old.keys() | new.exposures.keys()):
        was, row = old.get(cause_id), new.exposures.get(cause_id)
        if was == row:
            continue
        why = _why_closed(was, new, book.causes.get(cause_id), at) if was and not row else ""
        event = _exposure_event(person_id, cause_id, was, row, at, trigger, why)
        out.append(Out(SHARD_OUTPUT, shard, person_id, event))
    return out


def _exposure_event(
    person_id: str,
    cause_id: str,
    was: ExposureRow | None,
    row: ExposureRow | None,
    at: datetime,
    trigger: Event,
    why: str,
) -> Exposure:
    shown = row or was
    if shown is None:
        msg = "an exposure that neither was nor is has no event"
        raise ValueError(msg)
    fields: dict[str, Any] = {
        "event_id": derive_id(
            "exposure", person_id, cause_id, trigger.event_id, at.isoformat(), *_shown(row)
        ),
        "source": "shard",
        "occurred_at": at,
        "received_at": trigger.received_at,
        "cause_ids": (trigger.event_id,),
        "status": shown.status,
        "person_id": person_id,
        "cause_id": cause_id,
        "tier": shown.tier,
        "since": shown.since,
        "band": shown.band,
        "reason": shown.reason,
        "bands": shown.bands,
        "situation_id": shown.situation_id,
        "advisory": shown.advisory,
        "post": shown.post or None,
    }
    if row is None:
        return ExposureClosed(**fields, why=why, until=at)
    return ExposureChanged(**fields) if was else ExposureOpened(**fields)


def _why_closed(was: ExposureRow, new: Assessment, cause: Cause | None, at: datetime) -> str:
    """Return why an exposure is no more, in one word."""
    if cause is None:
        return "zone_gone"
    entry = new.entries.get(was.situation_id) if was.situation_id else None
    if entry is not None and not entry.held:
        return "corrected"
    if not any(v.valid_from <= at < v.valid_to for v in cause.held):
        return "zone_ended"
    if was.situation_id is not None and entry is None and was.tier is not Tier.INBOUND:
        return "withdrawn"
    return "left"


def of_entries(
    person_id: str,
    old: dict[str, Entry],
    new: dict[str, Entry],
    at: datetime,
    trigger: Event,
    shard: int,
    regrouped: AbstractSet[str],
) -> list[Out]:
    """Return the movements of the ledger, and requests for help to the room.

    ``regrouped`` are the situations that are left by their incident's moving
    to another one, not by knowledge of the person.
    """
    out: list[Out] = []
    for situation_id in sorted(old.keys() | new.keys()):
        was, entry = old.get(situation_id), new.get(situation_id)
        if was == entry:
            continue
        shown = entry or was
        if shown is None:
            continue
        why = shown.why
        if entry is None:
            why = "regrouped" if situation_id in regrouped else "withdrawn"
        movement = AccountabilityChanged(
            event_id=derive_id(
                "movement", person_id, situation_id, trigger.event_id, at.isoformat(), *_told(entry)
            ),
            source="shard",
            occurred_at=at,
            received_at=trigger.received_at,
            cause_ids=(trigger.event_id,),
            status=shown.status,
            person_id=person_id,
            situation_id=situation_id,
            from_bucket=was.bucket if was else None,
            to_bucket=entry.bucket if entry else None,
            at=entry.since if entry else at,
            by=shown.by,
            why=why,
            tier=shown.tier,
            post=shown.post or None,
            area=shown.area or None,
            cause_event_id=shown.cause_event_id,
            by_user=shown.by_user,
            moved=not (was and entry and _standing(was) == _standing(entry)),
        )
        out.append(Out(SHARD_OUTPUT, shard, person_id, movement))
        needs_help = entry is not None and entry.bucket is Bucket.NEEDS_HELP
        if needs_help and (was is None or was.bucket is not Bucket.NEEDS_HELP):
            out.append(_help(person_id, situation_id, shown, at, trigger))
    return out


def _told(entry: Entry | None) -> tuple[object, ...]:
    """Return what tells two movements by one cause apart."""
    if entry is None:
        return ()
    return *_standing(entry), entry.tier, entry.post, entry.area, entry.first_at


def _shown(row: ExposureRow | None) -> tuple[object, ...]:
    """Return what tells two changes of an exposure by one cause apart."""
    if row is None:
        return ()
    return row.tier, row.band, row.reason.zone_id, row.reason.zone_version, row.reason.p_inside


def _standing(entry: Entry) -> tuple[object, ...]:
    return entry.bucket, entry.by, entry.since, entry.cause_event_id


def _help(person_id: str, situation_id: str, entry: Entry, at: datetime, trigger: Event) -> Out:
    request = HelpRequested(
        event_id=derive_id("help", person_id, entry.cause_event_id, entry.status.value),
        source="shard",
        occurred_at=at,
        received_at=trigger.received_at,
        cause_ids=(trigger.event_id,),
        status=entry.status,
        person_id=person_id,
        situation_id=situation_id,
        tier=entry.tier,
        post=entry.post or None,
    )
    return Out(ROOM_INPUT, 0, person_id, request)
