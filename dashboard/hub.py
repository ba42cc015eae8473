"""One picture of the wall a second, made once, given to everybody who listens.

``step`` and ``frame`` decide what the picture is; ``Hub`` reads in a thread,
so that the event loop never waits for a disk, and hands each listener the
latest frame only: a slow one misses frames, it delays nobody.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashboard.store import unread
from streams.errors import StoreFailedError
from streams.serving.wall_answers import WallNow

INTERVAL_S = 1.0
LEAST_REST_S = 0.05
"""Between two looks, however slow the store is."""

SOONEST_S = 0.4
"""Between two looks at a store that is being written all the time."""

GLANCE_S = 0.1
"""How often it is asked whether the store was written at all."""

LOG = logging.getLogger(__name__)


class Picture(NamedTuple):
    """What the hub knows: the last snapshot, and what has become of the store.

    ``ticked_s`` is when this process first saw the snapshot's ``as_of``, on the
    monotonic clock. ``trouble`` is a sentence, or None while all is well.
    """

    seq: int = 0
    now: WallNow | None = None
    ticked_s: float | None = None
    trouble: str | None = None


class Frame(NamedTuple):
    """What is sent: whole JSON, and whether it holds a picture yet."""

    seq: int
    body: bytes
    ready: bool


def step(before: Picture, seen: WallNow | str, at_s: float) -> Picture:
    """Return the picture after one look at the store: a snapshot or a trouble.

    A trouble keeps the last snapshot and lets its tick age.
    """
    if isinstance(seen, str):
        return before._replace(seq=before.seq + 1, trouble=seen)
    known = before.now is not None and before.now.as_of == seen.as_of
    ticked_s = before.ticked_s if known else at_s
    return Picture(before.seq + 1, seen, None if seen.as_of is None else ticked_s)


def frame(picture: Picture, at_s: float, sent_at: datetime) -> Frame:
    """Return the picture as JSON: ``WallNow`` and the hub's own fields."""
    age_s = None if picture.ticked_s is None else round(at_s - picture.ticked_s, 1)
    own = {
        "seq": picture.seq,
        "sent_wall_at": sent_at,
        "tick_age_s": age_s,
        "store": picture.trouble,
    }
    wall = {} if picture.now is None else msgspec.structs.asdict(picture.now)
    body = msgspec.json.encode({**own, **wall})
    return Frame(picture.seq, body, ready=picture.now is not None)


class Hub:
    """Looks at the store every second and fans the frame out."""

    def __init__(
        self,
        store: Callable[[], Engine],
        read: Callable[[Engine], WallNow],
        paused: Callable[[], bool] = lambda: False,
        interval_s: float = INTERVAL_S,
        stamp: Callable[[], object] = lambda: None,
    ) -> None:
        """Say where the store is and how it is read; nothing is started yet.

        ``stamp`` is cheap and differs once the store was written, so that an
        officer's act is on the wall with the next tick and not a second later.
        Where it fails the store is in trouble, as where it cannot be read.
        """
        self._stamp = stamp
        self._store = store
        self._read = read
        self._paused = paused
        self._interval_s = interval_s
        self._picture = Picture()
        self._listeners: set[asyncio.Queue[Frame | None]] = set()
        self._closed = False
        self.latest: Frame | None = None

    @property
    def listeners(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    async def run(self) -> None:
        """Look once a second, and soon after a write, until cancelled.

        A slow look is not caught up.
        """
        while True:
            began_s, stamp = time.monotonic(), self._glance()
            if not self._paused():
                await self.look()
            rest_s = max(self._interval_s - (time.monotonic() - began_s), LEAST_REST_S)
            until_s = time.monotonic() + rest_s
            while (left_s := until_s - time.monotonic()) > 0:
                await asyncio.sleep(min(left_s, GLANCE_S))
                written = self._glance() != stamp
                if written and time.monotonic() - began_s >= SOONEST_S:
                    break

    async def look(self) -> None:
        """Look at the store once and publish what was seen."""
        seen = await asyncio.to_thread(self.see)
        at_s = time.monotonic()
        if isinstance(seen, str) and seen != self._picture.trouble:
            LOG.warning("%s", seen)
        self._picture = step(self._picture, seen, at_s)
        self._publish(frame(self._picture, at_s, datetime.now(UTC)))

    def _glance(self) -> object:
        """Return the stamp, or what it failed with: the next look says it to everybody."""
        try:
            return self._stamp()
        except Exception as error:  # noqa: BLE001 - no bad glance may end the ticker
            return str(error)

    def see(self) -> WallNow | str:
        """Return the snapshot, or the sentence why there is none."""
        try:
            self._stamp()
            return self._read(self._store())
        except StoreFailedError as error:
            return f"{error}. {error.hint}"
        except SQLAlchemyError as error:
            return unread(error)
        except Exception as error:
            LOG.exception("the wall could not be made")
            return f"the wall could not be made: {type(error).__name__}: {error}"

    def _publish(self, latest: Frame) -> None:
        self.latest = latest
        for queue in self._listeners:
            _put(queue, latest)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Frame | None]]:
        """Yield a queue that holds at most the latest frame; None is the end."""
        queue: asyncio.Queue[Frame | None] = asyncio.Queue(maxsize=1)
        if self._closed:
            _put(queue, None)
        elif self.latest is not None:
            _put(queue, self.latest)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Tell all listeners, now and later, that there will be no more."""
        self._closed = True
        for queue in self._listeners:
            _put(queue, None)


def _put(queue: asyncio.Queue[Frame | None], item: Frame | None) -> None:
    """Leave only the newest item in the queue."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(item)
