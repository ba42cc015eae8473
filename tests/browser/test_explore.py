"""The analyst's page in a browser: a refusal, a map, files that were downloaded."""

import io
import json
from pathlib import Path

import geopandas  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest
from playwright.sync_api import Page, expect
from pyarrow import parquet  # type: ignore[import-untyped]  # as above: no types

from dashboard.words import words
from schemas.exposure import ExposureOpened
from tests.serving.builders import story
from tests.support import screens

EN = words("en", "explore")

READY = """() => [...document.querySelectorAll('*')].some(
  (one) => one.shadowRoot?.querySelector('.points')?.dataset.ready)"""


def placed(record):
    """Return a record whose exposure was judged by a presence in Gaziantep."""
    if not isinstance(record.event, ExposureOpened):
        return record
    reason = msgspec.structs.replace(
        record.event.reason, lon_deg=37.38, lat_deg=37.07, country="TR", admin1="TR-27"
    )
    return record._replace(event=msgspec.structs.replace(record.event, reason=reason))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory in which the small crisis has places."""
    folder = tmp_path_factory.mktemp("explore")
    screens.fill(folder, [placed(record) for record in story()])
    return folder


@pytest.fixture(scope="module")
def app(data: Path, tmp_path_factory: pytest.TempPathFactory):
    """Return a running dashboard over ``data``."""
    with screens.running(data, tmp_path_factory.mktemp("app")) as one:
        yield one


@pytest.fixture
def explore(page: Page) -> Page:
    """Return the page with the ledger's rows on it."""
    page.goto("/explore")
    expect(page.get_by_text("2 rows of 2")).to_be_visible()
    return page


def downloaded(page: Page, label: str) -> bytes:
    with page.expect_download() as begun:
        page.get_by_role("button", name=label, exact=True).click()
    return Path(begun.value.path()).read_bytes()


def test_the_map_shows_the_people_and_says_who_is_not_on_it(explore: Page) -> None:
    explore.get_by_role("radio", name=EN["figure_map"]).click()
    explore.wait_for_function(READY)
    legend = explore.locator(".points .legend li")
    expect(legend).to_have_text(["? Unaccounted for", "✓ Safe"])


def test_files_of_rows_can_be_read_by_others(explore: Page) -> None:
    assert downloaded(explore, EN["download_csv"]).decode().splitlines()[1].startswith("a.1,sit-1,")
    collection = json.loads(downloaded(explore, EN["download_geojson"]))
    assert [one["geometry"]["coordinates"] for one in collection["features"]] == [
        [37.38, 37.07], [37.38, 37.07],
    ]  # fmt: skip
    people = geopandas.read_parquet(io.BytesIO(downloaded(explore, EN["download_geoparquet"])))
    assert list(people["bucket"]) == ["unaccounted", "safe"]
    assert [(point.x, point.y) for point in people.geometry] == [(37.38, 37.07), (37.38, 37.07)]


def test_sql_is_answered_and_refused_in_words(explore: Page) -> None:
    explore.get_by_role("radio", name=EN["section_sql"]).click()
    box = explore.get_by_role("textbox", name=EN["query"])
    run = explore.get_by_role("button", name=EN["run"])
    box.fill("SELECT bucket, count(*) AS n FROM ledger GROUP BY ALL ORDER BY bucket")
    run.click()
    expect(explore.get_by_text("2 rows in 0.")).to_be_visible()
    table = parquet.read_table(io.BytesIO(downloaded(explore, EN["download_parquet"])))
    assert table.to_pylist() == [{"bucket": "safe", "n": 1}, {"bucket": "unaccounted", "n": 1}]
    box.fill("FROM read_csv('/etc/passwd')")
    run.click()
    expect(explore.get_by_role("alert")).to_contain_text(EN("refused_source", name="read_csv()"))
