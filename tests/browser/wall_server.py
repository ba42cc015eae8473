"""A dashboard whose hub reads a story instead of a store: ``wall_server.py CONTROL PORT``.

The control file holds the name of the story to tell, or ``broken`` and why.
With ``stop`` after the name, time stands still for the story.
"""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Engine

from dashboard import guard
from dashboard.__main__ import Server
from dashboard.app import compose
from dashboard.hub import Hub
from dashboard.process import Process, install
from dashboard.store import Store
from dashboard.views import PAGES
from streams.errors import StoreFailedError
from streams.serving.deliveries import DELIVERIES_FILE
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall_answers import WallNow
from tests.browser.wall_stories import STORIES, zones


class Teller:
    """Tells the story that the control file names, as of now or of when it stopped."""

    def __init__(self, control: Path) -> None:
        """Remember where orders come from."""
        self.control = control
        self.stopped_at: datetime | None = None

    def read(self, _: Engine) -> WallNow:
        """Return the story's present moment."""
        name, *more = self.control.read_text(encoding="utf-8").split()
        if name == "broken":
            raise StoreFailedError(" ".join(more), hint="Restart the engine")
        now = datetime.now(UTC).replace(microsecond=0)
        self.stopped_at = (self.stopped_at or now) if more == ["stop"] else None
        return STORIES[name](self.stopped_at or now)


def main(control: Path, port: int) -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    open_store(control.parent / STORE_FILE).dispose()
    teller, store = Teller(control), Store(control.parent)
    hub = Hub(store.engine, teller.read)
    process = Process(control.parent / DELIVERIES_FILE, "http://127.0.0.1:9", store, hub, PAGES)
    install(process)

    def drawn(engine: Engine, situation_id: str) -> dict[str, Any]:
        told = {one.situation_id: one for one in teller.read(engine).situations}
        return zones(told[situation_id])

    app = compose(process, drawn, guard.HOSTS)
    Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"), hub).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
