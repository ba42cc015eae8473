"""The HTTP API: JSON in, and an answer once the log has it.

One object or an array to the address of its kind. ``received_at`` is always
the log's clock; ``occurred_at`` and ``source`` are filled where they are left
out. docs/api/http.md is for those who call it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.codec import BY_NAME, UndecodableError, decode
from schemas.envelope import Event
from schemas.operations import FaultRaised, FeedHealthChanged
from streams.core.stage import derive_id
from streams.errors import RollcallError
from streams.ingest.inlet import Inlet
from streams.ingest.intake import Parse, Parsed, Refusal, Report, Source

KINDS: dict[str, str] = {
    "registrations": "RegistrationFiled",
    "check-ins": "CheckedIn",
    "contacts": "ContactRecorded",
    "reports": "IncidentReported",
    "advisories": "AdvisoryIssued",
    "commands": "CommandIssued",
}
"""The last word of an address, and the message that is taken there."""

MAX_BYTES = 8 * 1024 * 1024
"""Largest body of a request."""

NAME = "api"
"""``source`` of what does not say where it comes from."""

UNREADABLE = (ValueError, RecursionError, msgspec.MsgspecError)


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event with the name of its message."""

    type: str
    event: msgspec.Raw


class Findings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody has read elsewhere: a poll of a feed, or a file.

    ``kind`` is the feed's name; ``refused`` are (item, reason, body).
    ``health`` is what the poll means for the feed; only a live log takes it.
    """

    name: str
    kind: str
    id_is_content: bool = False
    events: tuple[Said, ...] = ()
    refused: tuple[Refusal, ...] = ()
    health: FeedHealthChanged | None = None


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault of one of the processes, or the word that it is over."""

    fault: str
    stage: str
    detail: str
    cleared: bool = False


class Refused(NamedTuple):
    """An item that was not accepted: machines read ``code``, people ``reason``."""

    item: str
    code: str
    reason: str


