"""Starts the dashboard: ``python -m dashboard --data DIR``."""

import argparse
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from dashboard import guard
from dashboard.app import compose
from dashboard.hub import Hub
from dashboard.process import Process, install
from dashboard.store import ServerStore, Store
from dashboard.views import PAGES
from streams.serving.deliveries import DELIVERIES_FILE
from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.wall import snapshot
from streams.serving.wall_zones import zones

GRACE_S = 5
LOG = logging.getLogger(__name__)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, help="the data directory")
    where.add_argument(
        "--store", help="the database beside a cluster, as postgresql://user@host/db"
    )
    parser.add_argument("--store-password-file", default="", help="file with its password")
    parser.add_argument("--port", type=int, default=8501, help="0 takes any free one")
    parser.add_argument("--api", default="http://127.0.0.1:8080", help="the engine's API")
    parser.add_argument(
        "--host", default="127.0.0.1", help="another one than loopback is warned of"
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="with another host: a name it is asked by, beside this machine's; repeatable",
    )
    parser.add_argument("--pause-file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


class Server(uvicorn.Server):
    """Uvicorn that says where it listens, and ends the streams when told to stop.

    It waits for open answers, and an event stream would never end by itself.
    """

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        """Keep the hub whose listeners are to be told."""
        super().__init__(config)
        self._hub = hub

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where: with port 0 nobody else knows."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                LOG.info("the dashboard listens on http://%s:%d", host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the streams and stop; told twice, stop at once.

        Uvicorn would raise the signal anew when all is done, and end with it;
        to be told to stop is no failure.
        """
        del sig, frame
        self._hub.close()
        self.force_exit = self.should_exit
        self.should_exit = True


def main(argv: Sequence[str] | None = None) -> int:
    """Run the dashboard until it is told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    wanted = arguments(argv)
    hosts: tuple[str, ...] = guard.HOSTS
    if wanted.host not in guard.LOOPBACK:
        LOG.warning(
            "listening on %s: whoever reaches it acts as an officer, for there is no login yet",
            wanted.host,
        )
        hosts = (*hosts, *wanted.name) if wanted.name else ("*",)
    store: Store | ServerStore
    deliveries: Place
    if wanted.store:
        deliveries = Database(wanted.store, wanted.store_password_file)
        store = ServerStore(deliveries)
    else:
        store, deliveries = Store(wanted.data), wanted.data / DELIVERIES_FILE
    pause: Path | None = wanted.pause_file
    hub = Hub(
        store.engine,
        snapshot,
        paused=lambda: pause is not None and pause.exists(),
        stamp=store.stamp,
    )
    process = Process(deliveries, wanted.api.rstrip("/"), store, hub, PAGES)
    install(process)
    config = uvicorn.Config(
        compose(process, zones, hosts),
        host=wanted.host,
        port=wanted.port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    Server(config, hub).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
