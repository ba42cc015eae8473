"""The live routes and the assets over HTTP, without a server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from dashboard import guard
from dashboard.assets import Assets, assets, assets_present
from dashboard.process import Process
from dashboard.routes import Live, event, events
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall_zones import zones
from tests.support import screens


class Client:
    """Asks an application without a server or a network."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://127.0.0.1"
            ) as http:
                return await http.get(path, headers=headers)

        return asyncio.run(ask())


def client(process: Process, drawn: list[str] | None = None) -> Client:
    def counted(engine: Engine, situation_id: str) -> dict[str, Any]:
        if drawn is not None:
            drawn.append(situation_id)
        return zones(engine, situation_id)

    app = Starlette(
        routes=Live(process.hub, process.store.engine, counted).routes(),
        middleware=[
            Middleware(guard.SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(guard.HOSTS)),
        ],
    )
    return Client(app)


def test_the_snapshot_is_the_hubs_frame_byte_by_byte(process: Process) -> None:
    asyncio.run(process.hub.look())
    answer = client(process).get("/api/live/wall/snapshot")
    assert process.hub.latest is not None
    assert answer.status_code == 200
    assert answer.content == process.hub.latest.body
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["situations"][0]["unaccounted"] == 1


def test_before_the_first_look_there_is_a_sentence_and_no_number(process: Process) -> None:
    answer = client(process).get("/api/live/wall/snapshot")
    assert answer.status_code == 503
    assert answer.json() == {
        "store": "the dashboard has only just started; ask again in a second",
    }


def test_without_a_store_health_and_snapshot_say_so(tmp_path: Path) -> None:
    process = screens.process(tmp_path)
    asyncio.run(process.hub.look())
    http = client(process)
    answer = http.get("/api/live/wall/snapshot")
    assert answer.status_code == 503
    assert answer.json()["store"].startswith("there is no serving store at ")
    health = http.get("/api/live/health")
    assert (health.status_code, health.json()) == (503, {"ok": False, "seq": 1, "subscribers": 0})
    gone = http.get("/api/live/wall/zones/sit-1")
    assert gone.status_code == 503
    assert gone.json()["store"].startswith("there is no serving store at ")


def test_zones_that_cannot_be_read_name_the_cause_and_no_sql(process: Process) -> None:
    process.store.engine()
    assert isinstance(process.deliveries, Path)
    engine = open_store(process.deliveries.parent / STORE_FILE)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE zones"))
    engine.dispose()
    answer = client(process).get("/api/live/wall/zones/sit-1")
    assert answer.status_code == 503
    assert answer.json() == {"store": "the serving store could not be read: no such table: zones"}


def test_health_counts_who_listens(process: Process) -> None:
    asyncio.run(process.hub.look())
    with process.hub.listen(), process.hub.listen():
        found = client(process).get("/api/live/health").json()
    assert found == {"ok": True, "seq": 1, "subscribers": 2}


def test_the_stream_begins_with_what_is_known_and_beats_while_nothing_comes(
    process: Process,
) -> None:
    async def story() -> list[bytes]:
        await process.hub.look()
        stream = events(process.hub, heartbeat_s=0.01)
        said = [await anext(stream) for _ in range(3)]
        await process.hub.look()
        said.append(await anext(stream))
        process.hub.close()
        said += [part async for part in stream]
        return said

    retry, first, beat, second = asyncio.run(story())
    assert retry == b"retry: 1000\n\n"
    assert first.startswith(b'id: 1\ndata: {"seq":1,')
    assert first.endswith(b"}\n\n")
    assert beat == b": ping\n\n"
    assert second.startswith(b'id: 2\ndata: {"seq":2,')


def test_without_a_picture_the_event_has_another_name(tmp_path: Path) -> None:
    process = screens.process(tmp_path)
    asyncio.run(process.hub.look())
    assert process.hub.latest is not None
    said = event(process.hub.latest)
    assert said.startswith(b'event: waiting\nid: 1\ndata: {"seq":1,')


