"""What a data directory shows from outside: where a kill hit, and how it ended."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOCK_FILE, LOG_FILE
from streams.cli import main
from streams.compose import backlog
from streams.exports import STAGE_OF
from streams.serving.queries import writer_places
from streams.serving.store import STORE_FILE, reading
from streams.serving.writer import lag

JOURNALS = ("movements", "alerts", "deadletters")
"""Equal for the same log, which a replay writes: so they are compared as well."""


class Look(NamedTuple):
    """How far a data directory was when its process died."""

    owner: int
    records: int
    commits: int
    attempts: frozenset[tuple[str, int, int, int, int]]
    snapshot_due: bool
    waiting: int
    unwritten: int
    written: int


NOTHING = Look(0, 0, 0, frozenset(), snapshot_due=False, waiting=0, unwritten=0, written=0)


def look(data: Path, scratch: Path, snapshot_every: int) -> Look:
    """Return how far ``data`` is; looks at a copy, so that nothing is touched."""
    shutil.rmtree(scratch, ignore_errors=True)
    if not (data / LOG_FILE).exists():
        return NOTHING
    shutil.copytree(data, scratch)
    owner = int((scratch / LOCK_FILE).read_text() or 0)
    with closing(sqlite3.connect(scratch / LOG_FILE)) as database:
        (records,) = database.execute("SELECT count(*) FROM log").fetchone()
        (commits,) = database.execute("SELECT total(next_offset) FROM progress").fetchone()
        attempts = frozenset(database.execute("SELECT * FROM attempts"))
        (overdue,) = database.execute(
            "SELECT coalesce(max(next_offset - coalesce((SELECT max(off) FROM snapshots s"
            " WHERE s.stage = p.stage AND s.partition = p.partition), 0)), 0) FROM progress p"
        ).fetchone()
    log = SqliteLog.open_read_only(scratch)
    try:
        with reading(scratch / STORE_FILE) as engine:
            unwritten, written = lag(log, engine), sum(writer_places(engine).values())
        waiting = sum(backlog(log).values())
    finally:
        log.close()
    due = overdue >= snapshot_every
    return Look(owner, records, int(commits), attempts, due, waiting, unwritten, written)


def hit(before: Look, after: Look, pid: int) -> str:
    """Return in words at what a process died, by what it has left behind."""
    begun = {stage for stage, *_ in after.attempts - before.attempts}
    if after.owner != pid:
        return "start of the process"
    if after[1:] == before[1:]:
        return "recovery"
    if not after.commits:
        return "before the first commit"
    if begun:
        return f"batch of {'/'.join(sorted(begun))}"
    if after.snapshot_due:
        return "snapshot"
    if after.waiting:
        return "between batches"
    return "writer" if after.unwritten else "intake or at rest"


def called(data: Path, *words: str) -> bytes:
    """Return what a command says, called in this process; it must succeed."""
    result = CliRunner().invoke(main, ["--data", str(data), *words], catch_exceptions=False)
    assert result.exit_code == 0, (words, result.output)
    return result.stdout_bytes


def state(data: Path) -> dict[str, bytes]:
    """Return every export of state, as its bytes."""
    return {kind: called(data, "export", kind) for kind in STAGE_OF}


def journal(data: Path) -> dict[str, bytes]:
    """Return every export of the journal, and the wall's numbers, as their bytes."""
    said = {kind: called(data, "export", kind) for kind in JOURNALS}
    return said | {"status": called(data, "status", "--json")}


def log_rows(data: Path) -> list[tuple[object, ...]]:
    """Return every record of the log with its place and body, in order."""
    with closing(sqlite3.connect(f"file:{data / LOG_FILE}?mode=ro", uri=True)) as database:
        return database.execute(
            "SELECT topic, partition, off, key, name, version, body FROM log"
            " ORDER BY topic, partition, off"
        ).fetchall()


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Return which exports differ."""
    return [kind for kind in one if one[kind] != other[kind]]


def complaints(data: Path) -> list[str]:
    """Return what ``status --json`` shows that a healthy system does not."""
    now = json.loads(called(data, "status", "--json"))
    found = [f"{name}: {now[name]}" for name in ("faults", "dead_letters", "waiting") if now[name]]
    return found + list(_imbalances(now["situations"]))


def _imbalances(situations: Iterable[dict[str, object]]) -> Iterable[str]:
    for one in situations:
        if one["imbalance"] != {"room": 0, "buckets": 0, "store": 0}:
            yield f"imbalance in {one['situation_id']}: {one['imbalance']}"
