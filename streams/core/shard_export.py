"""Rows of the state exports of a shard: canonical, rounded, without arrival."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from schemas.codelists import Status
from streams.core.assessment import Entry, ExposureRow
from streams.core.people import FAR_PAST, visible
from streams.core.presence import Belief, History
from streams.core.shard_state import Person
from streams.core.thresholds import Thresholds

Row = dict[str, object]


def instant(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, as it stands in every export."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def person_row(person_id: str, belief: Belief | None) -> Row:
    """Return the presence belief of one person; all None where there is none."""
    row: Row = dict.fromkeys(
        ("basis", "precision", "country", "place", "lon_deg", "lat_deg", "radius_m", "as_of")
    )
    row = {"person_id": person_id, **row}
    if belief is None:
        return row
    spot = belief.spot
    row["basis"], row["precision"] = belief.basis.value, spot.precision.value
    row["country"], row["place"] = spot.country, spot.name
    row["as_of"] = instant(belief.as_of)
    if spot.point is not None:
        row["lon_deg"], row["lat_deg"] = round(spot.point[0], 6), round(spot.point[1], 6)
        row["radius_m"] = round(spot.radius_m)
    return row


def exposure_row(person_id: str, cause_id: str, row: ExposureRow) -> Row:
    """Return one exposure, its reason as parts."""
    return {
        "person_id": person_id,
        "cause_id": cause_id,
        "situation_id": row.situation_id,
        "tier": row.tier.value,
        "since": instant(row.since),
        "band": row.band,
        "bands": list(row.bands),
        "advisory": row.advisory,
        "post": row.post or None,
        "status": row.status.value,
        "reason": msgspec.to_builtins(row.reason),
    }


def entry_row(person_id: str, situation_id: str, entry: Entry) -> Row:
    """Return one line of the ledger."""
    return {
        "person_id": person_id,
        "situation_id": situation_id,
        "bucket": entry.bucket.value,
        "by": entry.by.value,
        "since": instant(entry.since),
        "tier": entry.tier.value,
        "post": entry.post or None,
        "area": entry.area or None,
        "first_at": instant(entry.first_at),
        "held": entry.held,
        "why": entry.why,
        "cause_event_id": entry.cause_event_id,
        "by_user": entry.by_user,
        "status": entry.status.value,
    }


def export_rows(
    kind: str, people: Iterable[Person], now: datetime | None, limits: Thresholds
) -> list[Row]:
    """Return the rows of persons, exposures or ledger, sorted by their keys."""
    ordered = sorted(people, key=lambda person: person.person_id)
    if kind == "exposures":
        return [
            exposure_row(person.person_id, cause_id, row)
            for person in ordered
            for cause_id, row in sorted(person.exposures.items())
        ]
    if kind == "ledger":
        return [
            entry_row(person.person_id, situation_id, entry)
            for person in ordered
            for situation_id, entry in sorted(person.entries.items())
        ]
    if kind != "persons":
        msg = f"a shard has no export {kind!r}"
        raise KeyError(msg)
    rows = []
    for person in ordered:
        live = visible(person.history, Status.ACTUAL)
        belief = History(live, limits).at(max(now or FAR_PAST, live.latest_at))
        rows.append(person_row(person.person_id, belief))
    return rows
