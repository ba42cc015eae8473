"""Puts one dashboard together: store, hub, routes, guard, and Streamlit's app."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from streamlit.starlette import App

from dashboard import guard
from dashboard.process import Process
from dashboard.routes import Live, Zones
from dashboard.shell import fail

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
        routes=Live(process.hub, process.store.engine, zones).routes(),
        middleware=[
            Middleware(guard.SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )


def _say_why(ticker: "asyncio.Task[None]") -> None:
    """Log what ended the ticker: without it the wall goes stale and says so."""
    if not ticker.cancelled() and (error := ticker.exception()) is not None:
        LOG.critical("the ticker has died", exc_info=error)
