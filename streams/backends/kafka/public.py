"""What comes in from outside, published for MERGE to route.

For those who take in events over HTTP, from feeds or from files: they check
them as the embedded system does, and hand them to the public topics instead of
to the stages. Nothing is looked up: a repeated event is repeated here too, and
the stages know it by its id.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from threading import Lock

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from streams.backends.kafka.asker import ANSWER_S, failed
from streams.backends.kafka.clients import for_producing
from streams.backends.kafka.log import KafkaLog
from streams.backends.kafka.wire import TOPICS, Message, headers_of
from streams.clock import Clock
from streams.core.stage import TO_ALL
from streams.errors import InvalidRecordError
from streams.ports import NewRecord, Receipt, body_of
from streams.sections import KafkaSettings
from streams.topology import PUBLIC

TOPIC_OF = {message: topic.name for topic in PUBLIC for message in topic.messages}
"""Where a message from outside is published."""


class PublicLog(KafkaLog):
    """``streams.ports.IntakeLog`` over the public topics of a cluster."""

    def __init__(
        self,
        settings: KafkaSettings,
        directory: Path,
        *,
        wall: Clock | None = None,
        abort: Callable[[str], None] = lambda _point: None,
    ) -> None:
        """Connect; see ``KafkaLog``."""
        super().__init__(settings, directory, wall=wall, abort=abort)
        self._publishing = Lock()
        self._publisher = Producer(for_producing(settings))

    def known(self, event_ids: Collection[str]) -> set[str]:
        """Return none: who publishes keeps no list of what there was."""
        del event_ids
        return set()

    def intake(self, arrivals: Sequence[Sequence[NewRecord]]) -> list[Receipt]:
        """Publish events from outside; acknowledged by the cluster when it returns.

        What the system says of itself (dead letters, health of feeds) goes to
        its own topic.
        """
        ours: list[NewRecord] = []
        messages: list[Message] = []
        for arrival in arrivals:
            if len({record.event.event_id for record in arrival}) != 1:
                what = "an arrival is the records of one event"
                raise InvalidRecordError(what, hint="give intake one sequence of records per event")
            topic = TOPIC_OF.get(type(arrival[0].event).__name__)
            if topic is None:
                ours.extend(arrival)
            else:
                messages.append(self._published(topic, arrival[0]))
        self.append(ours)
        self._publish(messages)
        return [Receipt.ACCEPTED] * len(arrivals)

    def close(self) -> None:
        """Let go of the cluster; twice is harmless."""
        self._publisher.flush(0)
        super().close()

    def _published(self, topic: str, record: NewRecord) -> Message:
        name = type(record.event).__name__
        shard = 0 if not TOPICS[topic].sharded or record.partition == TO_ALL else record.partition
        return Message(
            self._settings.prefix + topic,
            shard,
            record.key.encode(),
            body_of(record.event),
            headers_of(name),
        )

    def _publish(self, messages: Sequence[Message]) -> None:
        """Produce and wait until all copies have all of them, or raise."""
        taken = 0
        trouble: KafkaError | None = None

        def note(error: KafkaError | None, _message: Delivered) -> None:
            nonlocal taken, trouble
            taken += error is None
            trouble = error or trouble

        with self._publishing:
            for one in messages:
                try:
                    self._publisher.produce(
                        one.topic,
                        partition=one.partition,
                        key=one.key,
                        value=one.value,
                        headers=[*one.headers],
                        on_delivery=note,
                    )
                except (BufferError, KafkaException) as error:
                    said = (
                        error
                        if isinstance(error, KafkaException)
                        else KafkaError(
                            KafkaError._QUEUE_FULL  # noqa: SLF001 - so the library names it
                        )
                    )
                    raise failed(self._settings, said, "publishing") from error
            self._publisher.flush(ANSWER_S)
        if taken != len(messages):
            slow = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 - so the library names it
            raise failed(self._settings, trouble or slow, "publishing")
