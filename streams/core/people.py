"""What is known of a person: the kept history, as compact facts.

A person's facts are a set keyed by ``event_id``. The same id twice is one
fact; the same id with other content keeps the lower digest. Nothing here
depends on the order of arrival.
"""

import hashlib
import re
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import NamedTuple, TypeVar

import msgspec

from schemas.codelists import (
    Bucket,
    ContactChannel,
    Precision,
    Status,
)
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.person import CheckedIn, ContactRecorded, RegistrationFiled, Stay
from schemas.place import Place
from streams.core.thresholds import Thresholds

FAR_PAST = datetime(1, 1, 3, tzinfo=UTC)
FAR_FUTURE = datetime(9998, 1, 1, tzinfo=UTC)
"""Stand for "always was" and "never ends"; outside what a message may say."""


ADMIN1_CODE = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
"""The form of an ISO 3166-2 code; what is filed in another counts as not filed."""


class Spot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A place as a belief uses it: ``point`` (lon, lat) or only a country.

    ``admin1`` is the ISO 3166-2 code that was filed with it.
    """

    precision: Precision
    country: str | None
    name: str | None
    point: tuple[float, float] | None
    radius_m: float
    admin1: str | None = None


class Term(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A filed stay in instants: covers [cover_from, cover_to)."""

    begin: datetime
    cover_from: datetime
    cover_to: datetime
    key: tuple[str, str]
    spot: Spot
    from_date: date | None
    to_date: date | None
    residence: bool
    filed_at: datetime


class Registration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One version of a registration."""

    at: datetime
    event_id: str
    digest: bytes
    exercise: bool
    registration_id: str
    terms: tuple[Term, ...]


class Fix(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One observed position."""

    at: datetime
    event_id: str
    digest: bytes
    exercise: bool
    point: tuple[float, float]
    accuracy_m: float


class Statement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A check-in's state, a contact's outcome or an officer's override."""

    at: datetime
    event_id: str
    digest: bytes
    exercise: bool
    said: str | None
    channel: ContactChannel | None = None
    by_user: str | None = None
    spot: Spot | None = None
    bucket: Bucket | None = None
    situation_id: str | None = None


class Facts(msgspec.Struct, array_like=True, gc=False):
    """The kept history of one person, each list in (at, event_id) order.

    ``latest_at`` is that of the live facts: nothing said in an exercise moves
    the clock of a live situation.
    """

    registrations: tuple[Registration, ...] = ()
    fixes: tuple[Fix, ...] = ()
    statements: tuple[Statement, ...] = ()
    latest_at: datetime = FAR_PAST
    latest_exercise_at: datetime = FAR_PAST


F = TypeVar("F", Registration, Fix, Statement)


class ConflictError(ValueError):
    """One ``event_id`` stands for two contents; the other one is kept."""


REPLACED = "its event_id stood for another content until now; that one is dropped, this one kept"
"""Said of a content whose lower hash displaces one that was taken in before."""


class Learned(NamedTuple):
    """Facts after an event; ``replaced`` if it displaced another content of its id."""

    facts: Facts
    replaced: bool


LATER: dict[type[Event], int] = {CommandIssued: 2}
"""How many of the last fields of a message came after its first version.

Where nothing stands in them, an event has the hash that an older engine kept.
"""


def digest_of(event: Event) -> bytes:
    """Return the content hash of an event, arrival (``received_at``) left out."""
    content = _content_of(type(event))(event)
    for _ in range(LATER.get(type(event), 0)):
        content = content[:-1] if content[-1] is None else content
    return hashlib.blake2b(_pack(content), digest_size=8).digest()


_pack = msgspec.msgpack.Encoder(order="deterministic").encode


@cache
def _content_of(cls: type[Event]) -> Callable[[Event], tuple[object, ...]]:
    """Return a getter of every field but ``received_at``, in declared order."""
    return attrgetter(*(field for field in cls.__struct_fields__ if field != "received_at"))


