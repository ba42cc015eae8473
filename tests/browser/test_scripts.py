"""Pure parts of the wall's scripts, run in the browser that they are for."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.screens import Running

LISTED = """async (rounds) => {
  const { el, list, put } = await import('/assets/js/dom.mjs');
  const parent = document.createElement('ul');
  const found = [];
  for (const items of rounds) {
    list(parent, items, ([key]) => key, () => el('li'), (node, [, text]) => put(node, text));
    found.push([...parent.children].map((node) => node.textContent));
  }
  return found;
}"""

FRESH = """async ([message, seconds]) => {
  const { freshness, heard, noClock } = await import('/assets/js/clock.mjs');
  return freshness(heard(noClock, message, 0, 0), 1000 * seconds);
}"""


@pytest.fixture
def blank(page: Page, app: Running) -> Page:
    """Return a page of the app that is no Streamlit page."""
    page.goto(f"{app.url}/assets/rollcall.png")
    return page


def test_of_two_items_of_one_key_none_stays_when_both_are_gone(blank: Page) -> None:
    flood = ["05:10|Flood warning", "Flood warning"]
    rounds = [[flood, flood], [["06:00|x", "Storm"], flood, flood], [["06:00|x", "Storm"]]]
    assert blank.evaluate(LISTED, rounds) == [
        ["Flood warning", "Flood warning"],
        ["Storm", "Flood warning", "Flood warning"],
        ["Storm"],
    ]


@pytest.mark.parametrize(("tick_age_s", "age_s"), [(None, None), (0.4, 3.4)])
def test_where_no_tick_was_ever_seen_its_age_is_unknown(
    blank: Page, tick_age_s: float | None, age_s: float | None
) -> None:
    message: dict[str, Any] = {"as_of": None, "tick_age_s": tick_age_s, "clock": {"mode": "live"}}
    assert blank.evaluate(FRESH, [message, 3]) == {"silent_s": 3, "age_s": age_s}
