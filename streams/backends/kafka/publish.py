"""Publishing records from the command line: each acknowledged by all copies."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from kafka import KafkaProducer

from streams.backends.kafka.clients import for_kafka_python
from streams.backends.kafka.wire import Message
from streams.backends.kafka.words import in_words
from streams.sections import KafkaSettings
from streams.topology import MAX_MESSAGE_BYTES

ANSWER_MS = 10_000
WAITING = 5_000
"""Messages sent and not yet acknowledged; more are not read from the input."""


def publish(settings: KafkaSettings, messages: Iterable[Message]) -> int:
    """Send messages in order and return how many all copies have.

    The first that the cluster does not take ends it with an error in words;
    those after it may have been sent or not.
    """
    count = 0
    with in_words(settings), closing(_producer(settings)) as producer:
        for part in _parts(messages):
            sent = [producer.send(**_said(one)) for one in part]
            producer.flush()
            for one in sent:
                one.get()
            count += len(sent)
    return count


def _producer(settings: KafkaSettings) -> KafkaProducer:
    return KafkaProducer(
        **for_kafka_python(settings),
        bootstrap_timeout_ms=ANSWER_MS,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        max_request_size=MAX_MESSAGE_BYTES,
        max_block_ms=ANSWER_MS,
    )


def _said(message: Message) -> dict[str, Any]:
    return {
        "topic": message.topic,
        "partition": message.partition,
        "key": message.key,
        "value": message.value,
        "headers": message.headers,
    }


def _parts(messages: Iterable[Message]) -> Iterator[list[Message]]:
    part: list[Message] = []
    for one in messages:
        part.append(one)
        if len(part) == WAITING:
            yield part
            part = []
    if part:
        yield part