def spot_of(place: Place, thresholds: Thresholds) -> Spot:
    """Return a filed place as a spot, with the default radius of its precision."""
    point = None
    radius_m = 0.0
    exact = place.precision is not Precision.COUNTRY
    if exact and place.lon_deg is not None and place.lat_deg is not None:
        point = (place.lon_deg, place.lat_deg)
        radius_m = place.radius_m or thresholds.radius_m(place.precision)
    admin1 = place.admin1 if place.admin1 and ADMIN1_CODE.fullmatch(place.admin1) else None
    return Spot(place.precision, place.country, place.name, point, radius_m, admin1)


def term_of(stay: Stay, registration_id: str, filed_at: datetime, thresholds: Thresholds) -> Term:
    """Return a filed stay in instants; see docs/semantics.md section 2."""
    spot = spot_of(stay.place, thresholds)
    lon_deg = spot.point[0] if spot.point else None
    begin = day_start(stay.from_date, lon_deg) if stay.from_date else FAR_PAST
    cover_from = begin - thresholds.stay_margin
    cover_to = FAR_FUTURE
    if stay.to_date is not None:
        cover_to = day_start(stay.to_date, lon_deg) + timedelta(days=1) + thresholds.stay_margin
    return Term(
        begin=begin,
        cover_from=cover_from,
        cover_to=cover_to,
        key=(registration_id, stay.stay_id),
        spot=spot,
        from_date=stay.from_date,
        to_date=stay.to_date,
        residence=stay.residence,
        filed_at=filed_at,
    )


def day_start(day: date, lon_deg: float | None) -> datetime:
    """Return the instant at which a local day begins, by nautical zone."""
    offset_h = round(lon_deg / 15.0) if lon_deg is not None else 0
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=offset_h)


def with_event(facts: Facts, event: Event, thresholds: Thresholds) -> Learned | None:
    """Return the facts with ``event`` among them, or None if it adds nothing.

    Raises ``ConflictError`` where another content of the same id is kept.
    """
    digest = digest_of(event)
    known = next((f.digest for f in _all(facts) if f.event_id == event.event_id), None)
    if known is not None:
        if known == digest:
            return None
        if known < digest:
            msg = f"event_id {event.event_id} already stands for another content"
            raise ConflictError(msg)
        facts = _only(facts, lambda fact: fact.event_id != event.event_id)
    new = _facts_of(event, digest, thresholds)
    latest_at, latest_exercise_at = facts.latest_at, facts.latest_exercise_at
    if event.status is Status.ACTUAL:
        latest_at = max(latest_at, event.occurred_at)
    else:
        latest_exercise_at = max(latest_exercise_at, event.occurred_at)
    learned = Facts(
        registrations=_with(facts.registrations, new.registrations),
        fixes=_with(facts.fixes, new.fixes),
        statements=_with(facts.statements, new.statements),
        latest_at=latest_at,
        latest_exercise_at=latest_exercise_at,
    )
    return Learned(learned, replaced=known is not None)


def _facts_of(event: Event, digest: bytes, thresholds: Thresholds) -> Facts:
    """Return the facts that one event states."""
    at, event_id = event.occurred_at, event.event_id
    exercise = event.status is not Status.ACTUAL
    if isinstance(event, RegistrationFiled):
        terms = tuple(
            term_of(stay, event.registration_id, at, thresholds)
            for stay in (() if event.cancelled else event.stays)
        )
        filed = Registration(at, event_id, digest, exercise, event.registration_id, terms)
        return Facts(registrations=(filed,))
    if isinstance(event, CheckedIn):
        fixes: tuple[Fix, ...] = ()
        statements: tuple[Statement, ...] = ()
        if event.state is not None:
            statements = (Statement(at, event_id, digest, exercise, event.state),)
        if event.position is not None:
            accuracy_m = event.position.accuracy_m
            if accuracy_m is None:
                accuracy_m = thresholds.fix_accuracy_m
            point = (event.position.lon_deg, event.position.lat_deg)
            fixes = (Fix(at, event_id, digest, exercise, point, max(accuracy_m, 1.0)),)
        return Facts(fixes=fixes, statements=statements)
    if isinstance(event, ContactRecorded):
        spot = spot_of(event.place, thresholds) if event.place else None
        said = Statement(
            at,
            event_id,
            digest,
            exercise,
            event.outcome,
            channel=event.channel,
            by_user=event.by,
            spot=spot,
        )
        return Facts(statements=(said,))
    if isinstance(event, CommandIssued):
        ordered = Statement(
            at,
            event_id,
            digest,
            exercise,
            None,
            by_user=event.by,
            bucket=event.bucket,
            situation_id=event.situation_id,
        )
        return Facts(statements=(ordered,))
    msg = f"{type(event).__name__} is not a fact about a person"
    raise TypeError(msg)


