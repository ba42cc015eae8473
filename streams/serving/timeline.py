"""One person's story: everything said by, of and about them, by time."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, select

from schemas.codec import BY_NAME, decode
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.person import CheckedIn, ContactRecorded, LinkChanged, RegistrationFiled
from streams.serving import journals as j
from streams.serving import tables as t
from streams.serving.people_answers import Moment

ENGINE = "rollcall"
"""Source of what Rollcall itself has found."""


def timeline(engine: Engine, person_id: str) -> tuple[Moment, ...]:
    """Return all moments of a person, the first one first.

    Of records that are linked with theirs only the links themselves: what the
    other record says stands in its own story.
    """
    with engine.connect() as connection:
        moments = [
            *_inputs(connection, person_id),
            *_exposures(connection, person_id),
            *_movements(connection, person_id),
            *_alerts(connection, person_id),
        ]
    return tuple(sorted(moments, key=lambda one: (one.at, _order(one), one.event_id)))


def _order(one: Moment) -> int:
    """Return the order at one instant: what was said, what was found, what followed."""
    return {"exposure": 1, "movement": 2, "alert": 3}.get(one.kind, 0)


def _inputs(connection: Connection, person_id: str) -> Iterator[Moment]:
    i = j.inputs.c
    query = select(i.name, i.body).where((i.about == person_id) | (i.also == person_id))
    seen: set[str] = set()
    for row in connection.execute(query):
        said = decode(row.name, row.body.encode()) if row.name in BY_NAME else None
        told = _TELL.get(type(said))
        if said is None or told is None or said.event_id in seen:
            continue
        seen.add(said.event_id)
        yield _moment(said, **told(said))


def _moment(said: Event, **told: Any) -> Moment:
    given = {"situation_id": None, "why": None, "facts": {}} | told
    return Moment(
        at=said.occurred_at,
        received_at=said.received_at,
        source=said.source,
        status=said.status,
        event_id=said.event_id,
        cause_event_id=said.cause_ids[0] if said.cause_ids else None,
        **given,
    )


def _registration(said: RegistrationFiled) -> dict[str, Any]:
    return {
        "kind": "registration",
        "what": "cancelled" if said.cancelled else "filed",
        "who": "person",
        "facts": {
            "registration_id": said.registration_id,
            "party_id": said.party_id,
            "stays": msgspec.to_builtins(said.stays),
        },
    }


def _check_in(said: CheckedIn) -> dict[str, Any]:
    return {
        "kind": "check_in",
        "what": said.state or "position",
        "who": "person",
        "facts": msgspec.to_builtins(said.position) if said.position else {},
    }


def _contact(said: ContactRecorded) -> dict[str, Any]:
    facts = {"channel": said.channel.value}
    if said.place is not None:
        facts |= {"place": msgspec.to_builtins(said.place)}
    return {"kind": "contact", "what": said.outcome, "who": said.by, "facts": facts}


def _command(said: CommandIssued) -> dict[str, Any]:
    facts = {"role": said.role.value, "confirmed_by": said.confirmed_by, "other_id": said.other_id}
    return {
        "kind": said.verb,
        "what": said.bucket or said.verb,
        "who": said.by,
        "why": said.reason,
        "situation_id": said.situation_id,
        "facts": facts,
    }


def _link(said: LinkChanged) -> dict[str, Any]:
    return {
        "kind": "link",
        "what": "linked" if said.linked else "unlinked",
        "who": said.by,
        "why": said.reason,
        "facts": {"link_id": said.link_id, "person_id": said.person_id, "root_id": said.root_id},
    }


_TELL: dict[Any, Callable[[Any], dict[str, Any]]] = {
    RegistrationFiled: _registration,
    CheckedIn: _check_in,
    ContactRecorded: _contact,
    CommandIssued: _command,
    LinkChanged: _link,
}


def _exposures(connection: Connection, person_id: str) -> Iterator[Moment]:
    c = j.exposure_changes.c
    query = select(j.exposure_changes).where(c.person_id == person_id)
    for row in connection.execute(query).mappings():
        yield Moment(
            at=row["at"],
            received_at=row["received_at"],
            kind="exposure",
            what=row["change"],
            who="engine",
            source=ENGINE,
            why=row["why"],
            status=row["status"],
            situation_id=row["situation_id"],
            event_id=row["event_id"],
            cause_event_id=row["trigger_id"],
            facts={name: row[name] for name in ("cause_id", "tier", "band", "zone_version")},
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
            source=ENGINE,
            why=row["why"],
            status=row["status"],
            situation_id=row["situation_id"],
            event_id=row["event_id"],
            cause_event_id=row["cause_event_id"] or row["trigger_id"],
            facts={name: row[name] for name in ("from_bucket", "to_bucket", "by", "tier", "post")},
        )


def _alerts(connection: Connection, person_id: str) -> Iterator[Moment]:
    taken = t.acknowledgements.c
    query = (
        select(t.alerts, taken.by.label("taken_by"), taken.at.label("taken_at"))
        .join_from(
            t.alerts, t.acknowledgements, t.alerts.c.alert_id == taken.alert_id, isouter=True
        )
        .where(t.alerts.c.person_id == person_id)
    )
    for row in connection.execute(query).mappings():
        yield Moment(
            at=row["raised_at"],
            received_at=None,
            kind="alert",
            what=row["rule"],
            who="engine",
            source=ENGINE,
            why=row["severity"],
            status=row["status"],
            situation_id=row["situation_id"],
            event_id=row["alert_id"],
            cause_event_id=row["cause_id"],
            facts={
                "alert_id": row["alert_id"],
                "acknowledged_by": row["taken_by"],
                "acknowledged_at": row["taken_at"],
                "silence_id": row["silence_id"],
            },
        )
