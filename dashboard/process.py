"""What one dashboard process is made of; its routes and its pages share it."""

from typing import NamedTuple

from dashboard.hub import Hub
from dashboard.pages import PageModule
from dashboard.store import ServerStore, Store
from streams.serving.place import Place


class Process(NamedTuple):
    """Where deliveries are, the engine's API, the store and the hub, the pages."""

    deliveries: Place
    api: str
    store: Store | ServerStore
    hub: Hub
    pages: tuple[PageModule, ...]


class _Installed:
    """Holds the one process: Streamlit runs pages without giving them anything."""

    process: Process | None = None


def install(process: Process) -> None:
    """Make this the process that pages see."""
    _Installed.process = process


def current() -> Process:
    """Return the process that was installed."""
    if _Installed.process is None:
        msg = "the dashboard is started with `python -m dashboard`, not with `streamlit run`"
        raise RuntimeError(msg)
    return _Installed.process
