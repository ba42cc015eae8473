"""Versions of what the desk keeps, and what changed from one to the next.

Their records are absolute: what a version changes is known from the one before
it. So every version is kept, and the changes are a function of the versions;
reading the log again, in any batches, ends in the same rows.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from schemas.envelope import Event
from schemas.incident import AdvisoryChanged, IncidentChanged, SituationChanged
from schemas.zone import ZoneChanged
from streams.ports import Record
from streams.serving import journals as j
from streams.serving.rows import Row, Values

OVER = frozenset({"ended", "cancelled", "closed"})
"""States in which nothing more is to be expected."""


JUDGED = ("incident", "situation")
"""Kinds of which a change is known only from the version before."""


def version_row(record: Record, said: Event) -> Row | None:
    """Return the row of one version of what the desk keeps; None for others."""
    values: Values
    if isinstance(said, IncidentChanged):
        values = {"kind": "incident", "about_id": said.incident_id, "life": said.life}
        values |= {"version": said.version, "magnitude": said.magnitude, "void": said.void}
    elif isinstance(said, SituationChanged):
        life = "closed" if said.closed else "open"
        values = {"kind": "situation", "about_id": said.situation_id, "life": life}
        values |= {"version": 0, "void": said.void}
    elif isinstance(said, ZoneChanged):
        life = "corrected" if said.corrected else "in_force"
        values = {"kind": "zone", "about_id": said.zone_id, "life": life}
        values |= {"version": said.version, "void": said.void, "cause_id": said.cause_id}
    elif isinstance(said, AdvisoryChanged):
        values = {"kind": "advisory", "about_id": said.advisory_id, "life": said.change}
        values |= {"version": said.version, "void": False}
    else:
        return None
    common = {
        "event_id": said.event_id,
        "offset": record.offset,
        "status": said.status,
        # A void record repeats the times of the last one: when it came is known from the log.
        "at": record.appended_at if values["void"] else said.received_at,
        "title": said.title,
        "situation_id": getattr(said, "situation_id", None),
        "trigger_id": said.cause_ids[0] if said.cause_ids else None,
        "magnitude": None,
        "cause_id": None,
    }
    return Row(j.versions, (said.event_id,), common | values)


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
        .where(v.c.about_id.in_(sorted(about_ids)), v.c.kind.in_(JUDGED))
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