def _all(facts: Facts) -> Iterator[Registration | Fix | Statement]:
    yield from facts.registrations
    yield from facts.fixes
    yield from facts.statements


def _only(facts: Facts, wanted: Callable[[Registration | Fix | Statement], bool]) -> Facts:
    """Return the facts that are wanted, with the latest times that are theirs."""
    kept = [fact for fact in _all(facts) if wanted(fact)]
    return Facts(
        registrations=tuple(f for f in facts.registrations if wanted(f)),
        fixes=tuple(f for f in facts.fixes if wanted(f)),
        statements=tuple(f for f in facts.statements if wanted(f)),
        latest_at=max((f.at for f in kept if not f.exercise), default=FAR_PAST),
        latest_exercise_at=max((f.at for f in kept if f.exercise), default=FAR_PAST),
    )


def _with(kept: tuple[F, ...], new: tuple[F, ...]) -> tuple[F, ...]:
    """Return ``kept`` with ``new``, none or one, at its place by (at, event_id)."""
    if not new:
        return kept
    if not kept or _in_event_order(new[0]) > _in_event_order(kept[-1]):
        return kept + new
    facts = list(kept)
    insort(facts, new[0], key=_in_event_order)
    return tuple(facts)


def _in_event_order(fact: Registration | Fix | Statement) -> tuple[datetime, str]:
    return fact.at, fact.event_id


def shared(facts: Facts, from_id: str) -> str:
    """Return a linked record's facts as text, to be taken in by its root.

    Registrations bear the record's id: those of two records are two, even
    where a list has numbered them alike.
    """
    registrations = tuple(
        msgspec.structs.replace(r, registration_id=f"{from_id}/{r.registration_id}")
        for r in facts.registrations
    )
    return msgspec.json.encode(msgspec.structs.replace(facts, registrations=registrations)).decode()


def taken_in(body: str) -> Facts:
    """Return the facts that ``shared`` made text of."""
    return msgspec.json.decode(body, type=Facts)


def together(own: Facts, others: Iterable[Facts]) -> Facts:
    """Return one history of a record's own facts and those of its duplicates."""
    facts = own
    for other in others:
        known = {fact.event_id for fact in _all(facts)}
        for new in _all(other):
            if new.event_id not in known:
                facts = _extended(facts, new)
        facts = msgspec.structs.replace(
            facts,
            latest_at=max(facts.latest_at, other.latest_at),
            latest_exercise_at=max(facts.latest_exercise_at, other.latest_exercise_at),
        )
    return facts


def _extended(facts: Facts, new: Registration | Fix | Statement) -> Facts:
    if isinstance(new, Registration):
        return msgspec.structs.replace(facts, registrations=_with(facts.registrations, (new,)))
    if isinstance(new, Fix):
        return msgspec.structs.replace(facts, fixes=_with(facts.fixes, (new,)))
    return msgspec.structs.replace(facts, statements=_with(facts.statements, (new,)))


def visible(facts: Facts, status: Status) -> Facts:
    """Return the facts a situation of ``status`` may read.

    Live situations read only live facts; exercises read both.
    """
    if facts.latest_exercise_at == FAR_PAST:
        return facts
    if status is Status.ACTUAL:
        return _only(facts, lambda fact: not fact.exercise)
    both = max(facts.latest_at, facts.latest_exercise_at)
    return msgspec.structs.replace(facts, latest_at=both)


def terms_of(facts: Facts) -> tuple[Term, ...]:
    """Return the stays that count: those of each registration's latest version."""
    if len(facts.registrations) == 1:
        return facts.registrations[0].terms
    latest = {r.registration_id: r for r in facts.registrations}
    return tuple(term for r in latest.values() for term in r.terms)
