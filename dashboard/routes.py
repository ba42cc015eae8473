"""The live wall over HTTP: its stream, its snapshot, its zones, its health.

These routes are behind no login; they hold aggregates only (design 8).
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from dashboard.assets import assets
from dashboard.hub import Frame, Hub
from dashboard.store import unread
from streams.errors import StoreFailedError

HEARTBEAT_S = 15.0
RETRY_MS = 1000
ZONES_KEPT = 64
NO_STORE = {"Cache-Control": "no-store"}
STREAM_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}
LASTING = {"Cache-Control": "private, max-age=86400, immutable"}

Zones = Callable[[Engine, str], dict[str, Any]]
"""Returns the zones in force of a situation as GeoJSON, with their ``zones_key``."""


class Live:
    """What the routes share: the hub, the store, zones that were asked for."""

    def __init__(self, hub: Hub, store: Callable[[], Engine], zones: Zones) -> None:
        """Keep what is asked."""
        self._hub = hub
        self._store = store
        self._zones = zones
        self._drawn: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """Return the routes, the assets among them."""
        return [
            Route("/api/live/wall", self.wall),
            Route("/api/live/wall/snapshot", self.snapshot),
            Route("/api/live/wall/zones/{situation_id}", self.zones),
            Route("/api/live/health", self.health),
            Mount("/assets", assets()),
        ]

    async def wall(self, _: Request) -> Response:
        """Answer with the stream of frames."""
        return StreamingResponse(
            events(self._hub), media_type="text/event-stream", headers=STREAM_HEADERS
        )

    async def snapshot(self, _: Request) -> Response:
        """Answer with the latest frame; 503 and its ``store`` until there is a picture."""
        latest = self._hub.latest
        if latest is None:
            return outage("the dashboard has only just started; ask again in a second")
        status = 200 if latest.ready else 503
        return Response(latest.body, status, NO_STORE, "application/json")

    async def health(self, _: Request) -> Response:
        """Answer whether there is a picture, and how many listen."""
        latest = self._hub.latest
        ready = latest is not None and latest.ready
        found = {
            "ok": ready,
            "seq": 0 if latest is None else latest.seq,
            "subscribers": self._hub.listeners,
        }
        return JSONResponse(found, 200 if ready else 503, NO_STORE)

    async def zones(self, request: Request) -> Response:
        """Answer with a situation's zones; with ``?v=<zones_key>`` they may be kept."""
        situation_id, key = request.path_params["situation_id"], request.query_params.get("v", "")
        kept = self._drawn.get((situation_id, key))
        if kept is not None:
            return Response(kept, headers=LASTING, media_type="application/geo+json")
        try:
            found, body = await asyncio.to_thread(self._draw, situation_id)
        except StoreFailedError as error:
            return outage(f"{error}. {error.hint}")
        except SQLAlchemyError as error:
            return outage(unread(error))
        if found == key:
            self._drawn[situation_id, key] = body
            while len(self._drawn) > ZONES_KEPT:
                self._drawn.popitem(last=False)
        headers = LASTING if found == key else NO_STORE
        return Response(body, headers=headers, media_type="application/geo+json")

    def _draw(self, situation_id: str) -> tuple[str, bytes]:
        """Return a situation's zones and their key."""
        found = self._zones(self._store(), situation_id)
        return found["zones_key"], msgspec.json.encode(found)


def outage(why: str) -> Response:
    """Return an outage as a state, with the sentence where the wall looks for it."""
    return JSONResponse({"store": why}, 503, NO_STORE)


async def events(hub: Hub, heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
    """Yield the event stream of one listener until the hub is closed."""
    yield b"retry: %d\n\n" % RETRY_MS
    with hub.listen() as queue:
        while True:
            try:
                latest = await asyncio.wait_for(queue.get(), heartbeat_s)
            except TimeoutError:
                yield b": ping\n\n"
                continue
            if latest is None:
                return
            yield event(latest)


def event(latest: Frame) -> bytes:
    """Return a frame as a server-sent event; ``waiting`` until there is a picture."""
    kind = b"" if latest.ready else b"event: waiting\n"
    return b"%sid: %d\ndata: %s\n\n" % (kind, latest.seq, latest.body)
