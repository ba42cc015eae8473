"""The dispatcher's side of the deliveries: who writes them, and the lock.

Every method is one transaction, on disk when it returns.
"""

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, insert, select, update

from schemas.alert import AlertRaised
from schemas.codec import encode
from streams.delivery import About, Delivery, Ended, State
from streams.errors import CommitConflictError, DispatcherRunningError
from streams.serving.deliveries import DELIVERIES_FILE, open_deliveries
from streams.serving.deliveries import attempts as a
from streams.serving.deliveries import deliveries as d
from streams.serving.deliveries import places as p
from streams.serving.postgres import Database

LOCK_FILE = "dispatch.lock"

_alert = msgspec.json.Decoder(AlertRaised)
_about = msgspec.json.Decoder(About)

_CHANGING = (
    "state", "reason", "attempts", "next_attempt_wall_at", "sent_at", "doubt", "uncertain",
    "last_error", "decided_at", "delivered_at",
)  # fmt: skip
_LATER = ("use_by_at", "seq", "channel", "recipient", "delivery_id")


class SqlDeliveryLog:
    """``streams.delivery.DeliveryLog`` on SQL tables."""

    def __init__(self, engine: Engine, lock: int | None = None) -> None:
        """Use ``open`` instead."""
        self.engine = engine
        self._lock = lock

    @classmethod
    def open(cls, where: Path | Database) -> Self:
        """Open the deliveries of a data directory or a database, held by one process at a time.

        The operating system, or the server, takes the lock back when the process ends.
        """
        if isinstance(where, Database):
            return cls(open_deliveries(where))
        data = where
        lock = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(lock, data)
            return cls(open_deliveries(data / DELIVERIES_FILE), lock)
        except BaseException:
            os.close(lock)
            raise

    def place(self, topic: str) -> int:
        """Return the first offset of ``topic`` not yet turned into deliveries."""
        with self.engine.begin() as connection:
            query = select(p.c.next_offset).where(p.c.topic == topic)
            return connection.execute(query).scalar_one_or_none() or 0

    def take(
        self, topic: str, from_offset: int, next_offset: int, deliveries: Sequence[Delivery]
    ) -> list[Delivery]:
        """Add deliveries and move the place, in one transaction."""
        with self.engine.begin() as connection:
            given: dict[str, Delivery] = {}
            for one in deliveries:
                given.setdefault(one.delivery_id, one)
            known = {
                name
                for name in given
                for _ in connection.execute(select(d.c.seq).where(d.c.delivery_id == name))
            }
            new = [one for name, one in given.items() if name not in known]
            if new:
                connection.execute(insert(d), [_values(one) for one in new])
            _move(connection, topic, from_offset, next_offset)
        return new

    def pending(self) -> list[Delivery]:
        """Return the pending deliveries, by (seq, delivery_id)."""
        query = select(d).where(d.c.state == State.PENDING)
        return self._read(query.order_by(d.c.seq, d.c.delivery_id))

    def in_doubt(self) -> set[str]:
        """Return the ids of deliveries whose latest attempt has no outcome."""
        with self.engine.begin() as connection:
            query = select(a.c.delivery_id).where(a.c.ended_wall_at.is_(None))
            return set(connection.execute(query).scalars())

    def original_of(self, correction: Delivery) -> Delivery | None:
        """Return the delivery of the alert that a correction is about, if any."""
        alert = correction.alert
        same = {
            "channel": correction.channel,
            "recipient": correction.recipient,
            "rule": alert.rule,
            "cause_id": alert.cause_id,
            "audience": alert.audience,
            "status": alert.status.value,
            "intent": "alert",
        }
        query = select(d).where(*(d.c[name] == value for name, value in same.items()))
        found = self._read(query.order_by(d.c.seq.desc()).limit(1))
        return found[0] if found else None

    def begin(self, delivery: Delivery, wall_at: datetime) -> None:
        """Note that attempt number ``delivery.attempts`` is about to be made."""
        with self.engine.begin() as connection:
            _update(connection, delivery)
            values = {
                "delivery_id": delivery.delivery_id,
                "number": delivery.attempts,
                "begun_wall_at": wall_at,
            }
            connection.execute(insert(a), values)

    def end(self, delivery: Delivery, ended: Ended) -> None:
        """Note how the latest attempt ended, and where the delivery stands now."""
        with self.engine.begin() as connection:
            _update(connection, delivery)
            connection.execute(
                update(a)
                .where(a.c.delivery_id == delivery.delivery_id, a.c.number == delivery.attempts)
                .values(ended_wall_at=ended.at, outcome=ended.outcome, detail=ended.detail)
            )

    def change(self, deliveries: Sequence[Delivery]) -> None:
        """Note where deliveries stand now, without an attempt, all or none."""
        with self.engine.begin() as connection:
            for one in deliveries:
                _update(connection, one)

    def close(self) -> None:
        """Let go of the deliveries and of the lock; twice is harmless."""
        self.engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _read(self, query: Select[Any]) -> list[Delivery]:
        with self.engine.begin() as connection:
            return [_delivery(row) for row in connection.execute(query)]


def _take(lock: int, data: Path) -> None:
    """Take the lock at once, or say who has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        what = f"the deliveries in {data} are in the hands of process {owner}"
        raise DispatcherRunningError(
            what, hint="one dispatcher is enough; stop that one"
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _move(connection: Connection, topic: str, from_offset: int, next_offset: int) -> None:
    """Move the place by compare-and-set."""
    query = select(p.c.next_offset).where(p.c.topic == topic)
    if connection.execute(query).scalar_one_or_none() is None:
        connection.execute(insert(p), {"topic": topic, "next_offset": 0})
    moved = connection.execute(
        update(p)
        .where(p.c.topic == topic, p.c.next_offset == from_offset)
        .values(next_offset=next_offset)
    )
    if moved.rowcount != 1:
        what = f"the deliveries of {topic} are not at offset {from_offset}"
        raise CommitConflictError(what, hint="another dispatcher is at work; stop one of them")


def _update(connection: Connection, delivery: Delivery) -> None:
    values = {name: getattr(delivery, name) for name in _CHANGING} | {
        "about": _text(delivery.about)
    }
    connection.execute(
        update(d).where(d.c.delivery_id == delivery.delivery_id).values(_plain(values))
    )


def _values(delivery: Delivery) -> dict[str, Any]:
    alert = delivery.alert
    values = {name: getattr(delivery, name) for name in (*_CHANGING, *_LATER)}
    names = "alert_id intent status rule cause_id audience situation_id title raised_at"
    values |= {name: getattr(alert, name) for name in names.split()}
    return _plain(values) | {"body": encode(alert).decode(), "about": _text(delivery.about)}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with code lists as their text."""
    return {name: str(one) if isinstance(one, str) else one for name, one in values.items()}


def _text(about: About | None) -> str | None:
    return None if about is None else msgspec.json.encode(about).decode()


def _delivery(row: Row[Any]) -> Delivery:
    said = {name: getattr(row, name) for name in (*_CHANGING, *_LATER)}
    said["state"] = State(row.state)
    about = None if row.about is None else _about.decode(row.about)
    return Delivery(**said, alert=_alert.decode(row.body), about=about)
