"""Is a wall left alone still flat after a while? Run by hand over a running wall.

    python -m tests.soak.browser --url http://127.0.0.1:8501 --minutes 30

Prints heap and DOM nodes after a forced garbage collection every minute, and
their slope from the fifth minute on; fails if the page was loaded anew, if a
request left the host, if the map was blank at one of its looks (every ten
seconds, by its pixels), or if something grows.
"""

import argparse
import os
import sys
import time
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.support.pixels import drawn_share

FLAGS = (
    "--no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader --disable-dev-shm-usage"
    " --disable-background-networking --disable-component-update --disable-sync --no-first-run"
    " --disable-quic"
).split()
SETTLED_MIN = 5
"""Minutes before the slope counts: maps and caches fill first."""

HEAP_MB_PER_MIN = 0.1
NODES_PER_MIN = 5.0
LOOK_S = 10
"""Seconds between two looks at the pixels of the map."""

LEAST_DRAWN = 0.05
"""Share of the map's pixels that any part of the world with land in it draws."""


def look(page: Page, cdp: CDPSession) -> tuple[float, float]:
    """Return (heap in MB, DOM nodes) after a garbage collection."""
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    if page.evaluate("window.__soak") != 1:
        sys.exit("the page was loaded anew")
    return metrics["JSHeapUsedSize"] / 2**20, metrics["Nodes"]


def watch_until(page: Page, at_s: float) -> None:
    """Look at the map's pixels until this moment; end with a sentence if it is blank."""
    while True:
        share = drawn_share(page)
        if share < LEAST_DRAWN:
            sys.exit(f"the map is blank: its canvas draws {share:.1%} of its pixels")
        left_s = at_s - time.monotonic()
        if left_s <= 0:
            return
        page.wait_for_timeout(1000 * min(left_s, LOOK_S))


def _left(url: str, host: str) -> set[str]:
    """Return the address of a request if it leaves the host."""
    parts = urlsplit(url)
    return set() if parts.scheme in {"data", "blob"} or parts.netloc == host else {url}


def slope(minutes: list[float], values: list[float]) -> float:
    """Return how much is added in a minute, by least squares."""
    return float(np.polyfit(minutes, values, 1)[0])


def main() -> None:
    """Watch the wall and say whether it stayed flat."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", default="http://127.0.0.1:8501")
    arguments.add_argument("--minutes", type=int, default=30)
    given = arguments.parse_args()
    host = urlsplit(given.url).netloc
    outside: set[str] = set()
    with sync_playwright() as playwright:
        path = os.environ.get("ROLLCALL_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.on("request", lambda request: outside.update(_left(request.url, host)))
        page.goto(given.url)
        page.wait_for_function("window.__wallReady", timeout=120_000)
        page.evaluate("window.__soak = 1")
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable")
        began_s, seen = time.monotonic(), list[tuple[float, float, float]]()
        for minute in range(given.minutes + 1):
            watch_until(page, began_s + minute * 60)
            heap_mb, nodes = look(page, cdp)
            seen.append(((time.monotonic() - began_s) / 60, heap_mb, nodes))
            print(
                f"minute {seen[-1][0]:5.1f}: heap {heap_mb:6.2f} MB, {nodes:.0f} nodes", flush=True
            )
        browser.close()
    late = [one for one in seen if one[0] >= min(SETTLED_MIN, given.minutes / 2)]
    at = [one[0] for one in late]
    heap, nodes = slope(at, [one[1] for one in late]), slope(at, [one[2] for one in late])
    left = sorted(outside) or "none"
    print(f"slope: heap {heap:+.3f} MB/min, nodes {nodes:+.2f}/min; outside: {left}")
    if heap > HEAP_MB_PER_MIN or nodes > NODES_PER_MIN or outside:
        sys.exit("not flat, or not closed")


if __name__ == "__main__":
    main()
