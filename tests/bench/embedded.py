"""Check-in to flag, through intake, log, pump and writer to the serving store."""

import tempfile
import time
from datetime import timedelta
from pathlib import Path
from threading import Event as Stop
from threading import Thread

import numpy as np
from sqlalchemy import text

from schemas.envelope import Event
from streams.clock import ClockSpec
from streams.compose import make_pump, make_writer, open_log, settings_of
from streams.merge import admit, route
from streams.ports import NewRecord
from streams.serving.store import STORE_FILE, open_store
from tests.bench.stages import check_in, quake, registration, tick

GROUP_S = 0.01
"""How long arrivals wait for company before they are made durable together."""

NEW_ROWS = text("SELECT rowid, person_id FROM exposures WHERE rowid > :last ORDER BY rowid")


def latency(rate: int, seconds: int) -> dict[str, float]:
    """Return p50 and p99 (ms) from append to the row in the store.

    Each check-in is of somebody who was far away and is now inside a quake's
    footprint, so that each opens one exposure. A thread appends at ``rate``,
    in durable groups as an intake that answers many at once does; the pump
    and the writer take turns; whoever sees the row takes the time.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        settings = settings_of(data)
        log = open_log(data, settings, ClockSpec("wall"))
        pump, writer = make_pump(log, settings), make_writer(log, data, settings)
        now = log.clock.now()

        def put(*events: Event) -> None:
            log.append(
                [
                    NewRecord(topic, partition, key, admitted)
                    for admitted in map(admit, events)
                    for topic, partition, key in route(admitted, log.shards)
                ]
            )

        count = rate * seconds
        put(*(registration(n, 2.35, 48.86, "FR") for n in range(count)))
        put(tick(now), quake("a", now - timedelta(hours=1)))
        pump.run_until_idle()
        writer.drain()
        put_at: dict[str, float] = {}
        seen_at: dict[str, float] = {}
        done = Stop()

        def feed() -> None:
            start = time.perf_counter()
            n = 0
            while n < count:
                due = min(count, int((time.perf_counter() - start) * rate) + 1)
                group = [check_in(i, i, 37.0, 37.2, log.clock.now()) for i in range(n, due)]
                for i, event in enumerate(group, n):
                    put_at[event.person_id] = start + i / rate
                put(*group)
                n = due
                time.sleep(GROUP_S)
            done.set()

        feeder = Thread(target=feed)
        feeder.start()
        store = open_store(data / STORE_FILE)
        cpu = time.process_time()
        began, last = time.perf_counter(), 0
        while len(seen_at) < count:
            if pump.step() + writer.drain() == 0 and done.is_set() and len(seen_at) == count:
                break
            with store.connect() as connection:
                rows = connection.execute(NEW_ROWS, {"last": last}).all()
            at = time.perf_counter()
            for rowid, person_id in rows:
                last = rowid
                seen_at[person_id] = at
        feeder.join()
        spent = time.process_time() - cpu
        took = time.perf_counter() - began
        pump.stop()
        writer.close()
        log.close()
    ms = np.array([seen_at[p] - put_at[p] for p in put_at]) * 1000.0
    return {
        "p50_ms": float(np.percentile(ms, 50)),
        "p99_ms": float(np.percentile(ms, 99)),
        "max_ms": float(ms.max()),
        "cpu_share": spent / took,
    }
