import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOG_FILE, backup, restore
from streams.clock import WALL, scenario
from streams.core.stage import DESK_INPUT
from streams.errors import (
    BadInputError,
    ClockMismatchError,
    FormatMismatchError,
    LogFailedError,
    LogInUseError,
    NotFoundError,
    ShardsMismatchError,
)
from streams.ports import Commit, Snapshot
from tests.contracts.event_log import EventLogContract, IntakeContract
from tests.support.toy import START, at_desk, dump


class TestSqliteLog(EventLogContract):
    def open(self, directory, **settings):
        return SqliteLog.open(directory, **settings)


class TestSqliteIntake(IntakeContract):
    def open(self, directory, **settings):
        return SqliteLog.open(directory, **settings)


@pytest.fixture
def log(tmp_path):
    log = SqliteLog.open(tmp_path / "data", shards=4)
    yield log
    log.close()


def change(directory, sql, *values):
    """Do to a closed log what its own code never would."""
    database = sqlite3.connect(directory / LOG_FILE)
    database.execute(sql, values)
    database.commit()
    database.close()


def test_only_one_may_write_and_the_other_is_told_what_to_do(log, tmp_path):
    with pytest.raises(LogInUseError, match=r"in use by process \d+") as refusal:
        SqliteLog.open(tmp_path / "data")
    assert "stop that process" in refusal.value.hint
    assert refusal.value.exit_code == 4
    log.close()
    SqliteLog.open(tmp_path / "data").close()


def test_others_may_read_while_one_writes(log, tmp_path):
    log.append([at_desk(1)])
    beside = SqliteLog.open_read_only(tmp_path / "data")
    log.append([at_desk(2)])
    assert dump(beside) == dump(log)
    assert beside.end(DESK_INPUT, 0) == 2
    with pytest.raises(LogFailedError, match="readonly"):
        beside.append([at_desk(3)])
    beside.close()
    log.append([at_desk(3)])


def test_a_reader_can_have_what_it_read_put_on_disk(log, tmp_path, monkeypatch):
    log.append([at_desk(1)], durable=False)
    flushed = []
    fsync = os.fsync

    def noted(number):
        flushed.append(Path(f"/proc/self/fd/{number}").readlink().name)
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    beside = SqliteLog.open_read_only(tmp_path / "data")
    beside.sync()
    assert flushed == [f"{LOG_FILE}-wal", LOG_FILE]
    beside.close()
    log.close()
    flushed.clear()
    beside = SqliteLog.open_read_only(tmp_path / "data")
    beside.sync()
    assert LOG_FILE in flushed
    beside.close()


def test_a_log_that_nobody_has_open_can_be_read(log, tmp_path):
    log.append([at_desk(1)])
    before = dump(log)
    log.close()
    reader = SqliteLog.open_read_only(tmp_path / "data")
    assert dump(reader) == before
    reader.close()


def test_reading_where_there_is_no_log_says_so(tmp_path):
    with pytest.raises(NotFoundError, match="there is no log in"):
        SqliteLog.open_read_only(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_shards_and_clock_are_fixed_at_creation(log, tmp_path):
    log.close()
    SqliteLog.open(tmp_path / "data", shards=4, clock=WALL).close()
    with pytest.raises(ShardsMismatchError, match="has 4 shards, not 8"):
        SqliteLog.open(tmp_path / "data", shards=8)
    with pytest.raises(ClockMismatchError, match=r"runs on the clock wall, not scenario\(2023-02"):
        SqliteLog.open(tmp_path / "data", clock=scenario(START, 60))
    played = tmp_path / "played"
    SqliteLog.open(played, clock=scenario(START, 60)).close()
    for other in (WALL, scenario(START, 1)):
        with pytest.raises(ClockMismatchError, match="another data directory|runs on the clock"):
            SqliteLog.open(played, clock=other)
    SqliteLog.open(tmp_path / "data").close()


def test_a_log_of_another_format_is_not_touched(log, tmp_path):
    log.close()
    change(tmp_path / "data", "UPDATE meta SET value = '2' WHERE name = 'format'")
    with pytest.raises(FormatMismatchError, match="has log format 2; this program reads format 1"):
        SqliteLog.open(tmp_path / "data")


def test_a_file_that_is_no_log_is_refused_with_words(tmp_path):
    (tmp_path / LOG_FILE).write_bytes(b"these are not the bytes of a log" * 99)
    with pytest.raises(LogFailedError, match="not a database") as refusal:
        SqliteLog.open(tmp_path)
    assert "rollcall restore" in refusal.value.hint


def test_a_full_disk_fails_the_call_and_leaves_the_log_whole(log):
    log.append([at_desk(1)])
    (pages,) = log._db.execute("PRAGMA page_count").fetchone()
    log._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LogFailedError, match="full"):
        log.append([at_desk(n) for n in range(2, 1000)])
    log._db.execute("PRAGMA max_page_count = 1000000")
    log.append([at_desk(2)])
    assert [r.offset for r in log.read(DESK_INPUT, 0, 0, 9)] == [0, 1]


def test_a_snapshot_whose_bytes_changed_is_marked(log, tmp_path):
    for offset in (1, 2):
        log.commit(Commit("desk", 0, offset - 1, offset, "v1"))
        log.save_snapshot("desk", 0, Snapshot(offset, "v1", b"state"))
    log.close()
    change(tmp_path / "data", "UPDATE snapshots SET body = ? WHERE off = 2", b"stale")
    log = SqliteLog.open(tmp_path / "data")
    assert [(s.offset, s.intact) for s in log.snapshots("desk", 0)] == [(2, False), (1, True)]
    log.close()


def test_positions_are_for_the_owners_eyes(log, tmp_path):
    log.append([at_desk(1)])
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    for file in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_safety_copy_is_the_log_of_that_moment(log, tmp_path):
    log.intake([[at_desk(1)], [at_desk(2)]])
    then = dump(log)
    backup(tmp_path / "data", tmp_path / "copy.sqlite")
    log.append([at_desk(3)])
    restore(tmp_path / "copy.sqlite", tmp_path / "again")
    again = SqliteLog.open(tmp_path / "again", shards=4)
    assert dump(again) == then
    assert again.known(["e1", "e3"]) == {"e1"}
    again.close()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"data", "again", "copy.sqlite"}


def test_a_safety_copy_writes_over_nothing(log, tmp_path):
    backup(tmp_path / "data", tmp_path / "copy")
    with pytest.raises(BadInputError, match="never written over"):
        backup(tmp_path / "data", tmp_path / "copy")
    log.close()
    with pytest.raises(BadInputError, match="holds a log already"):
        restore(tmp_path / "copy", tmp_path / "data")
    with pytest.raises(NotFoundError):
        restore(tmp_path / "nothing", tmp_path / "new")
    with pytest.raises(NotFoundError):
        backup(tmp_path / "nothing", tmp_path / "new.sqlite")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(BadInputError, match="empty is no safety copy: it is not an SQLite file"):
        restore(tmp_path / "empty", tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "no-log")) as other:
        other.execute("CREATE TABLE other (a)")
    with pytest.raises(FormatMismatchError, match="log format none"):
        restore(tmp_path / "no-log", tmp_path / "new")
