"""MERGE on Kafka: a Faust app that reads the public topics and routes what may enter.

Faust acknowledges what an exception has interrupted, so nothing may escape an
agent: a record that cannot be read is a dead letter, and what else fails ends
the process, whose partitions another one takes over. Records are acknowledged
once all they became is in the cluster. Then the worst is that some are merged
twice, which stages see by their ids.
"""

import asyncio
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import faust
import faust.streams
import faust.web
import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams import metrics as m
from streams.backends.kafka.control import Control
from streams.backends.kafka.faust_app import app
from streams.backends.kafka.standing import Look, Standing
from streams.backends.kafka.wire import headers_of, record_of
from streams.clock import ClockSpec
from streams.completeness import Completeness, Sample, Stall, lag_of
from streams.core.stage import DESK_INPUT
from streams.errors import RollcallError
from streams.merging import SOURCE, is_letter, merged
from streams.metrics import MergeMetrics, Reading
from streams.ports import NewRecord, Record, body_of
from streams.sections import KafkaSettings
from streams.ticks import due
from streams.topology import PUBLIC

BATCH = 500
"""Most records of a topic that are routed together."""

WITHIN_S = 0.02
"""Longest wait for a batch to fill up: it delays what comes alone."""

LOOK_S = 1.0
TICK_LOOK_S = 0.25
"""How often the leader sees whether a second has begun."""

STALE_S = 15.0
"""Without an answer of the cluster for so long, this process is not well."""

STALL = timedelta(seconds=120)
"""When a partition with work in it that does not move ends the process."""

STOP_S = 15.0
"""How long an orderly stop may take; with the brokers gone, Faust does not end."""

WELL = 200

FATAL = 70
"""Exit code of a failure: whoever supervises starts it again."""

LEADER = ("commands", 0)
"""Whoever has this partition leads: no topic of Faust's own is needed for it."""


