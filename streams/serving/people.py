"""The people of a situation as a list, and all that is known of one of them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, case, func, select

from schemas.codelists import Bucket, Tier
from schemas.exposure import Exposure, ExposureClosed, ExposureOpened, Reason
from schemas.person import LinkChanged
from streams.core.reasons import LANGUAGES, sentence
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.people_answers import (
    ExposureNow,
    LinkNow,
    Member,
    Members,
    MovementNow,
    PersonNow,
    Standing,
)

__all__ = ["Member", "Members", "members", "person", "why_flagged"]

URGENCY = (Bucket.NEEDS_HELP, Bucket.UNACCOUNTED, Bucket.UNREACHABLE, Bucket.DECLINES_TO_LEAVE)
"""Buckets that come first in a list, in this order; then all others alike."""

_TIERS = {tier.value: place for place, tier in enumerate(Tier)}
_LEDGER = ("person_id", "status", "bucket", "tier", "area", "post", "by", "why", "at")
_POINT = (
    "since", "lon_deg", "lat_deg", "radius_m", "basis", "precision", "place", "country", "band",
    "as_of",
)  # fmt: skip


def members(
    engine: Engine,
    situation_id: str,
    *,
    status: str | None = None,
    buckets: Collection[str] = (),
    tiers: Collection[str] = (),
    areas: Collection[str] = (),
    post: str | None = None,
    bases: Collection[str] = (),
    precisions: Collection[str] = (),
    person_ids: Collection[str] = (),
    search: str = "",
    limit: int = 100,
    offset: int = 0,
) -> Members:
    """Return a page of a situation's members, those who need help first.

    Then the unaccounted (``URGENCY``); of those alike who stands there longest.
    What is left empty does not filter. ``areas`` are codes, "" being nowhere.
    ``search`` is a part of the person's id, or of the name of the place.
    ``bases`` and ``precisions`` are those of an open exposure.
    """
    wanted = _wanted(
        situation_id, status, buckets, tiers, areas, post, bases, precisions, person_ids, search
    )
    ledger = t.ledger.c
    urgency = case(
        {bucket.value: place for place, bucket in enumerate(URGENCY)},
        value=ledger.bucket,
        else_=len(URGENCY),
    )
    order = (urgency, ledger.at, ledger.person_id, ledger.status)
    # The keys of the page are found in the index alone, their rows are looked up after that.
    keys = select(ledger.person_id, ledger.status).where(*wanted).order_by(*order)
    page = keys.limit(limit).offset(offset).subquery()
    query = (
        select(*(ledger[name] for name in _LEDGER))
        .join_from(
            page,
            t.ledger,
            (ledger.person_id == page.c.person_id) & (ledger.status == page.c.status),
        )
        .where(ledger.situation_id == situation_id)
        .order_by(*order)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
        total = offset + len(rows)
        if len(rows) == limit or (offset and not rows):
            count = select(func.count()).select_from(t.ledger).where(*wanted)
            total = connection.scalar(count) or 0
        people = [row["person_id"] for row in rows]
        points = _points(connection, situation_id, people)
        tried = _tried(connection, people)
    return Members(rows=tuple(_member(row, points, tried) for row in rows), total=total)


def person(engine: Engine, person_id: str) -> PersonNow | None:
    """Return all that the store has of a person, None if it has nothing."""
    with engine.connect() as connection:
        exposures = _exposures(connection, person_id)
        standings = _standings(connection, person_id)
        links = _links(connection, person_id)
        i = j.inputs.c
        counted = select(i.name, func.count()).where(i.about == person_id).group_by(i.name)
        named: dict[str, int] = dict(connection.execute(counted).tuples().all())
    if not (exposures or standings or links or named):
        return None
    return PersonNow(
        person_id=person_id,
        standings=standings,
        exposures=exposures,
        links=links,
        contacts=named.get("ContactRecorded", 0),
    )


def why_flagged(reason: Reason, language: str) -> str:
    """Return "why flagged" in one sentence; English where a language has none."""
    return sentence(reason, language if language in LANGUAGES else "en")


def _wanted(  # noqa: PLR0917 - the filters of ``members``, in its order
    situation_id: str,
    status: str | None,
    buckets: Collection[str],
    tiers: Collection[str],
    areas: Collection[str],
    post: str | None,
    bases: Collection[str],
    precisions: Collection[str],
    person_ids: Collection[str],
    search: str,
) -> list[ColumnElement[bool]]:
    c, e = t.ledger.c, t.exposures.c
    wanted = [c.situation_id == situation_id]
    if status is not None:
        wanted.append(c.status == status)
    for column, values in ((c.bucket, buckets), (c.tier, tiers), (c.person_id, person_ids)):
        if values:
            wanted.append(column.in_([str(value) for value in values]))
    if areas:
        wanted.append(func.coalesce(c.area, "").in_(list(areas)))
    if post is not None:
        wanted.append(c.post == post)
    exposed = select(e.person_id).where(e.situation_id == situation_id)
    for column, values in ((e.basis, bases), (e.precision, precisions)):
        if values:
            held = column.in_([str(value) for value in values])
            wanted.append(c.person_id.in_(exposed.where(e.closed.is_(None), held)))
    if search := search.strip():
        named = exposed.where(e.place.icontains(search, autoescape=True))
        wanted.append(c.person_id.icontains(search, autoescape=True) | c.person_id.in_(named))
    return wanted


def _points(
    connection: Connection, situation_id: str, people: Sequence[str]
) -> dict[tuple[str, str], Any]:
    """Return of each person the exposure that counts most, by id and status."""
    e = t.exposures.c
    names = ("person_id", "status", "tier", "closed", *_POINT)
    found: dict[tuple[str, str], Any] = {}
    for part in _parts(people):
        # By person alone: the index of a situation would give all its exposures each time.
        query = select(e.situation_id, *(e[name] for name in names)).where(e.person_id.in_(part))
        for row in connection.execute(query).mappings():
            if row["situation_id"] != situation_id:
                continue
            key = (row["person_id"], row["status"])
            if key not in found or _weight(row) < _weight(found[key]):
                found[key] = row
    return found


def _weight(row: Any) -> tuple[bool, int, Any]:
    """Return the order of exposures: open first, then the surest, then the oldest."""
    return row["closed"] is not None, _TIERS.get(row["tier"], len(_TIERS)), row["since"]


def _tried(connection: Connection, people: Sequence[str]) -> dict[str, tuple[int, Any]]:
    """Return of each person how often they were tried, and the last time."""
    i = j.inputs.c
    found: dict[str, tuple[int, Any]] = {}
    for part in _parts(people):
        query = (
            select(i.about, i.what, i.occurred_at)
            .where(i.about.in_(part), i.name == "ContactRecorded")
            .order_by(i.occurred_at, i.event_id)
        )
        for row in connection.execute(query):
            found[row.about] = (found.get(row.about, (0, None))[0] + 1, row)
    return found


def _parts(people: Sequence[str], size: int = 10_000) -> Iterable[list[str]]:
    """Yield ids in portions that one statement can take."""
    distinct = list(dict.fromkeys(people))
    for first in range(0, len(distinct), size):
        yield distinct[first : first + size]


def _member(
    row: Any, points: dict[tuple[str, str], Any], tried: dict[str, tuple[int, Any]]
) -> Member:
    point = points.get((row["person_id"], row["status"]))
    contacts, last = tried.get(row["person_id"], (0, None))
    return Member(
        **row,
        **(dict.fromkeys(_POINT) if point is None else {name: point[name] for name in _POINT}),
        exposed=point is not None and point["closed"] is None,
        contacts=contacts,
        last_contact=None if last is None else last.what,
        last_contact_at=None if last is None else last.occurred_at,
    )


def _exposures(connection: Connection, person_id: str) -> tuple[ExposureNow, ...]:
    rows = connection.execute(
        select(t.exposures).where(t.exposures.c.person_id == person_id)
    ).mappings()
    found = []
    for row in sorted(rows, key=_weight):
        kind = ExposureOpened if row["closed"] is None else ExposureClosed
        said: Exposure = msgspec.json.decode(row["body"], type=kind)
        names = "cause_id status situation_id advisory tier band since closed until post".split()
        found.append(
            ExposureNow(
                **{name: row[name] for name in names},
                event_id=said.event_id,
                cause_ids=said.cause_ids,
                bands=said.bands,
                reason=said.reason,
            )
        )
    return tuple(found)


def _standings(connection: Connection, person_id: str) -> tuple[Standing, ...]:
    """Return the lines of the ledger, and those that were withdrawn from it."""
    m, ledger, s = t.movements.c, t.ledger.c, t.situations.c
    moved: dict[tuple[str, str], list[MovementNow]] = {}
    names = [field.name for field in msgspec.structs.fields(MovementNow)]
    query = select(t.movements).where(m.person_id == person_id).order_by(m.at, m.event_id)
    for row in connection.execute(query).mappings():
        moved.setdefault((row["situation_id"], row["status"]), []).append(
            MovementNow(**{name: row[name] for name in names})
        )
    lines = {
        (row["situation_id"], row["status"]): row
        for row in connection.execute(
            select(t.ledger).where(ledger.person_id == person_id)
        ).mappings()
    }
    keys = sorted(lines.keys() | moved.keys())
    about = {
        (row.situation_id, row.status): row
        for row in connection.execute(
            select(s.situation_id, s.status, s.title, s.closed, s.onset_at).where(
                s.situation_id.in_([key[0] for key in keys])
            )
        )
    }
    columns = "bucket tier area post by why at".split()
    return tuple(
        Standing(
            situation_id=key[0],
            status=key[1],
            title=about[key].title if key in about else None,
            closed=about[key].closed if key in about else None,
            movements=tuple(moved.get(key, ())),
            **{name: lines[key][name] if key in lines else None for name in columns},
        )
        for key in keys
    )


def _links(connection: Connection, person_id: str) -> tuple[LinkNow, ...]:
    """Return the latest word on every link of this record, either way."""
    i = j.inputs.c
    query = (
        select(i.body)
        .where(i.name == "LinkChanged", (i.about == person_id) | (i.also == person_id))
        .order_by(i.received_at, i.event_id)
    )
    found: dict[str, LinkNow] = {}
    for body in connection.scalars(query):
        said = msgspec.json.decode(body, type=LinkChanged)
        found[said.link_id] = LinkNow(
            link_id=said.link_id,
            person_id=said.person_id,
            root_id=said.root_id,
            linked=said.linked,
            by=said.by,
            reason=said.reason,
            at=said.occurred_at,
        )
    return tuple(found[link_id] for link_id in sorted(found))
