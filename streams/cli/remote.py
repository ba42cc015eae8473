"""Asking a running engine, found by the file it keeps in its data directory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec

from schemas.envelope import Event
from schemas.operations import FeedHealthChanged
from streams.engine import ENGINE_FILE, EngineFile
from streams.errors import BadInputError, EngineAwayError
from streams.ingest.api import MAX_BYTES, Findings, Said
from streams.ingest.intake import Parsed, Rejection, Report, Source

TIMEOUT_S = 30.0

CHUNK_BYTES = MAX_BYTES // 2
"""About how much is sent at once; the largest event fits in what is left."""


class Api:
    """The HTTP API of a running engine; its errors are ours, in words."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """Ask at ``url``."""
        self._client = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)
        self._url = url

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def health(self) -> dict[str, Any]:
        """Return what ``/healthz`` says; ``EngineAwayError`` if nobody does."""
        return self._answered("GET", "/healthz", None)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """Return the answer to a body; refusals of all items are an answer too."""
        return self._answered("POST", path, msgspec.json.encode(body))

    def found(
        self, source: Source, found: Parsed, health: FeedHealthChanged | None = None
    ) -> Report:
        """Give the engine what was read elsewhere, in pieces that it takes."""
        total = Report()
        pieces = list(_pieces(found))
        for number, piece in enumerate(pieces, start=1):
            said = Findings(
                name=source.name,
                kind=source.kind,
                id_is_content=source.id_is_content,
                events=tuple(_said(one) for one in piece if isinstance(one, Event)),
                refused=tuple(tuple(one) for one in piece if not isinstance(one, Event)),
                health=health if number == len(pieces) else None,
            )
            total = _added(total, self.post("/v1/polls", said))
        return total

    def _answered(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            what = f"the engine at {self._url} does not answer: {error}"
            raise EngineAwayError(what, hint="look at `rollcall up`, then try again") from error
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            what = f"the engine at {self._url} cannot do it now: {_reason(answer)}"
            raise EngineAwayError(what, hint="try again in a few seconds")
        said = _json(answer)
        if answer.is_client_error and "rejected" not in said:
            what = f"the engine refuses it: {_reason(answer)}"
            raise BadInputError(what, hint="docs/api/http.md says what it takes")
        return said


def running_engine(data: Path) -> EngineFile | None:
    """Return how the engine of a data directory is reached, None if it says nothing."""
    try:
        return msgspec.json.decode((data / ENGINE_FILE).read_bytes(), type=EngineFile)
    except FileNotFoundError:
        return None


def now_of(health: dict[str, Any]) -> datetime | None:
    """Return the log's time as ``/healthz`` gave it, None before the first tick."""
    as_of = health.get("as_of")
    return None if as_of is None else datetime.fromisoformat(as_of)


def _said(event: Event) -> Said:
    return Said(type(event).__name__, msgspec.Raw(msgspec.json.encode(event)))


def _pieces(found: Parsed) -> Iterator[Sequence[Any]]:
    """Yield what was found in pieces of about ``CHUNK_BYTES``; at least one."""
    piece: list[Any] = []
    size = 0
    for one in found:
        length = len(msgspec.json.encode(one))
        if piece and size + length > CHUNK_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += length
    yield piece


def _added(total: Report, answer: dict[str, Any]) -> Report:
    rejected = tuple(Rejection(one["item"], one["reason"]) for one in answer["rejected"])
    return Report(
        accepted=total.accepted + answer["accepted"],
        duplicate=total.duplicate + answer["duplicate"],
        conflict=total.conflict + answer["conflict"],
        rejections=total.rejections + rejected,
    )


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        what = f"the engine's answer is no JSON object: {error}"
        raise EngineAwayError(what, hint="is it Rollcall that listens there?") from error


def _reason(answer: httpx.Response) -> str:
    said = _json(answer)
    return str(said.get("reason", f"HTTP {answer.status_code}"))