def test_zones_are_drawn_once_for_a_key(process: Process) -> None:
    drawn: list[str] = []
    http = client(process, drawn)
    plain = http.get("/api/live/wall/zones/sit-1")
    assert plain.headers["Cache-Control"] == "no-store"
    assert plain.headers["Content-Type"] == "application/geo+json"
    collection = plain.json()
    assert [part["properties"]["zone_id"] for part in collection["features"]] == ["inc-1/VI"]
    key = collection["zones_key"]
    for _ in range(2):
        kept = http.get(f"/api/live/wall/zones/sit-1?v={key}")
        assert kept.headers["Cache-Control"] == "private, max-age=86400, immutable"
        assert kept.content == plain.content
    old = http.get("/api/live/wall/zones/sit-1?v=older")
    assert old.headers["Cache-Control"] == "no-store"
    assert drawn == ["sit-1", "sit-1", "sit-1"]


def test_another_host_name_is_refused_and_answers_carry_the_policy(process: Process) -> None:
    http = client(process)
    assert http.get("/api/live/health", headers={"Host": "evil.example"}).status_code == 400
    answer = http.get("/api/live/health")
    assert answer.headers["X-Frame-Options"] == "DENY"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "connect-src 'self' data: blob:" in policy
    assert "font-src 'self' data:" in policy
    outside = [part for part in policy if "http" in part or "*" in part]
    assert outside == []


@pytest.fixture
def files(tmp_path: Path) -> Client:
    (tmp_path / "js").mkdir()
    (tmp_path / "vendor/fonts").mkdir(parents=True)
    (tmp_path / "js/one.mjs").write_text("export {}\n")
    (tmp_path / "vendor/world.pmtiles").write_bytes(bytes(range(200)))
    (tmp_path / "vendor/fonts/inter.woff2").write_bytes(b"wOF2")
    mount = Mount("/assets", Assets(tmp_path, tmp_path / "vendor"))
    return Client(Starlette(routes=[mount]))


def test_a_part_of_the_map_is_given_as_a_part(files: Client) -> None:
    answer = files.get("/assets/world.pmtiles", headers={"Range": "bytes=10-13"})
    assert (answer.status_code, answer.content) == (206, bytes([10, 11, 12, 13]))
    assert answer.headers["Content-Range"] == "bytes 10-13/200"
    assert files.get("/assets/vendor/world.pmtiles").content == bytes(range(200))


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/assets/js/one.mjs", {"text/javascript", "application/javascript"}),
        ("/assets/world.pmtiles", {"application/vnd.pmtiles"}),
        ("/assets/vendor/fonts/inter.woff2", {"font/woff2"}),
    ],
)
def test_types_are_those_that_browsers_insist_on(files: Client, path: str, kinds: set[str]) -> None:
    assert files.get(path).headers["Content-Type"].partition(";")[0] in kinds


def test_a_file_is_kept_for_ever_only_under_its_version(files: Client) -> None:
    answer = files.get("/assets/js/one.mjs")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = files.get("/assets/js/one.mjs", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    lasting = files.get("/assets/js/one.mjs?v=0.1.0")
    assert lasting.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_nothing_beside_the_folders_is_served(files: Client) -> None:
    assert files.get("/assets/%2e%2e/secret").status_code == 404
    assert files.get("/assets/js").status_code == 404


def test_missing_assets_are_noticed(tmp_path: Path) -> None:
    assert not assets_present(tmp_path)
    assert [Path(folder).name for folder in assets().all_directories] == ["static", "vendor"]


def test_the_stream_is_json_that_the_wall_can_read(process: Process) -> None:
    asyncio.run(process.hub.look())
    assert process.hub.latest is not None
    line = event(process.hub.latest).split(b"\n")[1]
    assert json.loads(line.removeprefix(b"data: "))["alerts"]["open"] == 1