class Problem(Exception):  # noqa: N818 - an answer, not an error of ours
    """Why a request as a whole is refused."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        """Keep what is answered."""
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


def application(inlet: Inlet, parse: Parse, health: Callable[[], Mapping[str, Any]]) -> Starlette:
    """Return the API; ``parse`` reads NDJSON, ``health`` says how the engine is."""

    async def receive(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in KINDS:
            raise Problem(404, "not_found", f"there is no /v1/{kind}")
        body = await _body(request, inlet)
        return await run_in_threadpool(_receive, inlet, parse, kind, body)

    async def polls(request: Request) -> Response:
        body = await _body(request, inlet)
        return await run_in_threadpool(_findings, inlet, body)

    async def faults(request: Request) -> Response:
        body = await _body(request, inlet)
        return await run_in_threadpool(_fault, inlet, body)

    def healthz(_: Request) -> Response:
        return JSONResponse(dict(health()), 503 if inlet.closed else 200)

    return Starlette(
        routes=[
            Route("/v1/polls", polls, methods=["POST"]),
            Route("/v1/faults", faults, methods=["POST"]),
            Route("/v1/{kind}", receive, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys((Problem, HTTPException, RollcallError), _problem),
    )


def _problem(_: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        status, code, reason = error.status, error.code, error.reason
    elif isinstance(error, HTTPException):
        status, code, reason = error.status_code, "no_such_address", error.detail
    elif isinstance(error, RollcallError):
        status, code, reason = 503, error.code, str(error)
    else:
        raise error
    headers = {"Retry-After": "2"} if status == 503 else None
    return _answer(status, {"code": code, "reason": reason}, headers)


def _answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")


async def _body(request: Request, inlet: Inlet) -> bytes:
    """Return the body of a request, read no further than it may be long."""
    if inlet.closed:
        raise Problem(503, "stopping", "the engine is stopping; send it again")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Problem(413, "too_large", f"the body is over {MAX_BYTES // 2**20} MB")
    return bytes(body)


def _receive(inlet: Inlet, parse: Parse, kind: str, body: bytes) -> Response:
    try:
        said = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise Problem(400, "not_json", f"the body is not JSON: {error}") from error
    items = said if isinstance(said, list) else [said]
    now = inlet.log.clock.now()
    fresh, repeated = _without_untimed_repeats(inlet, items)
    found: list[Event | Refusal] = []
    for number, item in fresh:
        found.extend(_item(parse, KINDS[kind], f"item {number}", item, now))
    report = inlet.take(Source(NAME, kind, lambda *_: ()), found, repeated=repeated)
    return _reported(report, found)


def _without_untimed_repeats(inlet: Inlet, items: list[Any]) -> tuple[list[tuple[int, Any]], int]:
    """Return the items with their places, and how many known ones were left out.

    Without ``occurred_at`` an event sent again would get another time, and be
    another event of the same id. So there the id alone decides.
    """
    untimed = {
        number: item["event_id"]
        for number, item in enumerate(items, start=1)
        if isinstance(item, dict)
        and isinstance(item.get("event_id"), str)
        and "occurred_at" not in item
    }
    known = inlet.log.known(set(untimed.values()))
    repeats = {number for number, event_id in untimed.items() if event_id in known}
    fresh = [(n, item) for n, item in enumerate(items, start=1) if n not in repeats]
    return fresh, len(repeats)


def _item(parse: Parse, name: str, place: str, item: Any, now: datetime) -> Parsed:
    """Return the event in one item, or its refusal."""
    if not isinstance(item, dict):
        return [(place, "not a JSON object", "")]
    if item.get("type", name) != name:
        return [(place, f"type is not {name}, which is what this address takes", "")]
    filled = {"occurred_at": now, "source": NAME, **item, "type": name}
    filled.pop("received_at", None)  # it is ``now``, which the parser fills in
    return [
        one if isinstance(one, Event) else (place, *one[1:])
        for one in parse(msgspec.json.encode(filled), now)
    ]


def _reported(report: Report, found: Parsed) -> Response:
    """Return the answer to a report; what could not be read is told from what may not enter."""
    unreadable = {one[:2] for one in found if not isinstance(one, Event)}
    rejected = [
        Refused(item, "invalid_item" if (item, reason) in unreadable else "not_admitted", reason)
        for item, reason in report.rejections
    ]
    body = {
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "conflict": report.conflict,
        "rejected": [one._asdict() for one in rejected],
    }
    taken = report.accepted + report.duplicate + report.conflict
    return _answer(422 if rejected and not taken else 202, body)


def _findings(inlet: Inlet, body: bytes) -> Response:
    try:
        found = msgspec.json.decode(body, type=Findings)
        events = [_event(one) for one in found.events]
    except UNREADABLE as error:
        raise Problem(400, "not_findings", f"not what a poll has found: {error}") from error
    if found.health is not None:
        if inlet.log.clock_spec.kind != "wall":
            raise Problem(409, "replay", "this is a replay: its scenario says how feeds are")
        events.append(found.health)
    source = Source(found.name, found.kind, lambda *_: (), found.id_is_content)
    everything: Parsed = [*events, *found.refused]
    return _reported(inlet.take(source, everything), everything)


def _event(said: Said) -> Event:
    if said.type not in KINDS.values() or said.type not in BY_NAME:
        msg = f"{said.type} does not come from outside"
        raise UndecodableError(msg)
    return decode(said.type, bytes(said.event))


def _fault(inlet: Inlet, body: bytes) -> Response:
    try:
        said = msgspec.json.decode(body, type=Fault)
    except UNREADABLE as error:
        raise Problem(400, "not_a_fault", f"not a fault: {error}") from error
    now = inlet.log.clock.now()
    inlet.note_fault(
        FaultRaised(
            event_id=derive_id("fault", *msgspec.structs.astuple(said), now.isoformat()),
            source=NAME,
            occurred_at=now,
            received_at=now,
            fault=said.fault,
            stage=said.stage,
            partition=0,
            detail=said.detail,
            cleared=said.cleared,
        )
    )
    return _answer(202, {"accepted": 1})
