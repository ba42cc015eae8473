"""Maps that fail or end before they are drawn leave no WebGL context behind."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch
from tests.support.screens import ROOT, Running

BOX = """() => {
  const box = document.createElement('div');
  box.style = 'width:300px;height:200px';
  box.id = 'box';
  document.body.append(box);
}"""

FAILED = """async () => {
  const { createMap } = await import('/assets/js/basemap.mjs');
  try {
    await createMap(document.querySelector('#box'));
  } catch (error) {
    return error.message;
  }
}"""

ENDED = """async ([html, script, data]) => {
  const parent = document.querySelector('#box');
  parent.innerHTML = html;
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const { default: open } = await import(address);
  window.canvases = { came: 0, went: 0 };
  const count = (nodes) => [...nodes].filter((one) => one.querySelector?.('canvas')).length;
  let end = null;
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      window.canvases.came += count(addedNodes);
      window.canvases.went += count(removedNodes);
    }
    if (window.canvases.came) end?.();
  }).observe(parent, { childList: true, subtree: true });
  end = open({ parentElement: parent, data, setTriggerValue: () => {} });
}"""


@pytest.fixture
def blank(page: Page, app: Running) -> Page:
    """Return a page of the app that has nothing but a box."""
    page.goto(f"{app.url}/assets/rollcall.png")
    page.evaluate(BOX)
    return page


def test_a_map_that_fails_before_it_is_drawn_is_gone(blank: Page, watch: Watch) -> None:
    blank.route("**/places.geojson", lambda route: route.fulfill(status=500))
    for _ in range(2):
        assert "500" in blank.evaluate(FAILED)
        assert blank.locator("#box canvas").count() == 0
    assert [said for said in watch.found if "500" not in said] == []
    watch.found.clear()


def test_an_officers_map_whose_page_went_before_it_was_drawn_is_gone(blank: Page) -> None:
    live = ROOT / "dashboard/live"
    parts = [(live / f"people_map.{kind}").read_text(encoding="utf-8") for kind in ("html", "js")]
    data: dict[str, Any] = {"words": {}, "height_px": 200, "language": "en", "people": {}}
    blank.evaluate(ENDED, [*parts, data])
    blank.wait_for_function("window.canvases.came > 0 && window.canvases.went > 0")
    assert blank.locator("#box canvas").count() == 0
