"""Writing to a cluster: all of a transaction, or nothing of it.

Whoever begins with the same transactional id afterwards shuts the earlier one
out (fencing): that is how a worker that was frozen, or cut off, finds that
another has taken over. After any error a producer is thrown away; the next one
under its id, or the cluster after ``TRANSACTION_MS``, ends what it left open.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError as Said
from confluent_kafka import KafkaException, Message, Producer, TopicPartition

from streams.backends.kafka.asker import failed
from streams.backends.kafka.clients import TRANSACTION_MS, for_producing
from streams.backends.kafka.wire import Message as Written
from streams.errors import CommitConflictError, RollcallError
from streams.sections import KafkaSettings

TIMEOUT_S = TRANSACTION_MS / 1000

FULL_S = 0.05
"""How long a producer whose queue is full is given to empty some of it."""


class Transactions:
    """A producer under one transactional id; one transaction at a time.

    ``committed`` is told, of every transaction, the last offset it wrote in
    each topic and partition: they can be read a little later only.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        name: str,
        committed: Callable[[Mapping[tuple[str, int], int]], None],
    ) -> None:
        """Shut out whoever was here before; what they left open is ended."""
        self._settings, self._name, self._committed = settings, name, committed
        self._lock = threading.Lock()
        ours = {
            "transactional.id": f"{settings.prefix}{name}",
            "transaction.timeout.ms": TRANSACTION_MS,
        }
        self._producer = Producer(for_producing(settings) | ours)
        self._broken = False
        self._written: dict[tuple[str, int], int] = {}
        try:
            self._producer.init_transactions(TIMEOUT_S)
        except KafkaException as error:
            raise self._in_words(error, "beginning") from error

    @contextmanager
    def transaction(self) -> Iterator["Transactions"]:
        """Yield this, in a transaction that is committed at the end.

        Any error aborts it: nothing of it will ever be read.
        """
        with self._lock:
            if self._broken:
                raise self._gone()
            self._written.clear()
            try:
                self._producer.begin_transaction()
                yield self
                self._producer.commit_transaction(TIMEOUT_S)
            except BaseException as error:
                self._abort()
                if isinstance(error, KafkaException):
                    raise self._in_words(error, "writing") from error
                raise
            self._committed(self._written)

    def write(self, messages: Sequence[Written]) -> None:
        """Hand over messages, inside a transaction."""
        last = {(one.topic, one.partition): place for place, one in enumerate(messages)}
        noted = set(last.values())
        for place, message in enumerate(messages):
            self._produce(message, self._note if place in noted else None)

    def write_noting(self, messages: Sequence[Written]) -> int:
        """Hand over messages for one partition; return the first offset once all are there."""
        offsets: list[int] = []

        def note(error: Said | None, message: Message) -> None:
            place = message.offset()
            if error is None and place is not None:
                offsets.append(place)
                self._note(error, message)

        for message in messages:
            self._produce(message, note)
        self._producer.flush(TIMEOUT_S)
        if len(offsets) != len(messages):
            raise self._gone()
        return min(offsets)

    def _note(self, error: Said | None, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if error is None and topic is not None and partition is not None and offset is not None:
            self._written[topic, partition] = offset

    def move(self, place: TopicPartition, group: Any) -> None:
        """Make an offset of a group, with its words, part of the transaction."""
        self._producer.send_offsets_to_transaction([place], group, TIMEOUT_S)

    def close(self) -> None:
        """Let go of it; what is open is aborted by the cluster."""
        self._broken = True
        self._producer.purge()
        self._producer.flush(0)

    def _produce(self, message: Written, note: Any) -> None:
        while True:
            try:
                self._producer.produce(
                    message.topic,
                    partition=message.partition,
                    key=message.key,
                    value=message.value,
                    headers=[*message.headers],
                    on_delivery=note,
                )
            except BufferError:
                self._producer.poll(FULL_S)
                continue
            return

    def _abort(self) -> None:
        """End what is open; a producer that cannot is of no more use."""
        try:
            self._producer.abort_transaction(TIMEOUT_S)
        except KafkaException:
            self._broken = True

    def _in_words(self, error: KafkaException, doing: str) -> RollcallError:
        said = error.args[0]
        if said.code() in {Said._FENCED, Said.INVALID_PRODUCER_EPOCH, Said.PRODUCER_FENCED}:  # noqa: SLF001 - so the library names it
            self._broken = True
            what = f"another process has taken over {self._name}; this one stops working on it"
            return CommitConflictError(what, hint="nothing is lost: the other goes on")
        return failed(self._settings, error, f"{doing} {self._name}")

    def _gone(self) -> RollcallError:
        what = f"the producer of {self._name} has failed before"
        return failed(self._settings, Said(Said._STATE, what), "writing")  # noqa: SLF001 - so the library names it
