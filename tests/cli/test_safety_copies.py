"""Safety copies: the log and what was sent, of one moment, and never written over."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streams.serving.delivery_log import SqlDeliveryLog
from tests.cli.crisis import happened, scenario


@pytest.fixture
def sent(rollcall):
    """Let a crisis happen and its alert be sent; return a name for a copy."""
    rollcall("replay", scenario(rollcall))
    assert "ben.1 needs help" in rollcall("dispatch", "--until-idle").out
    return rollcall.folder / "copy.sqlite"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_restored_system_knows_what_was_sent_and_rings_nobody_twice(rollcall, sent):
    before = rollcall("export", "deliveries").raw
    beside = rollcall.folder / "copy.deliveries.sqlite"
    assert [line.split(": ")[0] for line in rollcall("backup", sent).lines] == [
        str(sent), str(beside),
    ]  # fmt: skip
    assert beside.stat().st_mode & 0o777 == 0o600
    other = rollcall.folder / "other"
    assert rollcall("restore", sent, data=other).err == ""
    assert rollcall("dispatch", "--until-idle", data=other).out == ""
    assert rollcall("export", "deliveries", data=other).raw == before
    assert (other / "deliveries.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_copy_has_what_a_dispatcher_at_work_has_noted_and_no_half_of_it(rollcall, sent):
    with (
        closing(SqlDeliveryLog.open(rollcall.data)),
        closing(sqlite3.connect(rollcall.data / "deliveries.sqlite")) as writing,
    ):
        writing.execute("UPDATE deliveries SET reason = 'noted'")
        writing.commit()
        writing.execute("UPDATE deliveries SET reason = 'half done'")
        rollcall("backup", sent)
    other = rollcall.folder / "other"
    rollcall("restore", sent, data=other)
    found = rollcall("export", "deliveries", data=other).rows
    assert [(one["channel"], one["state"], one["reason"]) for one in found] == [
        ("console", "delivered", "noted"),
    ]


def test_without_a_dispatcher_there_is_one_file_and_the_restore_says_so(rollcall):
    happened(rollcall)
    copy, other = rollcall.folder / "copy.sqlite", rollcall.folder / "other"
    assert len(rollcall("backup", copy).lines) == 1
    beside = rollcall.folder / "copy.deliveries.sqlite"
    assert rollcall("restore", copy, data=other).err == (
        f"there is no {beside}: what was sent is not known here\n"
    )
    assert not (other / "deliveries.sqlite").exists()


def test_neither_file_of_a_copy_is_written_over_and_none_is_left_half(rollcall, sent):
    rollcall("backup", sent)
    sent.unlink()
    beside = rollcall.folder / "copy.deliveries.sqlite"
    refused = rollcall("backup", sent, code=2)
    assert refused.err.startswith(f"Error: {beside} exists; a safety copy is never written over.")
    assert not sent.exists()
    beside.unlink()
    (rollcall.folder / "copy.sqlite.new").mkdir()  # the log cannot be written under this name
    rollcall("backup", sent, code=2)
    assert not beside.exists()


def test_a_restore_leaves_deliveries_alone_that_are_there(rollcall, sent):
    rollcall("backup", sent)
    kept = rollcall.data / "deliveries.sqlite"
    for path in rollcall.data.glob("log.sqlite*"):
        path.unlink()
    refused = rollcall("restore", sent, code=2)
    assert refused.err == (
        f"Error: {rollcall.data} holds deliveries already; they are never written over.\n"
        f"Next: move {kept} away and keep it, it knows what was sent; or name another directory.\n"
    )
    kept.rename(rollcall.folder / "kept.sqlite")
    wal = kept.with_name("deliveries.sqlite-wal")
    wal.write_bytes(b"of the file that was moved away")
    refused = rollcall("restore", sent, code=2)
    assert refused.err == (
        f"Error: {wal} is left of a file that is gone.\n"
        "Next: move it away, to where the earlier deliveries.sqlite went.\n"
    )
    assert not {"log.sqlite", "deliveries.sqlite"} & names(rollcall.data)
    wal.unlink()
    rollcall("restore", sent)
    assert {"log.sqlite", "deliveries.sqlite"} <= names(rollcall.data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no database" * 99, "file is not a database"),
        (b"", "it has no table attempts"),
    ],
)
def test_a_copy_whose_deliveries_are_none_is_refused_as_a_whole(rollcall, sent, content, said):
    rollcall("backup", sent)
    beside = rollcall.folder / "copy.deliveries.sqlite"
    beside.write_bytes(content)
    other = rollcall.folder / "other"
    refused = rollcall("restore", sent, data=other, code=5)
    assert refused.err.startswith(
        f"Error: the deliveries {beside} could not be copied: {said}.\nNext: "
    )
    assert names(other) == {"log.lock"}
