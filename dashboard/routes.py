"""What the dashboard serves beside Streamlit: the live wall and the assets.

These routes are behind no login; they hold aggregates only (design 8).
"""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Callable, Sequence
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dashboard.hub import Frame, Hub
from streams.errors import NotFoundError, StoreFailedError

STATIC = Path(__file__).with_name("static")
HEARTBEAT_S = 15.0
RETRY_MS = 1000
NO_STORE = {"Cache-Control": "no-store"}
STREAM_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}

TYPES = {
    ".geojson": "application/geo+json",
    ".mjs": "text/javascript",
    ".pmtiles": "application/vnd.pmtiles",
    ".woff2": "font/woff2",
}
"""What Python's own table may lack; a browser refuses a module without a type."""

Zones = Callable[[Engine, str], bytes]
"""Returns the zones in force of a situation as GeoJSON."""


def routes(hub: Hub, store: Callable[[], Engine], zones: Zones) -> list[BaseRoute]:
    """Return the routes of one process."""
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind, suffix)

    async def live(_: Request) -> Response:
        return StreamingResponse(
            events(hub), media_type="text/event-stream", headers=STREAM_HEADERS
        )

    async def snapshot(_: Request) -> Response:
        latest = hub.latest
        if latest is None:
            return words_503("the dashboard has only just started; ask again in a second")
        return Response(
            latest.body,
            status_code=200 if latest.ready else 503,
            media_type="application/json",
            headers=NO_STORE,
        )

    async def health(_: Request) -> Response:
        latest = hub.latest
        ready = latest is not None and latest.ready
        seq = 0 if latest is None else latest.seq
        found = {"ok": ready, "seq": seq, "subscribers": hub.listeners}
        return JSONResponse(found, status_code=200 if ready else 503, headers=NO_STORE)

    @lru_cache(maxsize=64)
    def by_key(situation_id: str, _key: str) -> bytes:
        return zones(store(), situation_id)

    async def area(request: Request) -> Response:
        situation_id, key = request.path_params["situation_id"], request.query_params.get("v")
        try:
            if key is None:
                body = await asyncio.to_thread(lambda: zones(store(), situation_id))
            else:
                body = await asyncio.to_thread(by_key, situation_id, key)
        except NotFoundError as error:
            return JSONResponse({"error": str(error)}, status_code=404, headers=NO_STORE)
        except StoreFailedError as error:
            return words_503(f"{error}. {error.hint}")
        except SQLAlchemyError as error:
            return words_503(f"the serving store could not be read: {error}")
        lasting = {"Cache-Control": "private, max-age=3600"}
        return Response(
            body,
            media_type="application/geo+json",
            headers=NO_STORE if key is None else lasting,
        )

    return [
        Route("/api/live/wall", live),
        Route("/api/live/wall/snapshot", snapshot),
        Route("/api/live/wall/zones/{situation_id}", area),
        Route("/api/live/health", health),
        Mount("/assets", Assets(STATIC, STATIC / "vendor")),
    ]


def words_503(why: str) -> Response:
    """Return an outage as a state, with the sentence where the wall looks for it."""
    return JSONResponse({"store": why}, status_code=503, headers=NO_STORE)


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


class Assets(StaticFiles):
    """Our own modules and what `make assets` installed, looked up in that order.

    With ``?v=`` a file may be kept for ever, without it it is asked for anew
    each time, which costs a 304. Parts of a file (HTTP Range) are answered.
    """

    def __init__(self, *folders: Path) -> None:
        """Serve these folders; one that is not there yet holds nothing."""
        super().__init__(directory=folders[0], check_dir=False)
        self.all_directories = list(folders)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with how long it may be kept."""
        response = await super().get_response(path, scope)
        versioned = any(part.startswith(b"v=") for part in scope["query_string"].split(b"&"))
        kept = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def assets_present(static: Path = STATIC) -> bool:
    """Return whether `make assets` has been here."""
    needed: Sequence[str] = ("maplibre-gl.mjs", "pmtiles.mjs", "world.pmtiles")
    return all((static / "vendor" / name).is_file() for name in needed)
