"""Puts one dashboard together: store, hub, routes, guard, and Streamlit's app."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.starlette import App

from dashboard import guard
from dashboard.pages import pages_for
from dashboard.process import Process
from dashboard.routes import Live, Zones
from dashboard.shell import ROLE, fail

SCRIPT = Path(__file__).with_name("main.py")
"""Streamlit also finds its settings by it: ``.streamlit/config.toml`` beside it."""

LOG = logging.getLogger(__name__)


def compose(process: Process, zones: Zones, hosts: Sequence[str]) -> App:
    """Return the application of a process; ``hosts`` may stand in Host headers.

    It is Streamlit's own, with our routes before and our guard around it.
    """

    @asynccontextmanager
    async def living(_: App) -> AsyncIterator[None]:
        ticker = asyncio.create_task(process.hub.run())
        ticker.add_done_callback(_say_why)
        try:
            yield
        finally:
            process.hub.close()
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker
            process.store.close()

    return App(
        SCRIPT,
        lifespan=living,
        on_script_error=fail,
        routes=[
            *Live(process.hub, process.store.engine, zones).routes(),
            *(Route(f"/{name}", _to_root) for name in _first(process)),
        ],
        middleware=[
            Middleware(guard.SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )


def _first(process: Process) -> list[str]:
    """Return the name of the page that opens first, if there is any."""
    return [module.PAGE.name for module in pages_for(ROLE, process.pages)][:1]


def _to_root(request: Request) -> Response:
    """Lead to the first page, which Streamlit knows under the root only."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


def _say_why(ticker: "asyncio.Task[None]") -> None:
    """Log what ended the ticker: without it the wall goes stale and says so."""
    if not ticker.cancelled() and (error := ticker.exception()) is not None:
        LOG.critical("the ticker has died", exc_info=error)
