"""Safety copies: the log, and beside it what was sent; all else is made from the log.

The deliveries are copied before the log, so that they never know more of it
than is copied. A log without them would ring everybody anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.backends import sqlite_file
from streams.errors import BadInputError, DeliveriesFailedError
from streams.serving.deliveries import DELIVERIES_FILE, KEEP, METADATA
from streams.sqlite_files import copy_checked


def deliveries_beside(file: Path) -> Path:
    """Return where the deliveries of a safety copy ``file`` stand."""
    return file.with_name(f"{file.stem}.deliveries{file.suffix}")


def back_up(data: Path, file: Path) -> list[Path]:
    """Write a safety copy of ``data`` to the new ``file``; return the files written.

    The deliveries, where a dispatcher has ever run, go to a file beside it.
    """
    beside = deliveries_beside(file)
    if beside.exists():
        what = f"{beside} exists; a safety copy is never written over"
        raise BadInputError(what, hint="name another file")
    sqlite_file.backup(data, file, together=_copied(data / DELIVERIES_FILE, beside))
    return [one for one in (file, beside) if one.exists()]


def restore(file: Path, data: Path) -> bool:
    """Make ``data`` from the safety copy ``file``; tell whether it had deliveries.

    Refused where a log or deliveries are already.
    """
    kept, beside = data / DELIVERIES_FILE, deliveries_beside(file)
    if kept.exists():
        what = f"{data} holds deliveries already; they are never written over"
        hint = f"move {kept} away and keep it, it knows what was sent; or name another directory"
        raise BadInputError(what, hint=hint)
    sqlite_file.restore(file, data, together=_copied(beside, kept))
    return kept.exists()


@contextmanager
def _copied(source: Path, target: Path) -> Iterator[None]:
    """Copy the deliveries, if there are any; if what follows fails, take them away."""
    there = source.exists()
    if there:
        try:
            copy_checked(source, target, _check)
        except sqlite3.Error as error:
            what = f"the deliveries {source} could not be copied: {error}"
            raise DeliveriesFailedError(what, hint=KEEP) from error
    try:
        yield
    except BaseException:
        if there:
            target.unlink(missing_ok=True)
        raise


def _check(deliveries: sqlite3.Connection) -> None:
    """Raise if a file holds other tables than deliveries."""
    found = {name for (name,) in deliveries.execute("SELECT name FROM sqlite_master")}
    if missing := sorted(METADATA.tables.keys() - found):
        msg = f"it has no table {missing[0]}"
        raise sqlite3.DatabaseError(msg)
