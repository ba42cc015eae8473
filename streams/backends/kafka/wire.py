"""How a record stands in a Kafka topic.

The value is the message's canonical JSON, the key what it is about; type and
version stand in the headers ``type`` and ``version``. On a public topic a
missing header means that topic's type, version 1 (design 7). What Rollcall
itself writes has in ``at`` the time of the log's clock, milliseconds since
1970: the time stamp is the broker's, who knows nothing of a replay.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from schemas.codec import VERSION, UndecodableError, decode
from schemas.operations import Tick
from streams.ports import NewRecord, Record, body_of, partitions_of
from streams.topology import CLUSTER, PUBLIC

TYPE, VERSION_HEADER, AT = "type", "version", "at"

Headers = Iterable[tuple[str, str | bytes | None]]

_TYPE_OF = {topic.name: topic.messages[0] for topic in PUBLIC}
_UNREADABLE = -1
"""Version of a record whose header holds no number: no engine reads it."""

TOPICS = {topic.name: topic for topic in CLUSTER}


class Message(NamedTuple):
    """What a producer is given for one record; no value deletes a key."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def record_of(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    stamped_ms: int,
) -> Record:
    """Return a message as a record of the topic of that (unprefixed) name.

    Whatever is wrong with it stays as it is: the stage that decodes it makes a
    dead letter of it.
    """
    said = {name: text for name, text in headers if isinstance(text, bytes)}
    name = said.get(TYPE)
    version = said.get(VERSION_HEADER)
    # Of a public topic nobody can say when it came in but the broker.
    at_ms = _UNREADABLE if topic in _TYPE_OF else _number(said.get(AT, b""))
    return Record(
        topic,
        partition,
        offset,
        "" if key is None else key.decode("utf-8", "replace"),
        _TYPE_OF.get(topic, "") if name is None else name.decode("utf-8", "replace"),
        VERSION if version is None else _number(version),
        value or b"",
        stamped_ms if at_ms < 0 else at_ms,
    )


def headers_of(name: str, version: int = VERSION) -> list[tuple[str, bytes]]:
    """Return the headers of a message of that type."""
    return [(TYPE, name.encode()), (VERSION_HEADER, str(version).encode())]


def messages_of(
    records: Iterable[NewRecord], shards: int, prefix: str, at_ms: int
) -> list[Message]:
    """Return what to produce for records; ``InvalidRecordError`` if one is none.

    A copy for every partition where the record goes to all. ``at_ms`` is the
    log's time.
    """
    messages: list[Message] = []
    at = (AT, str(at_ms).encode())
    for topic, partition, key, event in records:
        body = body_of(event)
        headers = [*headers_of(type(event).__name__), at]
        messages.extend(
            Message(prefix + topic, each, key.encode(), body, headers)
            for each in partitions_of(TOPICS, topic, partition, shards)
        )
    return messages


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        return _UNREADABLE


def message_again(record: Record, prefix: str) -> Message:
    """Return what to produce for a record to stand in its partition once more."""
    headers = headers_of(record.name, record.version) if record.name else []
    key = record.key.encode()
    return Message(prefix + record.topic, record.partition, key, record.body, headers)


def tick_at(record: Record) -> datetime | None:
    """Return when a tick is, None for another message or one that cannot be read."""
    if record.name != Tick.__name__:
        return None
    try:
        tick = decode(record.name, record.body, record.version)
    except UndecodableError:  # the desk makes a dead letter of it
        return None
    return tick.at if isinstance(tick, Tick) else None
