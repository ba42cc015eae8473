"""Questions to a cluster: where partitions begin and end, how far a group is."""

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.backends.kafka.clients import for_reading
from streams.errors import LogFailedError
from streams.sections import KafkaSettings

ANSWER_S = 10.0
"""How long a broker may take to say where a partition ends."""

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

Place = tuple[str, int]
"""A topic and a partition."""


def failed(
    settings: KafkaSettings, error: KafkaError | KafkaException, doing: str
) -> LogFailedError:
    """Return an error of the cluster in words."""
    said = error.args[0] if isinstance(error, KafkaException) else error
    words = said.str() if isinstance(said, KafkaError) else str(said)
    what = f"the Kafka cluster {settings.bootstrap} could not be used for {doing}: {words}"
    return LogFailedError(what, hint="see whether it runs (`rollcall --kafka ... doctor`)")


class Asker:
    """Asks a cluster where partitions begin and end; from any thread.

    On a connection of its own: a fetch that waits for news would hold up a
    question on the same one.
    """

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        """Connect; ``group`` is whose committed offsets are looked up."""
        self.group = group
        self._settings = settings
        self._prefix = settings.prefix
        self._asking = Consumer(for_reading(settings, group))
        self._expected: dict[Place, int] = {}

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

    def leader(self, topic: str, partition: int) -> int:
        """Return the number of the broker that leads a partition; -1 while there is none."""
        name = self._prefix + topic
        try:
            found = self._asking.list_topics(name, timeout=ANSWER_S).topics[name]
        except KafkaException as error:
            raise failed(self._settings, error, f"the topic {topic}") from error
        return int(found.partitions[partition].leader)

    def close(self) -> None:
        """Let go of the connection."""
        self._asking.close()

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
