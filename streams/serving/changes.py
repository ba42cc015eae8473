"""What changed of incidents and situations, from the versions they had.

Their records are absolute: what a version changes is known from the one before
it. So every version is kept, and the changes are a function of the versions;
reading the log again, in any batches, ends in the same rows.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from schemas.envelope import Event
from schemas.incident import IncidentChanged, SituationChanged
from streams.ports import Record
from streams.serving import journals as j
from streams.serving.rows import Row, Values

OVER = frozenset({"ended", "cancelled", "closed"})
"""States in which nothing more is to be expected."""


def version_row(record: Record, said: Event) -> Row | None:
    """Return the row of an incident's or a situation's version; None for others."""
    if isinstance(said, IncidentChanged):
        kind, about_id, life = "incident", said.incident_id, said.life
        version, magnitude = said.version, said.magnitude
    elif isinstance(said, SituationChanged):
        kind, about_id, life = "situation", said.situation_id, "closed" if said.closed else "open"
        version, magnitude = 0, None
    else:
        return None
    values = {
        "event_id": said.event_id,
        "offset": record.offset,
        "kind": kind,
        "about_id": about_id,
        "status": said.status,
        # A void record repeats the times of the last one: when it came is known from the log.
        "at": record.appended_at if said.void else said.received_at,
        "title": said.title,
        "version": version,
        "life": life,
        "magnitude": magnitude,
        "situation_id": said.situation_id,
        "void": said.void,
        "trigger_id": said.cause_ids[0] if said.cause_ids else None,
    }
    return Row(j.versions, (said.event_id,), values)


def changes_of(versions: Sequence[Any]) -> list[Values]:
    """Return what changed over the versions of one thing, in their order.

    A version that changes nothing anybody must know (another source, another
    member) makes no row.
    """
    found: list[Values] = []
    before: Any = None
    for one in versions:
        change = _change(before, one)
        if change is not None:
            found.append(
                {
                    "event_id": one["event_id"],
                    "at": one["at"],
                    "status": one["status"],
                    "kind": one["kind"],
                    "about_id": one["about_id"],
                    "situation_id": one["situation_id"],
                    "change": change,
                    "title": one["title"],
                    "before": None if before is None else before["magnitude"],
                    "after": one["magnitude"],
                    "scope": None,
                }
            )
        before = None if one["void"] else one
    return found


def _change(before: Any, after: Any) -> str | None:
    """Return in one word what a version changes, None if it is no news."""
    if after["void"]:
        return None if before is None else "merged"
    if before is None:
        return "opened"
    if before["life"] != after["life"]:
        if after["life"] in OVER:
            return str(after["life"])
        if before["life"] in OVER:
            return "reopened"
        return "revised"
    stood = (before["version"], before["magnitude"])
    return None if stood == (after["version"], after["magnitude"]) else "revised"


def rows_of_changes(connection: Connection, about_ids: Collection[str]) -> list[Row]:
    """Return the rows of all changes of these incidents and situations."""
    v = j.versions
    query = (
        select(v)
        .where(v.c.about_id.in_(sorted(about_ids)))
        .order_by(v.c.kind, v.c.about_id, v.c.status, v.c.offset)
    )
    versions = connection.execute(query).mappings()
    rows: list[Row] = []
    for _, of_one in groupby(
        versions, key=lambda one: (one["kind"], one["about_id"], one["status"])
    ):
        rows += (
            Row(j.changes, (values["event_id"],), values) for values in changes_of(list(of_one))
        )
    return rows