class Merge:
    """One process of MERGE; ``say`` prints a line, from any thread."""

    def __init__(
        self, settings: KafkaSettings, web: tuple[str, int], say: Callable[[str], object]
    ) -> None:
        """Prepare; nothing is asked yet. Health and metrics are on ``web``."""
        self._settings, self._web, self._say = settings, web, say
        self._group = f"{settings.prefix}merge"
        self._complete = Completeness()
        self._look: Look | None = None
        self._lock = threading.Lock()
        self._standing: Standing | None = None
        self._last_tick_at: datetime | None = None
        self._led = False
        self._started = False
        self._stopping = asyncio.Event()
        self.metrics = MergeMetrics([topic.name for topic in PUBLIC], self._measure)

    # ------------------------------------------------------------------ life

    def stop(self) -> None:
        """Ask it to stop, from the thread that runs it."""
        self._stopping.set()

    async def run(self) -> None:
        """Merge until told to stop; a failure ends the process with ``FATAL``."""
        if getattr(faust.streams, "_CStreamIterator", None) is None:
            # Without it, Faust acknowledges records that a rebalance made it skip.
            self._fatal("Faust came without its compiled part", None)
        standing = self._standing = Standing(self._settings, self._group)
        control = await asyncio.to_thread(standing.control)
        counts = await asyncio.to_thread(standing.partitions)
        with tempfile.TemporaryDirectory(prefix="rollcall-merge-") as scratch:
            self._app = app(self._settings, self._group, self._web, scratch)
            self._declare(control, counts)
            starting = asyncio.ensure_future(self._app.start())
            threading.Thread(target=self._watch, args=(standing,), daemon=True).start()
            await self._until_told(starting)
            self._say("stopping")
            late = threading.Timer(STOP_S, self._late)
            late.daemon = True
            late.start()
            if self._started:
                self._started = False
                # Threads of Faust print how they were interrupted.
                with redirect_stderr(StringIO()):
                    await self._app.stop()

    async def _until_told(self, starting: asyncio.Future[Any]) -> None:
        told: asyncio.Future[Any] = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is not None:
            self._fatal("could not start", starting.exception())
        if starting.done():
            self._started = True
        if not told.done():
            host, port = self._web
            self._say(f"merging as {self._group}; http://{host}:{port}/metrics")
            ended = asyncio.ensure_future(self._app.wait_until_stopped())
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            self._fatal("Faust has crashed", self._app.crash_reason)

    def _late(self) -> None:
        self._say("what was not acknowledged will be merged again; ended without waiting for more")
        os._exit(0)

    def _fatal(self, words: str, error: BaseException | None) -> None:
        """End the process at once, in one line that quotes no record."""
        if self._stopping.is_set():
            self._late()
        cause = "" if error is None else f": {type(error).__name__}"
        if isinstance(error, RollcallError | OSError):
            cause += f": {error}"
        elif error is not None:
            frame = error.__traceback__
            while frame is not None and frame.tb_next is not None:
                frame = frame.tb_next
            if frame is not None:
                cause += f" in {frame.tb_frame.f_code.co_qualname}:{frame.tb_lineno}"
        self._say(f"FATAL: {words}{cause}")
        sys.stdout.flush()
        os._exit(FATAL)

    # ------------------------------------------------------------------ the app

    def _declare(self, control: Control, counts: dict[str, int]) -> None:
        app = self._app
        for topic in PUBLIC:
            channel = app.topic(
                self._settings.prefix + topic.name,
                partitions=counts[topic.name],
                key_type=bytes,
                value_type=bytes,
                key_serializer="raw",
                value_serializer="raw",
                allow_empty=True,
            )
            agent = self._agent(topic.name, control)
            app.agent(channel, name=f"merge.{topic.name}", concurrency=1)(agent)
        if control.clock.kind == "wall":
            app.task(self._ticks)
        self._declare_pages()

    def _agent(self, name: str, control: Control) -> Callable[[Any], Awaitable[None]]:
        async def merge(stream: faust.streams.Stream[Any]) -> None:
            async for events in stream.noack_take(BATCH, within=WITHIN_S):
                try:
                    messages = [event.message for event in events]
                    await self._merge(name, messages, control.shards, control.clock)
                    for event in events:
                        await stream.ack(event)
                except Exception as error:  # noqa: BLE001 - Faust would commit past it
                    self._fatal(f"{name} could not be merged", error)

        return merge

    async def _merge(
        self, name: str, messages: Sequence[Any], shards: int, clock: ClockSpec
    ) -> None:
        """Write what records become; return once the cluster has all of it."""
        counts: Counter[str] = Counter()
        self.metrics.count(name, "read", len(messages))
        sent: list[Awaitable[Any]] = []
        for message in messages:
            written = merged(_record(name, message), shards, clock)
            counts["rejected" if is_letter(written) else "routed"] += 1
            sent.extend([await self._send(one) for one in written])
        await asyncio.gather(*sent)
        for outcome, records in counts.items():
            self.metrics.count(name, outcome, records)
        if counts["rejected"]:
            self._say(f"{name}: {counts['rejected']} records rejected, see the dead letters")

    async def _send(self, record: NewRecord) -> Awaitable[Any]:
        topic, partition, key, event = record
        return await self._app.producer.send(
            self._settings.prefix + topic,
            key=key.encode(),
            value=body_of(event),
            partition=partition,
            timestamp=None,
            headers=headers_of(type(event).__name__),
        )

    # ------------------------------------------------------------------ ticks

    def _mine(self) -> set[tuple[str, int]]:
        """Return the places that this process merges now."""
        prefix = self._settings.prefix
        if not self._started:  # asking makes a consumer, and this may be another thread
            return set()
        return {
            (one.topic.removeprefix(prefix), one.partition)
            for one in self._app.consumer.assignment()
        }

    async def _ticks(self) -> None:
        while True:
            await self._tick()
            await asyncio.sleep(TICK_LOOK_S)

    async def _tick(self) -> None:
        """Write the tick that is owed, where this process leads."""
        try:
            if LEADER not in self._mine():
                self._led = False
                return
            if not self._led and not await self._took_over():
                return
            tick = due(datetime.now(UTC), self._last_tick_at, SOURCE)
            if tick is None:
                return
            with self._lock:
                to = self._complete.at
            tick = msgspec.structs.replace(tick, complete_to=to and min(to, tick.at))
            # The next one waits for this: of a cluster that was away, only the newest is owed.
            await (await self._send(NewRecord(DESK_INPUT, 0, tick.event_id, tick)))
            self._last_tick_at = tick.at
        except Exception as error:  # noqa: BLE001 - Faust would log it, and tick no more
            self._fatal("no tick could be written", error)

    async def _took_over(self) -> bool:
        """Learn where the ticks stand; return False if the cluster does not tell."""
        standing = Standing(self._settings, self._group)
        try:
            last = await asyncio.to_thread(standing.last_tick)
        except RollcallError as error:
            self._say(str(error))
            return False
        finally:
            await asyncio.to_thread(standing.close)
        if last is not None:
            self._last_tick_at = last.at
            with self._lock:
                self._complete.reached(last.complete_to)
        self._led = True
        self._say(f"leads: writes the ticks, the last was {last.at if last else 'none'}")
        return True

    # ------------------------------------------------------------------ watch

    def _watch(self, standing: Standing) -> None:
        """Look once a second how far everything is merged, for as long as this runs."""
        stall = Stall(STALL)
        pause = threading.Event()
        away = False
        while True:
            try:
                look = standing.look()
                with self._lock:
                    self._look = look
                    self._complete.note(Sample(look.at, look.ends), look.done)
                if away:
                    self._say("the cluster answers again")
                away = False
                lag = lag_of(look.ends, look.done)
                still = stall.note(look.at, self._mine(), lag, look.done)
                if still:
                    places = ", ".join(f"{topic} {one}" for topic, one in still)
                    self._fatal(f"nothing is read of {places} any more", None)
            except RollcallError as error:
                if not away:
                    self._say(str(error))
                away = True
            except Exception as error:  # noqa: BLE001 - a thread must not end in silence
                self._fatal("the watch failed", error)
            pause.wait(LOOK_S)

    def _measure(self) -> Iterable[Reading]:
        with self._lock:
            look, to = self._look, self._complete.at
        mine, last_at = self._mine(), self._last_tick_at
        yield Reading(m.WELL, self._health()[0] == WELL, ("merge",))
        if LEADER in mine and last_at is not None:
            yield Reading(m.TICK_AGE, (datetime.now(UTC) - last_at).total_seconds())
        yield Reading(m.MERGE_PARTITIONS, len(mine))
        yield Reading(m.MERGE_LEADS, float(LEADER in mine))
        if to is not None:
            yield Reading(m.MERGE_COMPLETE_AGE, (datetime.now(UTC) - to).total_seconds())
        if look is not None:
            lag = lag_of(look.ends, look.done)
            for (topic, partition), end in sorted(look.ends.items()):
                lags = lag.get((topic, partition), 0)
                yield Reading(m.MERGE_LAG, float(lags if end else 0), (topic, str(partition)))

    # ------------------------------------------------------------------ web

    def _declare_pages(self) -> None:
        """Declare what is answered on the port; Faust wants functions, no methods."""

        @self._app.page("/metrics")
        async def metrics(view: faust.web.View, _: faust.web.Request) -> Any:
            body = await asyncio.to_thread(generate_latest, self.metrics.registry)
            return view.bytes(body, headers={"Content-Type": CONTENT_TYPE_LATEST})

        @self._app.page("/healthz")
        async def healthz(view: faust.web.View, _: faust.web.Request) -> Any:
            status, said = self._health()
            return view.json(said, status=status)

    def _health(self) -> tuple[int, dict[str, object]]:
        with self._lock:
            look, to = self._look, self._complete.at
        now, mine = datetime.now(UTC), self._mine()
        well = look is not None and (now - look.at).total_seconds() < STALE_S
        said: dict[str, object] = {
            "role": "merge",
            "well": well,
            "reason": None if well else f"the cluster has not answered for {STALE_S:.0f} s",
            "partitions": len(mine),
            "leads": LEADER in mine,
            "complete_to": to and to.isoformat(),
        }
        return (WELL if well else 503), said


def _record(name: str, message: Any) -> Record:
    """Return a message of Faust as a record of the topic of that (unprefixed) name."""
    return record_of(
        name,
        message.partition,
        message.offset,
        message.key,
        message.value,
        message.headers or (),
        round((message.timestamp or 0.0) * 1000),
    )
