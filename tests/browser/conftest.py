"""A real browser over a real dashboard; it may talk to the dashboard alone."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from dashboard.assets import assets_present
from tests.support import screens

NO_CHROMIUM = (
    "there is no /usr/bin/chromium; install it (apt-get install chromium) or let ROLLCALL_CHROMIUM "
    "name another"
)
NO_ASSETS = "the map and the fonts are not installed; `make assets` does that"
FLAGS = (
    "--no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader --disable-dev-shm-usage "
    "--disable-background-networking --disable-component-update --disable-sync --no-first-run "
    "--disable-quic"
).split()
PATIENCE_MS = 60_000
"""WebGL in software on a busy machine takes its time; no test waits for it without need."""

PROBES = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit looks for its server under the page's path first; that 404 is how it is meant."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, so that a browser can be required."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return the browser, or skip in words where there is none to test with.

    Of a module and no longer: while it is there, Playwright's event loop runs
    in this thread, and other tests could not run one of their own.
    """
    path = os.environ.get("ROLLCALL_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip(NO_CHROMIUM)
    if not assets_present():
        pytest.skip(NO_ASSETS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with the small crisis; a module may have its own."""
    folder = tmp_path_factory.mktemp("data")
    screens.fill(folder)
    return folder


@pytest.fixture(scope="session")
def app(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[screens.Running]:
    """Return a running dashboard over ``data``."""
    with screens.running(data, tmp_path_factory.mktemp("app")) as one:
        yield one


class Watch:
    """Writes down what a page must not do."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.found: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("request", self.request)
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("websocket", lambda socket: self.address("websocket", socket.url))

    def request(self, request: Request) -> None:
        self.address("request", request.url)

    def address(self, what: str, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self.host:
            self.found.append(f"{what} to {url}")

    def console(self, message: ConsoleMessage) -> None:
        where: Any = message.location
        if message.type == "error" and not where.get("url", "").endswith(PROBES):
            self.found.append(f"console: {message.text} ({where.get('url')})")


@pytest.fixture
def watch(app: screens.Running) -> Watch:
    """Return what is written down of the page; a test may expect an entry and clear it."""
    return Watch(urlsplit(app.url).netloc)


@pytest.fixture
def page(chromium: Browser, app: screens.Running, watch: Watch) -> Iterator[Page]:
    """Return a page at the app's address; whatever it does wrong fails the test.

    Any request to another host, any error in the console, any exception.
    """
    context = chromium.new_context(
        base_url=app.url, viewport={"width": 1920, "height": 1080}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    one = context.new_page()
    watch.follow(one)
    yield one
    context.close()
    assert watch.found == []


@pytest.fixture
def wall(page: Page) -> Page:
    """Return the page with the wall on it, its map drawn."""
    page.goto("/")
    page.wait_for_function("window.__wallReady === true")
    return page
