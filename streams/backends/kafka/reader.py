"""Reading partitions of a cluster by offset, only what is committed.

A reader holds a client and a place in every partition that it was asked about.
``read`` is exact: it returns nothing only where nothing committed is left.
``wait`` lets a loop sleep until there is something, without asking the brokers.
"""

import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.backends.kafka.clients import for_reading
from streams.backends.kafka.wire import Headers, record_of
from streams.errors import LogFailedError
from streams.ports import READ_BYTES, Record
from streams.sections import KafkaSettings

ANSWER_S = 10.0
"""How long a broker may take to say where a partition ends."""

FETCH_S = 0.1
"""Longest sleep between two looks whether a read is over."""

AGAIN_S = 0.002
"""Pause between two questions whether what we wrote can be read."""

MOVING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)
"""What a broker answers while a partition gets another leader."""

MOVED_S = 0.1
"""Pause before a broker is asked again after one of them."""

AT_ONCE = 5_000
"""Messages taken over from the client's own threads at once."""

FULL_BYTES = 2 * READ_BYTES
"""With so much unread, a partition is not fetched while others are."""

Place = tuple[str, int]


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


def failed(
    settings: KafkaSettings, error: KafkaError | KafkaException, doing: str
) -> LogFailedError:
    """Return an error of the cluster in words."""
    said = error.args[0] if isinstance(error, KafkaException) else error
    words = said.str() if isinstance(said, KafkaError) else str(said)
    what = f"the Kafka cluster {settings.bootstrap} could not be used for {doing}: {words}"
    return LogFailedError(what, hint="see whether it runs (`rollcall --kafka ... doctor`)")


class Reader:
    """Reads by offset; safe from any thread, one call at a time."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        """Connect; ``group`` only names whose offsets it can look up."""
        self._settings = settings
        self._prefix = settings.prefix
        self._consumer = Consumer(for_reading(settings, group))
        # A fetch that waits for news would hold up a question on the same connection.
        self._asking = Consumer(for_reading(settings, group))
        self._lock = threading.Lock()
        self._held: dict[Place, _Held] = {}
        self._expected: dict[Place, int] = {}
        self._closed = False

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Return committed records from ``offset`` on, in order, at most ``limit``."""
        place = (topic, partition)
        with self._lock:
            held = self._held.get(place)
            end = None
            if held is None or not held.low <= offset <= held.high:
                end = self.end(topic, partition)
                if offset > end:
                    return []
            held = self._at(place, offset)
            while not held.records:
                end = self.end(topic, partition) if end is None else end
                if held.high >= end:
                    break
                self._fetch(FETCH_S)
            return _taken(held, limit)

    def wait(self, places: Collection[Place], timeout_s: float) -> bool:
        """Return whether one of ``places`` has something to read, after a sleep.

        Only places that were read before can.
        """
        with self._lock:
            if any(self._held[place].records for place in places):
                return True
            self._fetch(timeout_s)
            return any(self._held[place].records for place in places)

    def end(self, topic: str, partition: int) -> int:
        """Return the offset behind all that is committed, what we wrote included."""
        name = self._prefix + topic
        written = self._expected.get((name, partition), -1)
        give_up_s = time.monotonic() + ANSWER_S
        while True:
            _, end = self._watermarks(topic, partition)
            if end > written:
                self._expected.pop((name, partition), None)
                return end
            if time.monotonic() > give_up_s:
                slow = KafkaError(KafkaError._TIMED_OUT, "what was committed is not to be read")  # noqa: SLF001 - so the library names it
                raise failed(self._settings, slow, f"the end of {topic} {partition}")
            time.sleep(AGAIN_S)

    def expect(self, written: Mapping[Place, int]) -> None:
        """Note the last offsets that we wrote, by topic and partition: read on to them.

        A cluster commits first and shows what is committed a moment later.
        """
        self._expected.update(written)

    def begin(self, topic: str, partition: int) -> int:
        """Return the first offset that is still kept."""
        return self._watermarks(topic, partition)[0]

    def committed(self, topic: str, partition: int) -> TopicPartition:
        """Return the group's committed offset and the words kept with it."""
        asked = TopicPartition(self._prefix + topic, partition)
        try:
            (found,) = self._asking.committed([asked], timeout=ANSWER_S)
        except KafkaException as error:
            raise failed(self._settings, error, f"the place in {topic} {partition}") from error
        if found.error is not None:
            raise failed(self._settings, found.error, f"the place in {topic} {partition}")
        return found

    def group_metadata(self) -> Any:
        """Return what a transaction needs to commit offsets of the group."""
        return self._asking.consumer_group_metadata()

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; 0 if there is none."""
        name = self._prefix + topic
        try:
            found = self._asking.list_topics(name, timeout=ANSWER_S).topics.get(name)
        except KafkaException as error:
            raise failed(self._settings, error, f"the topic {topic}") from error
        return 0 if found is None or found.error is not None else len(found.partitions)

    def close(self) -> None:
        """Let go of the connections; twice is harmless."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._consumer.close()
                self._asking.close()

    # ------------------------------------------------------------------ inside

    def _watermarks(self, topic: str, partition: int) -> tuple[int, int]:
        asked = TopicPartition(self._prefix + topic, partition)
        give_up_s = time.monotonic() + ANSWER_S
        while True:
            try:
                begin, end = self._asking.get_watermark_offsets(asked, timeout=ANSWER_S)
            except KafkaException as error:
                if error.args[0].code() in MOVING and time.monotonic() < give_up_s:
                    time.sleep(MOVED_S)
                    continue
                raise failed(self._settings, error, f"the end of {topic} {partition}") from error
            return int(begin), int(end)

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
