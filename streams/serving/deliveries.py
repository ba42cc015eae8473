"""Deliveries of alerts: their tables, and what pages, exports and metrics ask.

In ``deliveries.sqlite`` beside the log, or in PostgreSQL in a schema of their own.
Unlike the serving store it cannot be written anew: it knows what was sent.
Only the dispatcher writes it (``streams.serving.delivery_log``).
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Index,
    MetaData,
    Table,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import DatabaseError

from streams.delivery import State
from streams.errors import DeliveriesFailedError, DispatcherRunningError
from streams.serving import postgres, sqlite
from streams.serving.column_types import String, Text, Utc
from streams.serving.migrate import History, check, revision, upgrade
from streams.serving.place import Place, in_words, ready
from streams.serving.postgres import Database

DELIVERIES_FILE = "deliveries.sqlite"

SCHEMA = "deliveries"

LOCK = "rollcall.dispatcher"

KEEP = "keep them, they know what was sent; see docs/alerts.md"

METADATA = MetaData()

deliveries = Table(
    "deliveries",
    METADATA,
    Column("delivery_id", String, primary_key=True),
    Column("alert_id", String, nullable=False, index=True),
    Column("channel", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("intent", String, nullable=False),
    Column("status", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("cause_id", String, nullable=False, index=True),
    Column("audience", String, nullable=False),
    Column("situation_id", String),
    Column("title", String, nullable=False),
    Column("raised_at", Utc, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("attempts", BigInteger, nullable=False),
    Column("next_attempt_wall_at", Utc),
    Column("use_by_at", Utc, nullable=False),
    Column("sent_at", Utc),
    Column("doubt", Boolean, nullable=False),
    Column("uncertain", Boolean, nullable=False),
    Column("last_error", Text),
    Column("decided_at", Utc, nullable=False),
    Column("delivered_at", Utc),
    Column("about", Text),
    Column("body", Text, nullable=False),
    Index("deliveries_by_state", "state", "channel"),
)
"""One alert for one recipient each; ``delivery_id`` is the idempotency key."""

attempts = Table(
    "attempts",
    METADATA,
    Column("delivery_id", String, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("begun_wall_at", Utc, nullable=False),
    Column("ended_wall_at", Utc),
    Column("outcome", String),
    Column("detail", Text),
)
"""Noted before anything is sent; without ``ended_wall_at`` it is in doubt."""

places = Table(
    "places",
    METADATA,
    Column("topic", String, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)
"""How far the log has been turned into deliveries."""

HISTORY = History(SCHEMA, "0001", METADATA, DeliveriesFailedError, KEEP)

INSIDE = frozenset({"body", "about", "seq", "doubt"})
"""Columns that are the dispatcher's own affair."""


class DeliveryNow(NamedTuple):
    """One delivery as a page shows it.

    ``next_attempt_wall_at`` is of the machine's clock, all else of the log's.
    ``reason`` says why it was not sent, ``last_error`` what the last failed
    attempt said; ``uncertain``: it may have arrived more than once, or, where
    it is not delivered, may have arrived all the same.
    """

    delivery_id: str
    alert_id: str
    channel: str
    recipient: str
    intent: str
    status: str
    state: str
    reason: str | None
    attempts: int
    next_attempt_wall_at: datetime | None
    use_by_at: datetime
    uncertain: bool
    last_error: str | None
    decided_at: datetime
    delivered_at: datetime | None


def open_deliveries(place: Place) -> Engine:
    """Return the deliveries in a place for writing, made if not there.

    In a database they are one process's at a time: ``DispatcherRunningError`` in
    any other. Beside a file, whoever opens it sees to that (``delivery_log``).
    """
    with _in_words(place):
        if isinstance(place, Database):
            engine = postgres.engine_to_write_alone(place, SCHEMA, LOCK, _busy(place))
        else:
            engine = sqlite.engine_to_write(place, "FULL")
        return ready(engine, partial(upgrade, history=HISTORY), _check_columns)


