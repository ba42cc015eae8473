"""The writer into a file and into PostgreSQL: records a second, and what they cost."""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import psycopg

from schemas.codelists import Bucket
from streams.backends.sqlite import SqliteLog
from streams.core.stage import SHARD_INPUT, SHARD_OUTPUT
from streams.ports import NewRecord
from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.store import open_store
from streams.serving.writer import Writer
from tests.bench.stages import check_in
from tests.serving.builders import AT, moved, opened


def records(people: int) -> list[NewRecord]:
    """Return a check-in, an exposure and a line of the ledger for each of so many people."""
    found = []
    for n in range(people):
        one = check_in(n, n, 37.0, 37.2, AT)
        flagged = opened(f"e{n}", one.person_id)
        stands = moved(f"m{n}", one.person_id, Bucket.UNACCOUNTED)
        found += [
            NewRecord(SHARD_INPUT, 0, one.person_id, one),
            NewRecord(SHARD_OUTPUT, 0, one.person_id, flagged),
            NewRecord(SHARD_OUTPUT, 0, one.person_id, stands),
        ]
    return found


def run_once(log: SqliteLog, place: Place) -> tuple[float, float]:
    """Return records a second, and CPU microseconds of this process a record."""
    writer = Writer(log, open_store(place))
    began, cpu = time.perf_counter(), time.process_time()
    count = writer.drain()
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    writer.close()
    return count / took, 1e6 * spent / count


def compared(url: str, people: int = 20_000, runs: int = 5) -> dict[str, tuple[float, float]]:
    """Return the medians by database, the runs taking turns.

    Each run writes into a new file, and into the emptied database at ``url``.
    """
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog.open(Path(folder), shards=1)
        log.append(records(people))
        for _ in range(runs):
            place = Path(folder) / f"{uuid4().hex}.sqlite"
            found["SQLite"].append(run_once(log, place))
            empty(url)
            found["PostgreSQL"].append(run_once(log, Database(url)))
        log.close()
    return {
        name: (statistics.median(a for a, _ in said), statistics.median(b for _, b in said))
        for name, said in found.items()
    }


def empty(url: str) -> None:
    """Throw the serving tables of a database away."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS serving CASCADE")


if __name__ == "__main__":
    for name, (records_s, cpu_us) in compared(sys.argv[1]).items():
        print(f"{name:10} {records_s:8.0f} records/s  {cpu_us:6.1f} us CPU a record")
