"""Reading partitions of a cluster by offset, only what is committed.

A reader belongs to one thread. It holds a client, and a place in every
partition that it was asked about.
``read`` is exact: it returns nothing only where nothing committed is left.
``wait`` lets a loop sleep until there is something, without asking the brokers.
"""

from collections import deque
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.backends.kafka.asker import Asker, Place, failed
from streams.backends.kafka.clients import for_reading
from streams.backends.kafka.wire import Headers, record_of, tick_at
from streams.core.stage import DESK_INPUT
from streams.ports import READ_BYTES, Record
from streams.sections import KafkaSettings

FETCH_S = 0.1
"""Longest sleep between two looks whether a read is over."""

AT_ONCE = 5_000
"""Messages taken over from the client's own threads at once."""

TICK_LOOK = 256
"""Offsets at the end of a topic in which a tick is looked for first."""

FULL_BYTES = 2 * READ_BYTES
"""With so much unread, a partition is not fetched while others are."""


class _Held:
    """What was fetched of one partition: [``low``, ``high``) is known here."""

    def __init__(self, offset: int) -> None:
        self.low = self.high = offset
        self.records: deque[Record] = deque()
        self.size = 0
        self.paused = False

    def put(self, record: Record) -> None:
        self.records.append(record)
        self.size += len(record.body)

    def pop(self) -> Record:
        record = self.records.popleft()
        self.size -= len(record.body)
        return record


class Reader:
    """Reads by offset, for one thread; what ends where it asks of ``asker``."""

    def __init__(self, settings: KafkaSettings, asker: Asker) -> None:
        """Connect, and read nothing yet."""
        self._settings = settings
        self._prefix = settings.prefix
        self._asker = asker
        self._consumer = Consumer(for_reading(settings, asker.group))
        self._held: dict[Place, _Held] = {}

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return committed records from ``offset`` on, in order, at most ``limit``."""
        place = (topic, partition)
        held = self._held.get(place)
        end = None
        if held is None or not held.low <= offset <= held.high:
            end = self._asker.end(topic, partition)
            if offset > end:
                return []
        held = self._at(place, offset)
        while not held.records:
            end = self._asker.end(topic, partition) if end is None else end
            if held.high >= end:
                break
            self._fetch(FETCH_S)
        return _taken(held, limit)

    def wait(self, places: Collection[Place], timeout_s: float) -> list[Place]:
        """Return which of ``places`` have something to read, after a sleep if none.

        Only places that were read before can.
        """
        if ready := self._ready(places):
            return ready
        self._fetch(timeout_s)
        return self._ready(places)

    def _ready(self, places: Collection[Place]) -> list[Place]:
        return [place for place in places if self._held[place].records]

    def upto(self, topic: str, partition: int) -> int:
        """Return the offset up to which, as of the last read, there is nothing more."""
        held = self._held[topic, partition]
        return held.low if held.records else held.high

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    # ------------------------------------------------------------------ inside

    def _at(self, place: Place, offset: int) -> _Held:
        """Return what is held of a place, such that it goes on at ``offset``."""
        topic, partition = place
        held = self._held.get(place)
        asked = TopicPartition(self._prefix + topic, partition, offset)
        try:
            if held is None:
                held = self._held[place] = _Held(offset)
                self._consumer.incremental_assign([asked])
            elif not held.low <= offset <= held.high:
                held = self._held[place] = _Held(offset)
                # A seek can bring what was fetched before it; an assignment cannot.
                self._consumer.incremental_unassign([TopicPartition(asked.topic, partition)])
                self._consumer.resume([asked])
                self._consumer.incremental_assign([asked])
            elif held.paused and held.size < FULL_BYTES:
                held.paused = False
                self._consumer.resume([asked])
        except KafkaException as error:
            raise failed(self._settings, error, f"reading {topic} {partition}") from error
        while held.records and held.records[0].offset < offset:
            held.pop()
        held.low = offset
        return held

    def _fetch(self, timeout_s: float) -> None:
        """Take over what has come in, waiting that long for the first of it."""
        first = self._consumer.poll(timeout_s)
        if first is None:
            return
        for message in (first, *self._consumer.consume(AT_ONCE, timeout=0)):
            self._take(message)

    def _take(self, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        error = message.error()
        if topic is None or partition is None or offset is None:
            if error is not None and error.fatal():
                raise failed(self._settings, error, "reading")
            return
        held = self._held[topic.removeprefix(self._prefix), partition]
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - so the library names it
                raise failed(self._settings, error, f"reading {topic} {partition}")
            held.high = max(held.high, offset)
            return
        if offset < held.high:
            return
        held.high = offset + 1
        held.put(
            record_of(
                topic.removeprefix(self._prefix),
                partition,
                offset,
                _bytes(message.key()),
                _bytes(message.value()),
                _headers(message),
                message.timestamp()[1],
            )
        )
        if held.size >= FULL_BYTES and not held.paused:
            held.paused = True
            self._consumer.pause([TopicPartition(topic, partition)])


def between(reader: Reader, topic: str, partition: int, begin: int, end: int) -> Iterator[Record]:
    """Yield the records of [``begin``, ``end``)."""
    while begin < end:
        records = reader.read(topic, partition, begin, end - begin)
        yield from (record for record in records if record.offset < end)
        if not records:
            return
        begin = records[-1].offset + 1


def last_tick_at(asker: Asker, reader: Reader) -> datetime | None:
    """Return the time of the newest tick of the desk's input, None before any.

    Looks from its end backwards, in steps that grow.
    """
    begin = asker.end(DESK_INPUT, 0)
    first, step = asker.begin(DESK_INPUT, 0), TICK_LOOK
    while begin > first:
        upto, begin, step = begin, max(first, begin - step), step * 4
        ticks = [at for at in map(tick_at, between(reader, DESK_INPUT, 0, begin, upto)) if at]
        if ticks:
            return max(ticks)
    return None


def _taken(held: _Held, limit: int) -> list[Record]:
    """Take at most ``limit`` records, and no more than fit in memory."""
    records: list[Record] = []
    size = 0
    while held.records and len(records) < limit:
        size += len(held.records[0].body)
        if records and size > READ_BYTES:
            break
        records.append(held.pop())
    if records:
        held.low = records[-1].offset + 1
    return records


def _headers(message: Message) -> Headers:
    found = message.headers() or ()
    return found.items() if isinstance(found, dict) else found


def _bytes(said: Any) -> bytes | None:
    return said.encode() if isinstance(said, str) else said
