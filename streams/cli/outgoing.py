"""Lines of NDJSON as the messages to publish: checked as intake would check them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from schemas.envelope import Event
from schemas.person import LIKE_IDENTIFIER, PERSON_ID
from streams.backends.kafka.wire import Message, headers_of
from streams.errors import InvalidRecordError
from streams.feeds.ndjson import parse
from streams.merge import admit, route
from streams.ports import body_of
from streams.topology import PUBLIC, Topic, partition_of

_HOME = {name: topic.name for topic in PUBLIC for name in topic.messages}


class Refused(NamedTuple):
    """A line that the system would refuse, and why."""

    item: str
    reason: str


def outgoing(
    topic: Topic,
    prefix: str,
    partitions: int,
    payload: bytes,
    now: datetime,
    *,
    refused: list[Refused],
    unchecked: bool,
) -> Iterator[Message]:
    """Yield the message of every line that is good, or of all that are lines.

    What is not good is added to ``refused``. A message holds the event as it
    was given: what MERGE changes of it (a time from the future), it changes
    when it comes in.
    """
    found = parse(payload, now, topic.messages[0])
    lines = [line for line in payload.split(b"\n") if line.strip()]
    for number, item in enumerate(found):
        if not isinstance(item, Event):
            refused.append(Refused(item[0], item[1]))
        else:
            try:
                yield _message(topic, prefix, partitions, item)
                continue
            except (ValueError, InvalidRecordError) as error:
                shown = not LIKE_IDENTIFIER.search(item.event_id)
                refused.append(Refused(item.event_id if shown else "a line", str(error)))
        if unchecked and len(lines) == len(found):
            yield _as_it_is(topic, prefix, partitions, lines[number])


def _message(topic: Topic, prefix: str, partitions: int, event: Event) -> Message:
    """Return the message of an event; ``ValueError`` says why there is none."""
    name = type(event).__name__
    if name not in topic.messages:
        msg = f"a {name} belongs into the topic {_HOME[name]}"
        raise ValueError(msg)
    admit(event)
    (_, partition, key), *_ = route(event, partitions)
    place = partition if topic.sharded else 0
    return Message(prefix + topic.name, place, key.encode(), body_of(event), headers_of(name))


def _as_it_is(topic: Topic, prefix: str, partitions: int, line: bytes) -> Message:
    """Return a line as a message whatever it is, for whoever wants it refused."""
    name, value, person = topic.messages[0], line, ""
    try:
        fields: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        fields = None
    if isinstance(fields, dict):
        name = str(fields.pop("type", name))
        value = msgspec.json.encode(fields)
        person = str(fields.get("person_id", ""))
    known = topic.sharded and PERSON_ID.fullmatch(person) is not None
    place = partition_of(person, partitions) if known else 0
    key = person.encode() if known else b""
    return Message(prefix + topic.name, place, key, value, headers_of(name))
