"""Reading a topic for whoever wants to look: no group, nothing committed."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition

from streams.backends.kafka.clients import for_kafka_python
from streams.backends.kafka.wire import record_of
from streams.backends.kafka.words import in_words, unknown_topic
from streams.ports import Record
from streams.sections import KafkaSettings
from streams.topology import MAX_MESSAGE_BYTES

ANSWER_MS = 10_000
POLL_MS = 500
"""Longest wait for records before looking whether the end is reached."""


def partitions(settings: KafkaSettings, topic: str) -> list[int]:
    """Return the partitions of a topic; ``NotFoundError`` if there is no such topic."""
    with in_words(settings), closing(_consumer(settings)) as consumer:
        return _partitions(consumer, settings.prefix + topic)


def read(
    settings: KafkaSettings,
    topic: str,
    *,
    only: Sequence[int] | None,
    from_ms: int | None,
    follow: bool,
) -> Iterator[Record]:
    """Yield the committed records of a topic as they come, in order within a partition.

    From the beginning, or from the first that was appended at ``from_ms`` or
    later. Ends where the topic ended when the call began, unless it follows.
    ``only`` are the partitions to read; None for all.
    """
    name = settings.prefix + topic
    with in_words(settings), closing(_consumer(settings)) as consumer:
        numbers = _partitions(consumer, name)
        places = [TopicPartition(name, n) for n in numbers if only is None or n in only]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        _seek(consumer, places, from_ms, ends)
        while follow or any(consumer.position(place) < ends[place] for place in places):
            for place, found in consumer.poll(timeout_ms=POLL_MS).items():
                for one in found:
                    if not follow and one.offset >= ends[place]:
                        break
                    yield record_of(
                        topic, one.partition, one.offset, one.key, one.value, one.headers,
                        one.timestamp,
                    )  # fmt: skip


def _partitions(consumer: KafkaConsumer, name: str) -> list[int]:
    found = consumer.partitions_for_topic(name)
    if not found:
        raise unknown_topic(name)
    return sorted(found)


def _seek(
    consumer: KafkaConsumer,
    places: Sequence[TopicPartition],
    from_ms: int | None,
    ends: dict[TopicPartition, int],
) -> None:
    if from_ms is None:
        consumer.seek_to_beginning(*places)
        return
    found = consumer.offsets_for_times(dict.fromkeys(places, max(0, from_ms)))
    for place in places:
        consumer.seek(place, ends[place] if found[place] is None else found[place].offset)


def _consumer(settings: KafkaSettings) -> KafkaConsumer:
    return KafkaConsumer(
        **for_kafka_python(settings),
        bootstrap_timeout_ms=ANSWER_MS,
        isolation_level="read_committed",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
