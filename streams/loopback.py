"""HTTP, on this machine alone if not told otherwise: a port, a guard, a server in a thread.

Whoever is on the machine may ask; a page in somebody's browser may not. Such a
page cannot send ``application/json`` to a stranger without being allowed to,
which nobody here allows, and a name that was re-bound to 127.0.0.1 shows in
the ``Host`` header. Who listens further says by which names it is asked, and warns.
"""

import socket
import threading
from collections.abc import Collection
from typing import Final

import uvicorn
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.errors import PortInUseError

HOST: Final = "127.0.0.1"

NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names of this machine in a ``Host`` header, without the port."""

GRACE_S = 2
"""How long answers under way are waited for at a stop."""


class LoopbackOnly:
    """Refuses what a stranger's web page could send; see the module."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        """Stand before ``app``; ``names`` may stand in ``Host`` beside this machine's."""
        self._app = app
        self._names = NAMES | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = refusal(
            scope["method"], headers.get("host"), headers.get("content-type"), self._names
        )
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, code, reason = refused
        answer = JSONResponse({"code": code, "reason": reason}, status)
        await answer(scope, receive, send)


def refusal(
    method: str, host: str | None, content_type: str | None, names: Collection[str] = NAMES
) -> tuple[int, str, str] | None:
    """Return status, code and reason of a refusal; None for what may pass."""
    name = (host or "").lower()
    if not name.endswith("]"):
        name = name.rpartition(":")[0] or name
    if name not in names:
        return 403, "host_not_loopback", "the Host header does not name this machine"
    kind = (content_type or "").partition(";")[0].strip().lower()
    if method == "POST" and kind != "application/json":
        return 415, "not_json", "the Content-Type must be application/json"
    return None


def warning(host: str) -> str | None:
    """Return in words what it means to listen on ``host``; None on loopback."""
    if host.startswith("127."):
        return None
    return f"listening on {host}: whoever reaches it is let in, for there is no login yet"


def bound(port: int, what: str, host: str = HOST) -> socket.socket:
    """Return a socket on ``port`` of this machine; 0 takes any free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        sentence = f"{what} cannot listen on {host}:{port}: {error.strerror}"
        raise PortInUseError(sentence, hint="stop whoever does, or name another port") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address that a bound socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


class Served:
    """An application that is answered for by a thread, until ``stop``."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        name: str,
        names: Collection[str] = (),
        *,
        guarded: bool = True,
    ) -> None:
        """Begin to serve at once; ``names`` are other ones it is asked by, if it is guarded."""
        config = uvicorn.Config(
            LoopbackOnly(app, names) if guarded else app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=name, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then let go of the port."""
        self._server.should_exit = True
        self._thread.join(GRACE_S + 1)
        self._listener.close()
