"""Sharing partitions among workers: the group, and nothing else.

The group only says who works on what. Offsets stand under another group, whose
members nobody is, and are moved by transactions alone. So a worker that lost
its place without noticing is shut out by the next one's transactional id,
whatever the group thinks.
"""

from collections.abc import Callable, Collection
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.backends.kafka.asker import Place, failed
from streams.backends.kafka.clients import SESSION_MS, for_confluent
from streams.sections import KafkaSettings

HEARTBEAT_MS = 500
"""A member learns with its next heartbeat that partitions are to move."""

LONGEST_HANDOVER_MS = 300_000
"""How long handing over partitions may take before the group goes on without us."""


class Membership:
    """One worker's place in the group; used by one thread.

    ``gained`` and ``lost`` are told of partitions from within ``poll``. When
    ``lost`` returns, another worker may begin: what it lost must be at rest.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Collection[str],
        gained: Callable[[list[Place]], None],
        lost: Callable[[list[Place]], None],
    ) -> None:
        """Ask to share in ``topics``; partitions come with ``poll``."""
        self._settings = settings
        self._consumer = Consumer(
            for_confluent(settings)
            | {
                "group.id": f"{settings.prefix}workers",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": SESSION_MS,
                "heartbeat.interval.ms": HEARTBEAT_MS,
                "max.poll.interval.ms": LONGEST_HANDOVER_MS,
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
            }
        )
        self._consumer.subscribe(
            [settings.prefix + topic for topic in topics],
            on_assign=partial(self._assigned, gained),
            on_revoke=partial(self._revoked, lost),
            on_lost=partial(self._revoked, lost),
        )

    def poll(self, timeout_s: float) -> None:
        """Take part in the group for that long."""
        said = self._consumer.poll(timeout_s)
        error = None if said is None else said.error()
        if error is not None and error.fatal():
            raise failed(self._settings, error, "sharing partitions")

    def close(self) -> None:
        """Leave, so that others take over at once."""
        self._consumer.close()

    def _assigned(
        self,
        gained: Callable[[list[Place]], None],
        consumer: Consumer,
        partitions: list[TopicPartition],
    ) -> None:
        consumer.incremental_assign(partitions)
        # Whoever works on a partition reads it himself.
        consumer.pause(partitions)
        gained(self._places(partitions))

    def _revoked(
        self,
        lost: Callable[[list[Place]], None],
        consumer: Consumer,
        partitions: list[TopicPartition],
    ) -> None:
        lost(self._places(partitions))
        try:
            consumer.incremental_unassign(partitions)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001 - so the library names it
                raise

    def _places(self, partitions: list[TopicPartition]) -> list[Place]:
        prefix = self._settings.prefix
        return [(one.topic.removeprefix(prefix), one.partition) for one in partitions]
