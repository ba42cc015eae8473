"""The hub: what it says while all is well, and while it is not."""

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from dashboard.hub import Frame, Hub, Picture, frame, step
from dashboard.process import Process
from dashboard.store import Store
from streams.errors import StoreFailedError
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall import snapshot
from streams.serving.wall_answers import WallNow
from tests.serving.builders import AT
from tests.support import screens

SENT = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def now(data: Path) -> WallNow:
    engine = open_store(data / STORE_FILE, read_only=True)
    found = snapshot(engine)
    engine.dispose()
    return found


def test_a_tick_ages_until_the_next_one_is_seen(now: WallNow) -> None:
    one = step(Picture(), now, 100.0)
    same = step(one, now, 107.0)
    assert (same.seq, same.ticked_s) == (2, 100.0)
    later = msgspec.structs.replace(now, as_of=AT + timedelta(seconds=1))
    assert step(same, later, 108.0).ticked_s == 108.0


def test_before_the_first_tick_its_age_is_unknown_and_not_0(now: WallNow) -> None:
    early = msgspec.structs.replace(now, as_of=None)
    waiting = step(step(Picture(), early, 100.0), early, 130.0)
    assert json.loads(frame(waiting, 131.0, SENT).body)["tick_age_s"] is None
    assert step(waiting, now, 140.0).ticked_s == 140.0


def test_a_trouble_keeps_the_last_picture_and_lets_its_tick_age(now: WallNow) -> None:
    good = step(Picture(), now, 100.0)
    bad = step(good, "the disk is gone", 105.0)
    said = json.loads(frame(bad, 112.34, SENT).body)
    assert said["store"] == "the disk is gone"
    assert said["tick_age_s"] == 12.3
    assert said["affected"] == 2
    assert step(bad, now, 113.0).trouble is None


def test_a_frame_is_the_snapshot_and_four_fields_of_the_hub(now: WallNow) -> None:
    said = json.loads(frame(step(Picture(), now, 1.0), 1.0, SENT).body)
    fields = set(WallNow.__struct_fields__)
    assert set(said) == fields | {"seq", "sent_wall_at", "tick_age_s", "store"}
    assert (said["seq"], said["sent_wall_at"], said["tick_age_s"], said["store"]) == (
        1,
        "2026-11-25T12:00:00Z",
        0.0,
        None,
    )
    read_again = msgspec.json.decode(json.dumps(said), type=WallNow)
    assert read_again == now


def test_without_any_picture_a_frame_says_why_and_no_number() -> None:
    only = frame(step(Picture(), "there is no store yet", 5.0), 5.0, SENT)
    assert not only.ready
    assert json.loads(only.body) == {
        "seq": 1,
        "sent_wall_at": "2026-11-25T12:00:00Z",
        "tick_age_s": None,
        "store": "there is no store yet",
    }


def test_a_slow_listener_gets_the_latest_and_delays_nobody(process: Process) -> None:
    async def story() -> list[int]:
        with process.hub.listen() as slow:
            for _ in range(3):
                await process.hub.look()
            assert process.hub.listeners == 1
            first = await slow.get()
            assert slow.empty()
            await process.hub.look()
            second = await slow.get()
        assert process.hub.listeners == 0
        return [first.seq if first else 0, second.seq if second else 0]

    assert asyncio.run(story()) == [3, 4]


def test_who_comes_later_sees_the_last_frame_at_once(process: Process) -> None:
    async def story() -> Frame | None:
        await process.hub.look()
        with process.hub.listen() as queue:
            return queue.get_nowait()

    found = asyncio.run(story())
    assert found is not None
    assert json.loads(found.body)["situations"][0]["known"] == 2


def test_closing_ends_every_stream_now_and_later(process: Process) -> None:
    async def story() -> list[Frame | None]:
        await process.hub.look()
        with process.hub.listen() as before:
            process.hub.close()
            with process.hub.listen() as after:
                return [before.get_nowait(), after.get_nowait()]

    assert asyncio.run(story()) == [None, None]


def test_a_paused_ticker_says_nothing(process: Process) -> None:
    looks: list[int] = []

    class Done(Exception):  # noqa: N818 - it is the end of the story, no error
        pass

    def paused() -> bool:
        looks.append(1)
        if len(looks) == 4:
            raise Done
        return len(looks) < 3

    hub = Hub(process.store.engine, snapshot, paused, interval_s=0.0)
    with pytest.raises(Done):
        asyncio.run(hub.run())
    assert hub.latest is not None
    assert hub.latest.seq == 1


def test_a_store_that_is_replaced_is_opened_anew(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    screens.fill(old)
    open_store(new / STORE_FILE).dispose()
    process = screens.process(old)
    seen = process.hub.see()
    assert isinstance(seen, WallNow)
    assert seen.affected == 2
    shutil.move(new / STORE_FILE, old / STORE_FILE)
    for beside in old.glob(f"{STORE_FILE}-*"):
        beside.unlink()
    empty = process.hub.see()
    assert isinstance(empty, WallNow)
    assert empty.affected is None


def test_a_store_that_is_gone_is_told_in_words_and_found_again(data: Path) -> None:
    process = screens.process(data)
    assert isinstance(process.hub.see(), WallNow)
    away = (data / STORE_FILE).rename(data / "away")
    said = process.hub.see()
    assert isinstance(said, str)
    assert said.startswith(f"there is no serving store at {data / STORE_FILE} yet. Start the")
    away.rename(data / STORE_FILE)
    assert isinstance(process.hub.see(), WallNow)


def test_a_disk_that_does_not_say_is_an_outage_and_the_ticker_goes_on(data: Path) -> None:
    store, wal = Store(data), data / f"{STORE_FILE}-wal"
    assert store.stamp() is None
    wal.symlink_to(wal)  # as a failing disk: to look at it is an error, not "no such file"
    with pytest.raises(StoreFailedError):
        store.stamp()
    said: list[tuple[str | None, int | None]] = []

    class Done(Exception):  # noqa: N818 - it is the end of the story, no error
        pass

    def paused() -> bool:
        if hub.latest is not None:
            sent = json.loads(hub.latest.body)
            said.append((sent["store"], sent.get("affected")))
        if len(said) == 2:
            wal.unlink()
        if len(said) == 3:
            raise Done
        return False

    hub = Hub(store.engine, snapshot, paused, interval_s=0.0, stamp=store.stamp)
    with pytest.raises(Done):
        asyncio.run(hub.run())
    trouble = (
        f"the serving store {data / STORE_FILE} cannot be reached: Too many levels of symbolic"
        " links. Look at the data directory: its path, its rights, its disk."
    )
    assert said == [(trouble, None), (trouble, None), (None, 2)]
    store.close()


def test_a_file_that_is_no_store_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).write_bytes(b"this is no database at all, however long it is" * 99)
    said = screens.process(tmp_path).hub.see()
    assert isinstance(said, str)
    assert "cannot be opened: file is not a database" in said
    with pytest.raises(StoreFailedError):
        Store(tmp_path).engine()


def test_a_store_of_another_version_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).touch()
    said = screens.process(tmp_path).hub.see()
    assert isinstance(said, str)
    assert "is empty or unfinished" in said


def test_a_bug_in_the_reading_is_told_in_words_and_the_next_look_is_well(process: Process) -> None:
    good, bad = snapshot(process.store.engine()), [ValueError("no such bucket")]

    def read(_: object) -> WallNow:
        if bad:
            raise bad.pop()
        return good

    hub = Hub(process.store.engine, read)
    assert hub.see() == "the wall could not be made: ValueError: no such bucket"
    assert hub.see() == good
