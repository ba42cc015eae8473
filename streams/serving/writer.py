"""The writer: from the outputs of the stages to the rows of the store.

The place in the log is kept in the store and moves, by compare-and-set, in
the transaction of the rows it stands for. So a kill at any moment loses and
doubles nothing, reading again changes nothing, and a second writer is found
out before it can write. Rows are absolute; what a batch says twice about one
row is written once, as last said.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, bindparam, update

from schemas.codec import UndecodableError, decode
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT, SHARD_OUTPUT
from streams.errors import StoreConflictError, StoreFailedError
from streams.ports import EventLog, Record
from streams.serving import journals as j
from streams.serving import postgres, sqlite
from streams.serving import tables as t
from streams.serving.changes import rows_of_changes, version_row
from streams.serving.column_types import storable
from streams.serving.inputs import INPUTS, row_of_input
from streams.serving.queries import writer_places
from streams.serving.rows import ONCE, Row, rows_of
from streams.serving.store import rebuild_of
from streams.topology import DEAD_LETTERS, OPERATIONS
from streams.topology import TOPICS as DECLARED

TOPICS = (*INPUTS, DESK_OUTPUT, SHARD_OUTPUT, ROOM_OUTPUT, DEAD_LETTERS, OPERATIONS)
"""Topics that the writer reads, in this order: what came in, then the rows, then
the sums of them."""

ESCAPED_NUL = b"\\u0000"

LOG = logging.getLogger(__name__)

SHARDED = frozenset(topic.name for topic in DECLARED if topic.sharded)


class Writer:
    """Carries the stages' outputs from a log into a store."""

    def __init__(self, log: EventLog, engine: Engine, *, batch: int = 2_000) -> None:
        """Write at most ``batch`` records in one transaction."""
        self._log = log
        self.engine = engine
        self._batch = batch
        self._places = self._read_places()

    def drain(self) -> int:
        """Write all that is in the log; return the number of records read."""
        count = 0
        for topic, partition in partitions(self._log.shards):
            while step := self._step(topic, partition):
                count += step
        return count

    def take(self, places: Collection[tuple[str, int]]) -> int:
        """Write a batch of each of ``places``, in the writer's order; return how many."""
        return sum(self._step(*one) for one in partitions(self._log.shards) if one in places)

    def settle(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Move on over what is no record, up to where nothing more is to be read.

        Kafka's marks of transactions have offsets too.
        """
        ahead = {one: end for one, end in ends.items() if end > self._places[one]}
        if not ahead:
            return
        with self.engine.begin() as connection:
            for place, end in ahead.items():
                self._move(connection, *place, self._places[place], end)
        self._places.update(ahead)

    def close(self) -> None:
        """Let go of the store."""
        self.engine.dispose()

    def _read_places(self) -> dict[tuple[str, int], int]:
        """Return the next offset of every partition, noting new ones as 0."""
        places = writer_places(self.engine)
        new = []
        with self.engine.begin() as connection:
            for topic, partition in partitions(self._log.shards):
                if (topic, partition) not in places:
                    values = {"topic": topic, "partition": partition, "next_offset": 0}
                    places[topic, partition] = 0
                    new.append(values)
            if new:
                _write(connection, t.writer_offsets, new, once=True)
        for (topic, partition), place in places.items():
            if place > self._log.end(topic, partition):
                what = f"the serving store is ahead of the log in {topic} {partition}"
                raise StoreFailedError(
                    what, hint=f"It belongs to another log. {rebuild_of(self.engine)}"
                )
        return places

    def _step(self, topic: str, partition: int) -> int:
        """Write one batch of one partition; return its size, 0 at the end."""
        place = self._places[topic, partition]
        records = self._log.read(topic, partition, place, self._batch)
        if not records:
            return 0
        rows = rows_of_records(records)
        next_offset = records[-1].offset + 1
        self._log.sync()
        with self.engine.begin() as connection:
            self._move(connection, topic, partition, place, next_offset)
            write_rows(connection, rows)
            versions = (row.values for row in rows if row.table is j.versions and row.values)
            if about_ids := {values["about_id"] for values in versions}:
                write_rows(connection, rows_of_changes(connection, about_ids))
        self._places[topic, partition] = next_offset
        return len(records)

    def _move(self, connection: Connection, topic: str, partition: int, old: int, new: int) -> None:
        """Advance the place from ``old`` to ``new``, or find that it moved."""
        offsets = t.writer_offsets
        here = and_(offsets.c.topic == topic, offsets.c.partition == partition)
        moved = connection.execute(
            update(offsets).where(here, offsets.c.next_offset == old).values(next_offset=new)
        )
        if moved.rowcount != 1:
            what = f"another writer has moved on in {topic} {partition}; this one stops"
            raise StoreConflictError(what, hint="Run one writer for a serving store.")


def partitions(shards: int) -> Iterator[tuple[str, int]]:
    """Yield every (topic, partition) that the writer reads, in its order."""
    for topic in TOPICS:
        for partition in range(shards if topic in SHARDED else 1):
            yield topic, partition


def lag(log: EventLog, engine: Engine) -> int:
    """Return how many records that the stages wrote are not yet in a store.

    What came in is not counted here: until its stage has dealt with it, it is
    waiting there, and it changes no number before that.
    """
    places = writer_places(engine)
    said = (one for one in partitions(log.shards) if one[0] not in INPUTS)
    return sum(log.end(*one) - places.get(one, 0) for one in said)


def rows_of_records(records: Sequence[Record]) -> list[Row]:
    """Return what a batch makes true: of each row, what was said last."""
    latest: dict[tuple[Table, tuple[Any, ...]], Row] = {}
    for record in records:
        for row in _rows_of_record(record):
            if row.table in ONCE and (row.table, row.key) in latest:
                continue
            latest[row.table, row.key] = row
    return list(latest.values())


def _rows_of_record(record: Record) -> list[Row]:
    """Return what one record makes true.

    In JSON a NUL is always escaped, so looking for that finds every record with one.
    """
    rows = _rows_said(record)
    if ESCAPED_NUL not in record.body:
        return rows
    clean = [_without_nul(row) for row in rows]
    if clean != rows:
        place = (record.topic, record.partition, record.offset)
        LOG.warning("%s %d at offset %d has a text with NUL; it is stored as U+2400", *place)
    return clean


def _without_nul(row: Row) -> Row:
    key = tuple(_storable(value) for value in row.key)
    values = row.values and {name: _storable(value) for name, value in row.values.items()}
    return Row(row.table, key, values)


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _rows_said(record: Record) -> list[Row]:
    if record.topic in INPUTS:
        kept = row_of_input(record)
        return [] if kept is None else [kept]
    try:
        said = decode(record.name, record.body, record.version)
    except UndecodableError as error:
        where = f"{record.topic} {record.partition} at offset {record.offset}"
        what = f"the record of {where} cannot be read: {error}"
        raise StoreFailedError(what, hint="Use the version that wrote this log.") from error
    version = version_row(record, said)
    return rows_of(said) if version is None else [*rows_of(said), version]


def write_rows(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert, update and delete rows, of each key one; those of one table in one go."""
    writes: dict[Table, list[dict[str, Any]]] = {}
    deletes: dict[Table, list[dict[str, Any]]] = {}
    for row in rows:
        if row.values is None:
            names = [f"key_{column.name}" for column in row.table.primary_key]
            deletes.setdefault(row.table, []).append(dict(zip(names, row.key, strict=True)))
        else:
            writes.setdefault(row.table, []).append(row.values)
    for table, keys in deletes.items():
        where = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
        connection.execute(table.delete().where(*where), keys)
    for table, values in writes.items():
        _write(connection, table, values, once=table in ONCE)


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]], *, once: bool) -> None:
    database = sqlite if connection.dialect.name == "sqlite" else postgres
    database.write(connection, table, rows, once=once)
