"""What a process answers on its metrics port: ``/metrics``, and ``/healthz`` of a role.

There is nothing on it about a person. On this machine alone it is guarded as
every port is; who listens for others is asked by whatever name they know.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from socket import socket
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.loopback import Served, bound, url_of, warning
from streams.metrics import WELL, Measure, Reading, RoleMetrics
from streams.sections import PortsSettings

STALE_S = 15.0
"""Who has not got on for so long is not well."""

WhyNot = Callable[[], str | None]
"""Says in words why a process does not do its work; None while it does."""


class Page(NamedTuple):
    """A bound socket for the metrics, and who may ask there."""

    listener: socket
    names: Collection[str]
    guarded: bool


def page_of(ports: PortsSettings, port: int | None) -> Page:
    """Return where the settings have the metrics; ``PortInUseError`` where that is taken."""
    wanted = ports.metrics if port is None else port
    listener = bound(wanted, "the metrics", ports.host)
    return Page(listener, ports.names, warning(ports.host) is None)


class Pulse:
    """Whether a process gets on, as it says itself; safe from any thread."""

    def __init__(self, begins: str, longest_s: float = STALE_S) -> None:
        """Be not well yet, as ``begins`` says; later, if silent for ``longest_s``."""
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._why: str | None = begins
        self._at_s = 0.0

    def beat(self) -> None:
        """Note that it has got on just now."""
        with self._lock:
            self._why, self._at_s = None, time.monotonic()

    def hindered(self, why: str) -> None:
        """Note what keeps it from getting on."""
        with self._lock:
            self._why = why

    def why_not(self) -> str | None:
        """Return why it is not well; None if it is."""
        with self._lock:
            silent_s = time.monotonic() - self._at_s
            if self._why is None and silent_s > self._longest_s:
                return f"has not got on for {silent_s:.0f} s"
            return self._why


def pages(registry: CollectorRegistry, role: str = "", why_not: WhyNot | None = None) -> Starlette:
    """Return what is answered: the metrics, and where asked for the health."""

    def scrape(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def healthz(_: Request) -> Response:
        why = None if why_not is None else why_not()
        said = {"role": role, "well": why is None, "reason": why}
        return JSONResponse(said, 200 if why is None else 503)

    routes = [Route("/metrics", scrape, methods=["GET"])]
    if why_not is not None:
        routes.append(Route("/healthz", healthz, methods=["GET"]))
    return Starlette(routes=routes)


@contextmanager
def answering(
    page: Page | None,
    role: str,
    metrics: RoleMetrics,
    why_not: WhyNot,
    measure: Measure = tuple,
    *,
    say: Callable[[str], object],
) -> Iterator[None]:
    """Answer for a role for as long as this lasts; without a page for nobody."""
    if page is None:
        yield
        return

    def readings() -> Iterator[Reading]:
        yield Reading(WELL, why_not() is None, (role,))
        yield from measure()

    metrics.read_gauges_from(readings)
    app = pages(metrics.registry, role, why_not)
    served = Served(app, page.listener, "metrics", page.names, guarded=page.guarded)
    say(f"metrics and health: {url_of(page.listener)}/metrics")
    try:
        yield
    finally:
        served.stop()
