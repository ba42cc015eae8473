"""Officers' orders: made into commands here, and sent to the engine.

The command line and the dashboard call the same functions, so that both
refuse the same things in the same sentences. An order carries no times: who
takes it in fills them from the log's clock.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import msgspec
from sqlalchemy import Engine

from geo.areas import AreaError, polygons_from_geojson
from geo.places import alpha2
from schemas.codelists import Bucket, Hazard
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.place import Area, Countries
from streams.core.stage import derive_id
from streams.errors import BadInputError
from streams.serving.answers import Answer
from streams.serving.queries import nearest_id

ENVELOPE = frozenset(Event.__struct_fields__) | {"verb", "by", "role", "reason", "areas"}
KEYS = tuple(name for name in CommandIssued.__struct_fields__ if name not in ENVELOPE)
"""What an order may say about its object, beside its areas."""

NAMED = ("situation_id", "incident_id", "alert_id")
"""Ids that must exist for an order to do anything."""

DERIVED = (Bucket.NO_LONGER_AFFECTED, Bucket.DUPLICATE)
"""Buckets that nobody sets by hand."""

SETTABLE = tuple(bucket for bucket in Bucket if bucket not in DERIVED)

TIMES = ("occurred_at", "received_at")
"""What whoever takes the order in fills, from the log's clock."""

TIMEOUT_S = 5.0
"""How long the engine may take to answer."""

_NOT_YET = datetime(2000, 1, 1, tzinfo=UTC)


class Sent(Answer, frozen=True, kw_only=True):
    """What became of an order that was sent; ``reason`` in words, if it failed.

    ``unreachable``: it is not known whether the engine has it; sent again, the
    same order is found to be a duplicate, and is not carried out twice.
    """

    outcome: Literal["accepted", "duplicate", "refused", "unreachable"]
    event_id: str
    reason: str = ""

    @property
    def taken(self) -> bool:
        """Whether the log has the order."""
        return self.outcome in {"accepted", "duplicate"}


def order(
    said: Mapping[str, Any],
    *,
    verb: str,
    by: str,
    role: str,
    reason: str,
    status: str,
    nonce: str,
    source: str = "dashboard",
) -> dict[str, Any]:
    """Return a command, valid and ready for JSON, without its times.

    ``said`` are the keys of the command (``KEYS``) and, for an area, any of
    ``areas`` (as messages have them), ``geojson`` (an object) and
    ``countries`` (codes). ``nonce`` makes it one act: the same order with the
    same nonce is the same command. ``BadInputError`` says what is not valid.
    """
    given = {key: value for key, value in said.items() if key not in {"geojson", "countries"}}
    unknown = sorted(given.keys() - {*KEYS, "areas"})
    if unknown:
        what = f"{unknown[0]!r} is no key of a command"
        raise BadInputError(what, hint=f"keys are {', '.join((*KEYS, 'geojson', 'countries'))}")
    areas = areas_of(said.get("geojson"), said.get("countries"), called="the area")
    if areas:
        given["areas"] = [*given.get("areas", ()), *msgspec.to_builtins(areas)]
    given |= {"verb": verb, "by": by, "reason": reason, "role": role, "status": status}
    parts = [f"{key}={value}" for key, value in sorted(given.items())]
    envelope = {
        "event_id": derive_id("command", nonce, *parts),
        "source": source,
        **dict.fromkeys(TIMES, _NOT_YET),
    }
    try:
        command = msgspec.convert(envelope | given, CommandIssued)
    except ValueError as error:
        what = f"the command is not valid: {error}"
        hint = _choices(given) or "`rollcall do --help` says what each verb needs"
        raise BadInputError(what, hint=hint) from error
    ready: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(command))
    return {key: value for key, value in ready.items() if key not in TIMES}


def areas_of(drawn: Any, countries: str | Sequence[str] | None, *, called: str) -> tuple[Area, ...]:
    """Return the areas of a GeoJSON object and of a list of country codes.

    ``called`` is what the sentence of a ``BadInputError`` calls them.
    """
    areas: list[Area] = []
    try:
        if drawn is not None:
            areas += _drawn(drawn)
        if countries:
            codes = countries.split(",") if isinstance(countries, str) else countries
            areas.append(Countries(codes=_codes(codes)))
    except ValueError as error:
        what = f"{called} is not an area: {error}"
        hint = "give a GeoJSON Polygon or MultiPolygon, or countries=TR,SY"
        raise BadInputError(what, hint=hint) from error
    return tuple(areas)


def refuse_unknown(engine: Engine, command: Mapping[str, Any]) -> None:
    """Refuse an order about something that is not there, most often mistyped."""
    for key in NAMED:
        wanted = command.get(key)
        if wanted is None:
            continue
        there, near = nearest_id(engine, key, wanted)
        if not there:
            what = f"there is no {key} {wanted}"
            hint = f"did you mean {near}?" if near else "`rollcall status --json` lists them"
            raise BadInputError(what, hint=hint)


def send(api: str, command: Mapping[str, Any]) -> Sent:
    """Send an order to the engine's API, and return what became of it."""
    event_id = str(command["event_id"])
    try:
        # The engine is on this machine: a proxy of the environment is not for it.
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            answer = client.post(f"{api.rstrip('/')}/v1/commands", json=dict(command))
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        return Sent(
            outcome="unreachable",
            event_id=event_id,
            reason=f"the engine does not answer at {api} ({why}); send it again",
        )
    return outcome_of(event_id, answer.status_code, answer.content)


def outcome_of(event_id: str, code: int, body: bytes) -> Sent:
    """Return what an answer of the API says of an order; pure."""
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        said = {}
    if code == 503:
        reason = said.get("reason") or "the engine takes nothing at the moment; send it again"
        return Sent(outcome="unreachable", event_id=event_id, reason=str(reason))
    if code == 202 and said.get("accepted"):
        return Sent(outcome="accepted", event_id=event_id)
    if code == 202 and said.get("duplicate"):
        return Sent(outcome="duplicate", event_id=event_id)
    if code == 202 and said.get("conflict"):
        reason = "the log holds this command with another content already"
        return Sent(outcome="refused", event_id=event_id, reason=reason)
    rejected = said.get("rejected") or [said]
    reason = rejected[0].get("reason") or f"the engine answered {code}"
    return Sent(outcome="refused", event_id=event_id, reason=str(reason))


def _codes(countries: Sequence[str]) -> tuple[str, ...]:
    """Return alpha-2 codes of a list of alpha-2 or alpha-3 ones."""
    found = {code: alpha2(code) for code in countries}
    unknown = [code for code, known in found.items() if known is None]
    if unknown:
        msg = f"{', '.join(unknown)} is no ISO 3166-1 code"
        raise AreaError(msg)
    return tuple(known for known in found.values() if known is not None)


def _drawn(said: Any) -> list[Area]:
    """Return the areas of a GeoJSON object, of a collection each feature's."""
    if isinstance(said, dict) and said.get("type") == "FeatureCollection":
        features = said.get("features")
        if not isinstance(features, list) or not features:
            msg = "the collection has no features"
            raise AreaError(msg)
        return [polygons_from_geojson(feature).area for feature in features]
    return [polygons_from_geojson(said).area]


def _choices(said: Mapping[str, Any]) -> str | None:
    """Return what the first key with an unknown name could be; None if there is none."""
    for key, names in (("hazard", tuple(Hazard)), ("bucket", SETTABLE)):
        if key in said and said[key] not in names:
            return f"{key} is one of {', '.join(names)}"
    return None
