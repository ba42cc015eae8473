"""The officer's page in a browser: select on the map, draw, put in a bucket."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from schemas.codelists import Bucket
from streams.backends.sqlite import SqliteLog
from streams.core.stage import SHARD_OUTPUT
from streams.ports import NewRecord
from streams.serving.runtime import Runtime, note_runtime
from streams.serving.store import STORE_FILE, open_store
from streams.serving.writer import Writer
from tests.dashboard import crowd
from tests.serving import builders
from tests.support import screens

READY = """() => {
  const root = window.peopleMapRoot();
  return root !== undefined && Number(root.dataset.ready) > 0;
}"""
FIND = """window.peopleMapRoot = () => [...document.querySelectorAll('*')]
  .map((one) => one.shadowRoot?.querySelector('.people-map')).find(Boolean);"""
WHERE = """([lon, lat]) => {
  const { map, box } = window.peopleMapRoot().peopleMap;
  const { x, y } = map.project([lon, lat]);
  const edge = box.getBoundingClientRect();
  return [edge.left + x, edge.top + y];
}"""


class Recorder(ThreadingHTTPServer):
    """An engine's API that accepts every command and remembers it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.said: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """Answers as the engine does."""

    def do_POST(self) -> None:
        assert isinstance(self.server, Recorder)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.said.append({"path": self.path, **json.loads(body)})
        answer = json.dumps({"accepted": 1}).encode()
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(recorder: Recorder, tmp_path: Path) -> Iterator[screens.Running]:
    data = tmp_path / "data"
    data.mkdir()
    crowd.fill(data)
    engine = open_store(data / STORE_FILE)
    note_runtime(engine, Runtime(mode="live", phase="running", beat_wall_at=datetime.now(UTC)))
    engine.dispose()
    with screens.running(data, tmp_path, "--api", recorder.url) as one:
        yield one


@pytest.fixture
def officer(page: Page) -> Page:
    page.set_viewport_size({"width": 1366, "height": 1000})
    page.add_init_script(FIND)
    page.goto("/officer")
    page.wait_for_selector(".people-map")
    page.wait_for_function(READY)
    return page


