"""Takes the pictures of the README from a running dashboard.

    make demo                              # in another terminal
    python infra/screenshots.py http://127.0.0.1:8501 docs/img

Needs Chromium: /usr/bin/chromium, or what ROLLCALL_CHROMIUM names.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader --disable-dev-shm-usage "
    "--disable-background-networking --disable-component-update --disable-sync --no-first-run "
    "--disable-quic"
).split()
PATIENCE_MS = 90_000
QUIET_MS = 1_500
"""How long a page must not have changed before it is taken."""

SETTLED = """(quiet) => new Promise((done) => {
  let timer;
  const end = () => { watch.disconnect(); done(); };
  const again = () => { clearTimeout(timer); timer = setTimeout(end, quiet); };
  const watch = new MutationObserver(again);
  again();
  watch.observe(document.body, { subtree: true, childList: true, characterData: true });
})"""


MAPS_DRAWN = """() => {
  const maps = [...document.querySelectorAll('*')]
    .map((one) => one.shadowRoot?.querySelector('.people-map')).filter(Boolean);
  return maps.every((map) => Number(map.dataset.ready) > 0);
}"""


class Shot(NamedTuple):
    """One picture: its file, its page, its screen."""

    name: str
    path: str
    width: int
    height: int
    live: bool = False


SHOTS = (
    Shot("wall", "/", 1920, 1080, live=True),
    Shot("officer", "/officer", 1366, 768),
    Shot("officer-phone", "/officer", 390, 844),
    Shot("alerts", "/alerts", 1366, 768),
    Shot("health", "/health", 1366, 768),
    Shot("explore", "/explore", 1366, 768),
)


def main() -> None:
    """Take the pictures that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the dashboard listens")
    parser.add_argument("out", type=Path, help="the folder of the pictures")
    parser.add_argument("--only", nargs="*", help="names of pictures", metavar="NAME")
    parser.add_argument("--lang", default="en", help="the language of the screens")
    wanted = parser.parse_args()
    path = os.environ.get("ROLLCALL_CHROMIUM") or shutil.which("chromium")
    if path is None:
        sys.exit("there is no Chromium here: apt-get install chromium")
    url = wanted.url.rstrip("/")
    try:
        urlopen(f"{url}/api/live/health", timeout=10).close()  # noqa: S310 - the user's own address
    except URLError as error:
        sys.exit(f"no dashboard with a picture answers at {url}: {error}")
    wanted.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for shot in SHOTS:
            if not wanted.only or shot.name in wanted.only:
                take(browser, f"{url}{shot.path}?lang={wanted.lang}", shot, wanted.out)
        browser.close()


def take(browser: Browser, url: str, shot: Shot, out: Path) -> None:
    """Open a page, wait until it is drawn, write its picture."""
    size = {"width": shot.width, "height": shot.height}
    context = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    wait(page, live=shot.live)
    file = out / f"{shot.name}.png"
    page.screenshot(path=file)
    context.close()
    print(f"{file}  {shot.width} x {shot.height}  {file.stat().st_size // 1024} kB", flush=True)


def wait(page: Page, *, live: bool) -> None:
    """Return when the wall says it is ready, or a page has stopped changing."""
    if live:
        page.wait_for_function("window.__wallReady === true")
        return
    page.get_by_test_id("stMain").wait_for()
    # Until the page has settled once there may be no map yet to wait for.
    page.evaluate(SETTLED, QUIET_MS)
    page.wait_for_function(MAPS_DRAWN)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.evaluate(SETTLED, QUIET_MS)


if __name__ == "__main__":
    main()
