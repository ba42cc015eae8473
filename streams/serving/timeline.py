"""One person's story: everything that happened to, by or about them, by time."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, or_, select

from schemas.alert import AlertRaised
from schemas.command import CommandIssued
from schemas.person import CheckedIn, ContactRecorded, LinkChanged, RegistrationFiled, Stay
from schemas.place import Place, Position
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.people_answers import Moment


def timeline(engine: Engine, person_id: str) -> tuple[Moment, ...]:
    """Return the moments of a person in order; none for a person nobody knows."""
    with engine.connect() as connection:
        moments = [
            *_inputs(connection, person_id),
            *_exposures(connection, person_id),
            *_movements(connection, person_id),
            *_alerts(connection, person_id),
        ]
    # What was said comes before what followed from it in the same instant.
    order = ("registration", "check_in", "contact", "override", "link", "exposure", "movement")
    place = {kind: n for n, kind in enumerate(order)}
    moments.sort(key=lambda one: (one.at, place.get(one.kind, len(order)), one.event_id))
    return tuple(moments)


def _inputs(connection: Connection, person_id: str) -> Iterator[Moment]:
    """Yield what came in about a person, each message once."""
    query = select(j.inputs).where(or_(j.inputs.c.about == person_id, j.inputs.c.also == person_id))
    seen: set[str] = set()
    for row in connection.execute(query.order_by(j.inputs.c.received_at)).mappings():
        make = _MAKERS.get(row["name"])
        if make is None or row["event_id"] in seen:
            continue
        seen.add(row["event_id"])
        yield make(row["body"])


def _registration(body: str) -> Moment:
    said = msgspec.json.decode(body, type=RegistrationFiled)
    facts = {"registration": said.registration_id, "stays": [_stay(stay) for stay in said.stays]}
    return _moment(said, "registration", "cancelled" if said.cancelled else "filed", "", facts)


def _check_in(body: str) -> Moment:
    said = msgspec.json.decode(body, type=CheckedIn)
    what = said.state.value if said.state else "position"
    return _moment(said, "check_in", what, "person", _where(said.position))


def _contact(body: str) -> Moment:
    said = msgspec.json.decode(body, type=ContactRecorded)
    facts: dict[str, Any] = {"channel": said.channel.value}
    if said.place is not None:
        facts["place"] = _place(said.place)
    return _moment(said, "contact", said.outcome.value, said.by, facts)


def _command(body: str) -> Moment:
    said = msgspec.json.decode(body, type=CommandIssued)
    link = said.bucket is None
    moment = _moment(
        said,
        "link" if link else "override",
        said.verb.value if said.bucket is None else said.bucket.value,
        said.by,
        {"role": said.role.value},
    )
    return msgspec.structs.replace(moment, why=said.reason, situation_id=said.situation_id)


def _link(body: str) -> Moment:
    said = msgspec.json.decode(body, type=LinkChanged)
    facts = {"record": said.person_id, "of": said.root_id}
    return _moment(said, "link", "linked" if said.linked else "unlinked", "officer", facts)


_MAKERS: dict[str, Callable[[str], Moment]] = {
    "RegistrationFiled": _registration,
    "CheckedIn": _check_in,
    "ContactRecorded": _contact,
    "CommandIssued": _command,
    "LinkChanged": _link,
}


def _moment(said: Any, kind: str, what: str, who: str, facts: dict[str, Any]) -> Moment:
    """Return the moment of a message from outside."""
    return Moment(
        at=said.occurred_at,
        received_at=said.received_at,
        kind=kind,
        what=what,
        who=who,
        source=said.source,
        why=None,
        status=said.status.value,
        situation_id=None,
        event_id=said.event_id,
        cause_event_id=said.cause_ids[-1] if kind == "link" and said.cause_ids else None,
        facts=facts,
    )


def _stay(stay: Stay) -> str:
    """Return a stay as one text: where, from when, to when."""
    first = stay.from_date.isoformat() if stay.from_date else "?"
    last = stay.to_date.isoformat() if stay.to_date else ""
    return f"{_place(stay.place)} {first} - {last}".rstrip()


def _place(place: Place) -> str:
    named = place.name or place.admin1 or place.country
    return named if named == place.country else f"{named}, {place.country}"


def _where(position: Position | None) -> dict[str, Any]:
    if position is None:
        return {}
    found: dict[str, Any] = {"lat": position.lat_deg, "lon": position.lon_deg}
    if position.accuracy_m is not None:
        found["accuracy_m"] = round(position.accuracy_m)
    return found


def _exposures(connection: Connection, person_id: str) -> Iterator[Moment]:
    table = j.exposure_changes
    query = select(table).where(table.c.person_id == person_id)
    for row in connection.execute(query).mappings():
        yield Moment(
            at=row["at"],
            received_at=row["received_at"],
            kind="exposure",
            what=row["change"],
            who="engine",
            source="shard",
            why=row["why"],
            status=row["status"],
            situation_id=row["situation_id"],
            event_id=row["event_id"],
            cause_event_id=row["trigger_id"],
            facts={"tier": row["tier"], "band": row["band"], "version": row["zone_version"]},
        )


def _movements(connection: Connection, person_id: str) -> Iterator[Moment]:
    query = select(t.movements).where(t.movements.c.person_id == person_id)
    for row in connection.execute(query).mappings():
        yield Moment(
            at=row["at"],
            received_at=None,
            kind="movement",
            what=row["to_bucket"] or "withdrawn",
            who=row["by_user"] or row["by"],
            source="shard",
            why=row["why"],
            status=row["status"],
            situation_id=row["situation_id"],
            event_id=row["event_id"],
            cause_event_id=row["cause_event_id"] or row["trigger_id"],
            facts={"from": row["from_bucket"]} if row["from_bucket"] else {},
        )


def _alerts(connection: Connection, person_id: str) -> Iterator[Moment]:
    query = select(t.alerts.c.body).where(
        t.alerts.c.rule == "help_requested", t.alerts.c.title.contains(person_id, autoescape=True)
    )
    for body in connection.scalars(query):
        said = msgspec.json.decode(body, type=AlertRaised)
        if said.facts.get("person_id") != person_id:
            continue
        moment = _moment(said, "alert", said.rule, "", {"alert_id": said.alert_id})
        yield msgspec.structs.replace(
            moment, situation_id=said.situation_id, cause_event_id=said.cause_id
        )