@contextmanager
def reading_deliveries(place: Place) -> Iterator[Engine | None]:
    """Yield the deliveries in a place to read from, beside their dispatcher.

    None where there are none because no dispatcher has ever run here.
    """
    if not _are_there(place):
        yield None
        return
    engine = open_to_read(place)
    try:
        yield engine
    finally:
        engine.dispose()


def open_to_read(place: Place) -> Engine:
    """Return existing deliveries; whatever writes will fail."""
    with _in_words(place):
        if isinstance(place, Database):
            engine = postgres.engine_to_read(place, SCHEMA)
            return ready(engine, partial(check, history=HISTORY))
        return ready(sqlite.engine_to_read(place), _check_columns)


def by_alert(engine: Engine) -> dict[str, tuple[DeliveryNow, ...]]:
    """Return all deliveries by alert_id, those of each by channel and recipient."""
    c = deliveries.c
    query = select(*(c[name] for name in DeliveryNow._fields))
    found: dict[str, list[DeliveryNow]] = defaultdict(list)
    with engine.begin() as connection:
        for row in connection.execute(query.order_by(c.channel, c.recipient, c.intent)):
            found[row.alert_id].append(DeliveryNow._make(row))
    return {alert_id: tuple(rows) for alert_id, rows in found.items()}


def counts(engine: Engine) -> dict[tuple[str, str], int]:
    """Return how many deliveries there are by (channel, state); every state stands."""
    c = deliveries.c
    query = select(c.channel, c.state, func.count()).group_by(c.channel, c.state)
    with engine.begin() as connection:
        found = {(channel, state): count for channel, state, count in connection.execute(query)}
    channels = sorted({channel for channel, _ in found})
    return {
        (one, state.value): found.get((one, state.value), 0) for one in channels for state in State
    }


def uncertain_count(engine: Engine) -> int:
    """Return how many deliveries are marked uncertain."""
    query = select(func.count()).where(deliveries.c.uncertain)
    with engine.begin() as connection:
        return int(connection.execute(query).scalar_one())


def oldest_pending(engine: Engine) -> datetime | None:
    """Return when the oldest alert not yet sent was raised; None if none waits."""
    query = select(func.min(deliveries.c.raised_at)).where(deliveries.c.state == State.PENDING)
    with engine.begin() as connection:
        found: datetime | None = connection.execute(query).scalar_one()
        return found


def rows(engine: Engine, situation_id: str | None = None) -> list[dict[str, Any]]:
    """Return all deliveries for an export, by (raised_at, delivery_id)."""
    c = deliveries.c
    query = select(*(column for column in c if column.name not in INSIDE))
    if situation_id is not None:
        query = query.where(c.situation_id == situation_id)
    with engine.begin() as connection:
        found = connection.execute(query.order_by(c.raised_at, c.delivery_id))
        return [dict(row) for row in found.mappings()]


def _are_there(place: Place) -> bool:
    if not isinstance(place, Database):
        try:
            return not sqlite.is_missing(place)
        except OSError as error:
            what = f"the deliveries {place} cannot be reached: {error.strerror}"
            raise DeliveriesFailedError(what, hint=sqlite.REACH) from error
    engine = postgres.engine_to_read(place, SCHEMA)
    try:
        with _in_words(place), engine.connect() as connection:
            return revision(connection) is not None
    finally:
        engine.dispose()


def _busy(database: Database) -> DispatcherRunningError:
    what = f"the deliveries in {database} are in the hands of another dispatcher"
    return DispatcherRunningError(what, hint="one dispatcher is enough; stop that one")


@contextmanager
def _in_words(place: Place) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        what = f"the deliveries {place} cannot be opened: {in_words(error.orig)}"
        raise DeliveriesFailedError(what, hint=KEEP) from error


def _check_columns(engine: Engine) -> None:
    """Raise if they were made with other tables than ours."""
    found = inspect(engine)
    for table in METADATA.sorted_tables:
        there = set()
        if found.has_table(table.name):
            there = {column["name"] for column in found.get_columns(table.name)}
        if there != {column.name for column in table.columns}:
            what = f"the deliveries were made by another version: table {table.name} differs"
            raise DeliveriesFailedError(what, hint=KEEP)
