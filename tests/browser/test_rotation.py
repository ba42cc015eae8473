"""What holds the wall's view, and for how long."""

import pytest
from playwright.sync_api import Page

from tests.support.screens import Running

HELD = """async (seen) => {
  const { alarmed, alarming, noAlarm } = await import('/assets/js/rotation.mjs');
  let alarm = noAlarm;
  return seen.map(([at_s, raised]) => {
    alarm = alarmed(alarm, raised, 1000 * at_s);
    return alarming(alarm, 1000 * at_s);
  });
}"""


@pytest.fixture
def blank(page: Page, app: Running) -> Page:
    """Return a page of the app that is no Streamlit page."""
    page.goto(f"{app.url}/assets/rollcall.png")
    return page


def test_a_new_alert_holds_the_view_for_a_minute_and_an_old_one_does_not(blank: Page) -> None:
    seen = [(0, None), (1, 4), (40, 4), (50, 5), (51, None), (109, 5), (110, 5), (500, 5)]
    held = [False, False, False, True, True, True, False, False]
    assert blank.evaluate(HELD, seen) == held


def test_in_a_flood_of_alerts_the_view_is_held_and_let_go_in_turn(blank: Page) -> None:
    flood = [(10 * n, n) for n in range(31)]
    held = blank.evaluate(HELD, flood)
    assert [at_s for (at_s, _), one in zip(flood, held, strict=True) if one] == [
        10, 20, 30, 40, 50, 60, 130, 140, 150, 160, 170, 180, 250, 260, 270, 280, 290, 300,
    ]  # fmt: skip


def test_a_history_that_began_anew_holds_nothing(blank: Page) -> None:
    assert blank.evaluate(HELD, [(0, 9), (1, 0), (2, 1)]) == [False, False, True]
