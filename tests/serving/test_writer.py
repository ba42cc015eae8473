"""The writer: from a real log to a real store, read again, killed, doubled."""

import sqlite3
from contextlib import closing

import msgspec
import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError

from schemas.alert import AlertAcknowledged
from schemas.codelists import Bucket, FeedState, Status
from schemas.incident import SituationChanged
from schemas.operations import FaultRaised, FeedHealthChanged, MessageRejected
from streams.backends.sqlite import SqliteLog
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.errors import DeliveriesFailedError, StoreConflictError, StoreFailedError
from streams.ports import NewRecord
from streams.serving import tables as t
from streams.serving.deliveries import reading_deliveries
from streams.serving.queries import status, writer_places
from streams.serving.store import open_store, reading, rebuild_of
from streams.serving.writer import Writer, lag
from streams.topology import DEAD_LETTERS, OPERATIONS
from tests.serving.builders import AT, INCIDENT, SHARDS, SITUATION, ZONE, base, moved, story


@pytest.fixture
def log(tmp_path):
    with closing(SqliteLog.open(tmp_path, shards=SHARDS)) as one:
        yield one


def contents(engine):
    """Return every row of every table, sorted."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in t.METADATA.sorted_tables
        }


def ledger(engine):
    with engine.connect() as connection:
        rows = connection.execute(select(t.ledger.c.person_id, t.ledger.c.bucket))
        return dict(tuple(row) for row in rows)


def test_the_rows_are_what_was_said_last(log, store):
    log.append(story())
    assert Writer(log, store).drain() == 15
    assert ledger(store) == {"a.1": "unaccounted", "b.1": "safe"}
    found = contents(store)
    assert [len(found[name]) for name in ("exposures", "movements", "zones", "alerts")] == [
        3, 5, 1, 1,
    ]  # fmt: skip
    with store.connect() as connection:
        assert connection.scalar(select(t.situations.c.onset_at)) == AT
    assert lag(log, store) == 0


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_size_of_batches_changes_nothing(log, new_place, batch):
    log.append(story())
    whole, split = open_store(new_place()), open_store(new_place())
    Writer(log, whole).drain()
    Writer(log, split, batch=batch).drain()
    assert contents(split) == contents(whole)
    whole.dispose()
    split.dispose()


def test_reading_again_from_the_beginning_changes_nothing(log, store):
    log.append(story())
    Writer(log, store).drain()
    before = contents(store)
    with store.begin() as connection:
        connection.execute(t.writer_offsets.update().values(next_offset=0))
    assert Writer(log, store, batch=4).drain() == 15
    assert contents(store) == before


def test_a_second_writer_is_found_out_before_it_writes(log, store, place):
    log.append(story())
    other = open_store(place)
    late = Writer(log, other)
    Writer(log, store).drain()
    before = contents(store)
    with pytest.raises(StoreConflictError) as raised:
        late.drain()
    assert str(raised.value) == "another writer has moved on in desk-output 0; this one stops"
    assert raised.value.hint == "Run one writer for a serving store."
    assert contents(store) == before
    other.dispose()


class Killed(BaseException):
    """Stands for the end of the process."""


def test_killed_before_any_commit_the_next_writer_ends_at_the_same_rows(log, new_place):
    log.append(story())
    undisturbed = open_store(new_place())
    Writer(log, undisturbed).drain()
    wanted = contents(undisturbed)
    undisturbed.dispose()
    deaths = 0
    for nth in range(20):
        engine = open_store(new_place())
        Writer(log, engine)
        commits = iter(range(nth, -1, -1))

        def die(_connection, left=commits):
            if next(left) == 0:
                raise Killed

        event.listen(engine, "commit", die)
        try:
            Writer(log, engine, batch=2).drain()
        except Killed:
            deaths += 1
        else:
            break
        finally:
            event.remove(engine, "commit", die)
        Writer(log, engine).drain()
        assert contents(engine) == wanted
        engine.dispose()
    engine.dispose()
    assert deaths > 5


def test_a_store_of_another_log_is_refused_with_words(log, store, tmp_path):
    log.append(story())
    Writer(log, store).drain()
    with (
        closing(SqliteLog.open(tmp_path / "other", shards=SHARDS)) as empty,
        pytest.raises(StoreFailedError) as raised,
    ):
        Writer(empty, store)
    assert str(raised.value) == "the serving store is ahead of the log in desk-output 0"
    assert rebuild_of(store) in raised.value.hint


def test_a_store_with_other_tables_is_refused_with_words(tmp_path):
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.execute("CREATE TABLE ledger (person_id TEXT PRIMARY KEY)")
    with pytest.raises(StoreFailedError) as raised:
        open_store(path)
    assert "table ledger differs" in str(raised.value)


def test_what_is_no_database_is_refused_with_words(tmp_path):
    path = tmp_path / "serving.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreFailedError, match="file is not a database"):
        open_store(path)


def test_void_things_leave_the_store_with_their_sums(log, store):
    log.append(story())
    gone = [
        NewRecord(DESK_OUTPUT, 0, "x", msgspec.structs.replace(one, event_id="v", void=True))
        for one in (SITUATION, INCIDENT, ZONE)
    ]
    writer = Writer(log, store)
    writer.drain()
    log.append(gone)
    writer.drain()
    found = contents(store)
    assert [found[name] for name in ("situations", "sums", "incidents", "zones")] == [[]] * 4


def test_an_exercise_never_touches_a_live_row(log, store):
    drill = moved("d1", "a.1", Bucket.NEEDS_HELP, status=Status.EXERCISE)
    log.append([*story(), NewRecord(SHARD_OUTPUT, 0, "a.1", drill)])
    Writer(log, store).drain()
    with store.connect() as connection:
        rows = connection.execute(
            select(t.ledger.c.status, t.ledger.c.bucket).where(t.ledger.c.person_id == "a.1")
        ).all()
    assert sorted(map(tuple, rows)) == [("Actual", "unaccounted"), ("Exercise", "needs_help")]
    (situation,) = status(store).situations
    assert situation.rows_known == 2


def test_operations_faults_clear_and_letters_take_their_last_word(log, store):
    health = FeedHealthChanged(**base("h1"), feed="usgs", state=FeedState.DOWN, reason="503")
    fault = FaultRaised(
        **base("f1"), fault="record_quarantined", stage="shard", partition=1, detail="boom"
    )
    letter = MessageRejected(
        **base("l1"),
        reason="boom",
        topic="shard-input",
        partition=1,
        offset=7,
        message_type="CheckedIn",
        body="{}",
    )
    log.append(
        [
            NewRecord(OPERATIONS, 0, "usgs", health),
            NewRecord(OPERATIONS, 0, "shard 1", fault),
            NewRecord(DEAD_LETTERS, 0, "x", letter),
        ]
    )
    writer = Writer(log, store)
    writer.drain()
    now = status(store)
    assert [(f.feed, f.state) for f in now.feeds or ()] == [("usgs", "down")]
    assert [(f.fault, f.detail) for f in now.faults] == [("record_quarantined", "boom")]
    assert now.dead_letters == 1
    cleared = msgspec.structs.replace(fault, event_id="f2", cleared=True)
    retried = msgspec.structs.replace(letter, retried_at=AT)
    log.append(
        [NewRecord(OPERATIONS, 0, "shard 1", cleared), NewRecord(DEAD_LETTERS, 0, "x", retried)]
    )
    writer.drain()
    assert status(store).faults == ()
    assert status(store).dead_letters == 0
    assert len(contents(store)["deadletters"]) == 1


def test_the_first_to_acknowledge_an_alert_stays(log, store):
    acks = [
        AlertAcknowledged(**base(f"k{by}"), alert_id="alert-1", by=by, reason="seen")
        for by in ("officer7", "officer8")
    ]
    log.append([*story(), *(NewRecord(ROOM_OUTPUT, 0, "a", ack) for ack in acks)])
    writer = Writer(log, store, batch=100)
    writer.drain()
    assert status(store).alerts == ()
    with store.connect() as connection:
        assert connection.scalars(select(t.acknowledgements.c.by)).all() == ["officer7"]


def test_the_place_is_kept_for_every_partition(log, store):
    log.append(story())
    Writer(log, store).drain()
    assert writer_places(store) == {
        ("shard-input", 0): 0,
        ("shard-input", 1): 0,
        ("desk-input", 0): 0,
        ("room-input", 0): 0,
        ("desk-output", 0): 3,
        ("shard-output", 0): 2,
        ("shard-output", 1): 7,
        ("room-output", 0): 3,
        ("dead-letters", 0): 0,
        ("operations", 0): 0,
    }


def loop(folder):
    (folder / "serving.sqlite").symlink_to(folder / "serving.sqlite")
    return folder / "serving.sqlite"


def below_a_file(folder):
    (folder / "data").touch()
    return folder / "data" / "serving.sqlite"


@pytest.mark.parametrize(
    ("make", "why"),
    [(loop, "Too many levels of symbolic links"), (below_a_file, "Not a directory")],
)
def test_only_a_file_that_is_not_there_is_an_empty_store(tmp_path, make, why):
    path = make(tmp_path)
    with pytest.raises(StoreFailedError, match=f"{path} cannot be reached: {why}"), reading(path):
        pass
    with (
        pytest.raises(DeliveriesFailedError, match=f"{path} cannot be reached: {why}"),
        reading_deliveries(path),
    ):
        pass


def test_reading_a_file_that_is_not_there_makes_nothing(tmp_path):
    with reading(tmp_path / "nowhere.sqlite") as empty:
        assert status(empty).as_of is None
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_reader_writes_nothing(log, store, place):
    log.append(story())
    Writer(log, store).drain()
    with (
        reading(place) as engine,
        engine.connect() as connection,
        pytest.raises(DBAPIError, match=r"readonly|read-only"),
    ):
        connection.execute(t.ledger.delete())


def test_a_text_with_nul_is_written_without_it_and_said_in_the_log(log, store, caplog):
    odd = msgspec.structs.replace(SITUATION, title="M 7.8\0 Gaziantep")
    log.append([NewRecord(DESK_OUTPUT, 0, "sit-1", odd), *story()[1:]])
    Writer(log, store).drain()
    (situation,) = status(store).situations
    assert situation.title == "M 7.8␀ Gaziantep"
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == "desk-output 0 at offset 0 has a text with NUL; it is stored as U+2400"
    with store.connect() as connection:
        body = connection.scalar(select(t.situations.c.body))
    assert msgspec.json.decode(body, type=SituationChanged) == odd


def test_numbers_of_more_than_32_bits_are_kept(log, store):
    letter = MessageRejected(
        **base("l1"), reason="no", topic="shard-input", partition=1, offset=2**40,
        message_type="CheckedIn", body="{}",
    )  # fmt: skip
    log.append([NewRecord(DEAD_LETTERS, 0, "x", letter)])
    Writer(log, store).drain()
    with store.connect() as connection:
        assert connection.scalar(select(t.deadletters.c.offset)) == 2**40