def drag(page: Page, centre: tuple[float, float], reach_px: int) -> None:
    """Drag a box around a place, with Shift held."""
    x, y = page.evaluate(WHERE, list(centre))
    page.keyboard.down("Shift")
    page.mouse.move(x - reach_px, y - reach_px)
    page.mouse.down()
    page.mouse.move(x + reach_px, y + reach_px, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")


def name_oneself(page: Page) -> None:
    field = page.get_by_label("Your name")
    field.fill("officer7")
    field.press("Enter")


def test_a_box_on_the_map_filters_the_list_to_the_people_in_it(officer: Page) -> None:
    zoom = officer.evaluate("window.peopleMapRoot().peopleMap.map.getZoom()")
    drag(officer, crowd.ANTAKYA, 30)
    expect(officer.get_by_text("12 people in your map selection")).to_be_visible()
    expect(officer.get_by_text("▲ 3 Needs help")).to_be_visible()
    expect(officer.get_by_text("? 9 Unaccounted for")).to_be_visible()
    assert officer.evaluate("window.peopleMapRoot().peopleMap.map.getZoom()") == zoom
    officer.get_by_role("button", name="Drop the map selection").click()
    expect(officer.get_by_text(f"{crowd.KNOWN} people", exact=False).first).to_be_visible()


def test_a_number_is_a_button_that_opens_its_list(officer: Page) -> None:
    officer.get_by_role("button", name=re.compile("Needs help 3")).first.focus()
    officer.keyboard.press("Enter")
    expect(officer.get_by_text("3 people", exact=False).first).to_be_visible()
    officer.wait_for_function("window.peopleMapRoot().peopleMap.places.length === 1")


def test_a_mark_opens_its_person_who_is_put_in_a_bucket_once(
    officer: Page, app: screens.Running, recorder: Recorder
) -> None:
    (who,) = crowd.people("Malatya", Bucket.UNACCOUNTED)
    name_oneself(officer)
    x, y = officer.evaluate(WHERE, list(crowd.MALATYA))
    officer.mouse.click(x, y)
    expect(officer.get_by_role("heading", name=who)).to_be_visible()
    expect(officer.get_by_text("Malatya, within 10 km", exact=False)).to_be_visible()
    officer.get_by_role("button", name="Set the bucket", exact=True).click()
    officer.get_by_role("textbox", name="Reason (required)").fill("rang the post at 10:40")
    officer.get_by_role("button", name="Check").click()
    expect(officer.get_by_text(f"Put 1 people into the bucket Safe: {who}")).to_be_visible()
    assert recorder.said == []
    officer.get_by_role("button", name="Confirm and send").dblclick()
    expect(officer.get_by_text("Accepted: 1 of 1.")).to_be_visible()
    # The second click may interrupt the first before it is noted: one command, sent twice.
    assert len({said["event_id"] for said in recorder.said}) == 1
    said = recorder.said[0]
    assert said["path"] == "/v1/commands"
    wanted = {
        "verb": "override",
        "by": "officer7",
        "role": "officer",
        "reason": "rang the post at 10:40",
        "person_id": who,
        "situation_id": "sit-1",
        "bucket": "safe",
    }
    assert {key: said[key] for key in wanted} == wanted
    assert said.get("status", "Actual") == "Actual"
    carry_out(app.data, who)
    look = officer.get_by_role("button", name="Look again")
    in_effect = officer.get_by_text("In effect: the numbers and lists show it.")
    expect(in_effect.or_(look).first).to_be_visible()
    if look.is_visible():
        look.click()
    expect(in_effect).to_be_visible()


def carry_out(data: Path, who: str) -> None:
    """Do to the store what the engine does when it is told to override."""
    moved = builders.moved("m-override", who, Bucket.SAFE, Bucket.UNACCOUNTED)
    with closing(SqliteLog.open(data, shards=builders.SHARDS)) as log:
        log.append([NewRecord(SHARD_OUTPUT, 0, who, moved)])
        store = open_store(data / STORE_FILE)
        Writer(log, store).drain()
        store.dispose()


def test_a_drawn_area_replaces_a_footprint(officer: Page, recorder: Recorder) -> None:
    name_oneself(officer)
    officer.get_by_role("button", name="Draw area").click()
    corners = [(36.0, 36.5), (37.5, 36.5), (37.0, 38.0)]
    for corner in corners[:2]:
        x, y = officer.evaluate(WHERE, list(corner))
        officer.mouse.click(x, y)
    x, y = officer.evaluate(WHERE, list(corners[2]))
    officer.mouse.dblclick(x, y)
    expect(officer.get_by_role("textbox", name="Title of the situation")).to_be_visible()
    officer.get_by_role("combobox", name="What do you want to do?").click()
    officer.get_by_role("option", name="Draw the area").click()
    expect(officer.get_by_role("combobox", name="Incident")).to_be_visible()
    expect(officer.get_by_text("Area with 3 corners.")).to_be_visible()
    officer.get_by_role("textbox", name="Reason (required)").fill("the dam broke")
    officer.get_by_role("button", name="Check").click()
    officer.get_by_role("button", name="Confirm and send").click()
    expect(officer.get_by_text("Accepted: 1 of 1.")).to_be_visible()
    (said,) = recorder.said
    assert (said["verb"], said["incident_id"]) == ("polygon", "inc-1")
    (area,) = said["areas"]
    (ring,) = area["polygons"][0]
    assert area["kind"] == "polygons"
    assert ring[0] == ring[-1]
    found = sorted((round(lon, 1), round(lat, 1)) for lon, lat in ring[:-1])
    assert found == sorted(corners)


def test_the_page_works_on_a_phone(officer: Page) -> None:
    officer.set_viewport_size({"width": 390, "height": 844})
    officer.wait_for_function(
        "window.peopleMapRoot().getBoundingClientRect().width < 390", timeout=30_000
    )
    wide = officer.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    height = officer.evaluate("window.peopleMapRoot().getBoundingClientRect().height")
    assert 300 <= height <= 0.5 * 844
