"""What is wrong with an installation: each thing looked at gives one finding.

Reads only, and tries; decides nothing. Works beside a running system.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOG_FILE, Lock, in_words
from streams.compose import backlog, engine_version
from streams.errors import LogInUseError, RollcallError
from streams.sections import Settings
from streams.serving.queries import status, writer_places
from streams.serving.store import REBUILD, STORE_FILE, reading
from streams.sqlite_files import connect

PACKAGES = (
    "antimeridian", "click", "httpx", "kafka-python", "lxml", "msgspec", "numpy", "pyproj",
    "shapely", "sqlalchemy",
)  # fmt: skip
PYTHONS = ((3, 11), (3, 13))

SPACE_LOW, SPACE_OUT = 2 * 1024**3, 200 * 1024**2
"""Free bytes of the data directory's disk: below the first warn, below the second fail."""

TICK_STALE = timedelta(seconds=5)
"""No tick for so long is a fault of a running system on the wall clock (design 3)."""

RUN = "run `rollcall run --until-idle`"


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One thing looked at: what was found and, unless ok, what to do."""

    level: Level
    about: str
    found: str
    advice: str = ""


def machine(data: Path) -> list[Finding]:
    """Return what is found of the machine, whatever the log is kept in."""
    return [_python(), _packages(), *_directory(data)]


def examine(data: Path, settings: Settings) -> list[Finding]:
    """Return all findings on an embedded system, from the machine inwards."""
    findings = machine(data)
    if not (data / LOG_FILE).exists():
        found = f"there is none in {data}"
        return [*findings, Finding(Level.WARN, "log", found, "fill it with `rollcall ingest`")]
    owner = _owner(data)
    findings += [_tried("log file", lambda: _integrity(data)), owner]
    try:
        log = SqliteLog.open_read_only(data)
    except RollcallError as error:
        return [*findings, Finding(Level.FAIL, "log", str(error), error.hint)]
    try:
        findings.append(_clock(log, running=owner.found != "nobody"))
        findings += _stages(log, settings)
        findings += _store(log, data)
    finally:
        log.close()
    return findings


def _tried(about: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except RollcallError as error:
        return Finding(Level.FAIL, about, str(error), error.hint)


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding(Level.OK, "python", found)
    return Finding(Level.WARN, "python", found, "Rollcall is made for Python 3.11 to 3.13")


def _packages() -> Finding:
    found, missing = [], []
    for name in ("rollcall", *PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing == ["rollcall"]:
        advice = "run from a checkout; `make setup` installs the command"
        return Finding(Level.WARN, "packages", f"{', '.join(found)}; not installed itself", advice)
    if missing:
        return Finding(Level.FAIL, "packages", f"missing: {', '.join(missing)}", "`make setup`")
    return Finding(Level.OK, "packages", ", ".join(found))


def _directory(data: Path) -> Iterator[Finding]:
    there = next(path for path in (data, *data.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        advice = "give this user the right to write, or name another with --data"
        yield Finding(Level.FAIL, "data directory", f"{there} is not writable", advice)
    elif there == data:
        yield Finding(Level.OK, "data directory", f"{data} is writable")
    else:
        yield Finding(Level.OK, "data directory", f"{data} will be made in {there}")
    free = shutil.disk_usage(there).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < SPACE_OUT:
        yield Finding(Level.FAIL, "disk", found, "make room now: the log cannot grow")
    elif free < SPACE_LOW:
        yield Finding(Level.WARN, "disk", found, "make room: the log grows with every record")
    else:
        yield Finding(Level.OK, "disk", found)


def _integrity(data: Path) -> Finding:
    path = data / LOG_FILE
    with in_words(path), closing(connect(path, read_only=True)) as log:
        (verdict,) = log.execute("PRAGMA quick_check(1)").fetchone()
    if verdict == "ok":
        return Finding(Level.OK, "log file", "intact (PRAGMA quick_check)")
    advice = "move it away and use `rollcall restore` with the last safety copy"
    return Finding(Level.FAIL, "log file", f"damaged: {verdict}", advice)


def _owner(data: Path) -> Finding:
    """Return who writes the log now; taking the lock for a moment tells."""
    try:
        Lock(data).release()
    except LogInUseError as error:
        return Finding(Level.OK, "owner", str(error))
    except OSError as error:
        advice = "run the doctor as the user that runs Rollcall"
        return Finding(Level.WARN, "owner", f"unknown: {error.strerror}", advice)
    return Finding(Level.OK, "owner", "nobody")


def _clock(log: SqliteLog, *, running: bool) -> Finding:
    last = log.last_tick_at()
    found = f"{log.clock_spec}, last tick {last or 'never'}"
    if last is None:
        advice = "nothing is evaluated before the first tick: `rollcall run --until-idle --now T`"
        return Finding(Level.WARN, "clock", found, advice)
    if log.clock_spec.kind == "scenario":
        return Finding(Level.OK, "clock", found)
    age = datetime.now(UTC) - last
    if age < timedelta(0):
        advice = "the machine's clock is behind, or a tick was given with a later --now"
        return Finding(Level.WARN, "clock", f"{found}, in the future", advice)
    if running and age > TICK_STALE:
        advice = "the running system has stopped ticking: restart it"
        return Finding(Level.FAIL, "clock", f"{found}, {age.total_seconds():.0f} s ago", advice)
    return Finding(Level.OK, "clock", found)


def _stages(log: SqliteLog, settings: Settings) -> Iterator[Finding]:
    ours = engine_version(settings)
    for key, waiting in backlog(log).items():
        progress = log.progress(*key)
        done = f"{progress.next_offset} records done, {waiting} waiting"
        if progress.stopped is not None:
            advice = "see the dead letters; mend the cause, then run again"
            yield Finding(Level.FAIL, str(key), f"stands still: {progress.stopped}", advice)
        elif waiting:
            yield Finding(Level.WARN, str(key), done, RUN)
        elif progress.engine not in {None, ours}:
            found = f"{done}; last by engine {progress.engine}, this is {ours}"
            yield Finding(Level.WARN, str(key), found, f"{RUN}: it takes over and says so")
        else:
            yield Finding(Level.OK, str(key), done)


def _store(log: SqliteLog, data: Path) -> Iterator[Finding]:
    if not (data / STORE_FILE).exists():
        yield Finding(Level.WARN, "store", "there is none", f"{RUN}: it is made from the log")
        return
    try:
        with reading(data / STORE_FILE) as engine:
            places = writer_places(engine)
            now = status(engine)
    except RollcallError as error:
        yield Finding(Level.FAIL, "store", str(error), error.hint)
        return
    lags = {place: log.end(*place) - offset for place, offset in places.items()}
    if any(lag < 0 for lag in lags.values()):
        yield Finding(Level.FAIL, "store", "it is ahead of the log", REBUILD)
    elif any(lags.values()):
        yield Finding(Level.WARN, "store", f"{sum(lags.values())} records behind the log", RUN)
    else:
        yield Finding(Level.OK, "store", "as far as the log")
    wrong = [
        one.situation_id for one in now.situations if one.imbalance and not one.imbalance.balanced
    ]
    if wrong:
        advice = f"if the next tick does not mend it, the store has lost rows. {REBUILD}"
        yield Finding(Level.FAIL, "balance", f"figures differ in {', '.join(wrong)}", advice)
    for fault in now.faults:
        where = f"{fault.stage} {fault.partition}"
        advice = "see `rollcall deadletters list --full`"
        yield Finding(Level.WARN, f"fault {fault.fault}", f"{where}: {fault.detail}", advice)
    if not now.faults:
        yield Finding(Level.OK, "faults", "none")
