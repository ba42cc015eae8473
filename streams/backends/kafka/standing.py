"""How the cluster stands with MERGE: ends, what is merged, the last tick.

Asked beside the Faust app, with a client of its own: the app only knows of the
partitions that it has itself.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # the stubs leave it out

from schemas.codec import UndecodableError, decode
from schemas.operations import Tick
from streams.backends.kafka.clients import for_confluent, for_reading
from streams.backends.kafka.control import KEY, Control
from streams.backends.kafka.control import decode as decode_control
from streams.backends.kafka.wire import TYPE
from streams.completeness import Place, lag_of
from streams.core.stage import DESK_INPUT, SHARD_INPUT
from streams.errors import FormatMismatchError, LogFailedError, NotFoundError
from streams.sections import KafkaSettings
from streams.topology import CONTROL, PUBLIC

ANSWER_S = 5.0
"""How long the brokers may take to answer."""

LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call] # so the library has it
EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # likewise

BACK = 256
"""Records at the end of desk-input in which a tick is looked for first."""


class Look(NamedTuple):
    """Where the public topics end, and the first offset not yet merged in each."""

    at: datetime
    ends: Mapping[Place, int]
    done: Mapping[Place, int]


class Standing:
    """Asks the cluster; every method raises ``LogFailedError`` if it does not answer.

    Used by one thread at a time. ``group`` is that of MERGE.
    """

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        """Connect."""
        self._settings = settings
        self._admin = self._new_admin()
        # As Faust reads: also what was never committed or was taken back.
        reading = for_reading(settings, group) | {"isolation.level": "read_uncommitted"}
        self._consumer = Consumer(reading)
        self._places: list[Place] = []
        self._committed_before: Mapping[Place, int] = {}
        self._marks: dict[Place, tuple[int, int]] = {}

    def control(self) -> Control:
        """Return what the log was made with; ``NotFoundError`` where there is none."""
        found = None
        if self._partitions(CONTROL):
            for message in self._between(CONTROL, 0, 0):
                found = message.value() if message.key() == KEY else found
        if found is None:
            what = f"there are no topics {self._settings.prefix}* on {self._settings.bootstrap}"
            raise NotFoundError(what, hint="make them with `rollcall topics create`")
        control = decode_control(found)
        shards = self._partitions(SHARD_INPUT)
        if shards != control.shards:
            words = f"{shards} partitions instead of {control.shards}"
            raise self._other_format(words)
        return control

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of every public topic; ``NotFoundError`` if none."""
        found = {topic.name: self._partitions(topic.name) for topic in PUBLIC}
        missing = [name for name, count in found.items() if not count]
        if missing:
            what = f"there is no topic {', '.join(missing)}"
            raise NotFoundError(what, hint="see `rollcall topics verify`")
        self._places = [(name, one) for name, count in found.items() for one in range(count)]
        return found

    def look(self) -> Look:
        """Return how far the public topics are merged, of the moment before it asked."""
        at = datetime.now(UTC)
        try:
            ends = self._offsets(self._places, LATEST)
            committed = self._committed()
        except LogFailedError:
            # One that has seen a cluster go knows of no leaders when it is back.
            self._admin = self._new_admin()
            raise
        done = committed
        if lag_of(ends, committed):
            done = committed | self._beyond(ends, committed)
        self._committed_before = committed
        return Look(at, ends, done)

    def last_tick(self) -> Tick | None:
        """Return the newest tick in desk-input; None where there is none yet."""
        begin = self._ends(DESK_INPUT, 0)[1]
        first, step = self._ends(DESK_INPUT, 0)[0], BACK
        while begin > first:
            upto, begin, step = begin, max(first, begin - step), step * 4
            ticks = [t for t in map(_tick, self._between(DESK_INPUT, 0, begin, upto)) if t]
            if ticks:
                return max(ticks, key=lambda tick: tick.at)
        return None

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    # ------------------------------------------------------------------ inside

    def _new_admin(self) -> AdminClient:
        return AdminClient(for_confluent(self._settings))

    def _beyond(
        self, ends: Mapping[Place, int], committed: Mapping[Place, int]
    ) -> dict[Place, int]:
        """Return later places where nothing is left up to them, though nobody committed them.

        Records may be gone for their age; and what ends a topic may be no
        record but a mark of a transaction, which no reader ever commits.
        """
        lagging = list(lag_of(ends, committed))
        begins = self._offsets(lagging, EARLIEST)
        beyond = {}
        for place in lagging:
            stood = committed.get(place, 0)
            since, marks_upto = self._marks.get(place, (stood, stood))
            upto = max(stood, begins[place], marks_upto if since == stood else stood)
            unmoved = self._committed_before.get(place, 0) == stood
            if upto < ends[place] and unmoved and self._only_marks(place, upto, ends[place]):
                upto = ends[place]
                self._marks[place] = (stood, upto)
            beyond[place] = upto
        return beyond

    def _only_marks(self, place: Place, begin: int, end: int) -> bool:
        return next(iter(self._between(*place, begin, end)), None) is None

    def _committed(self) -> dict[Place, int]:
        asked = [TopicPartition(self._settings.prefix + name, one) for name, one in self._places]
        try:
            # A consumer's question: librdkafka's administrator dies of a coordinator that moves
            # (confluentinc/confluent-kafka-javascript#374).
            found = self._consumer.committed(asked, timeout=ANSWER_S)
        except KafkaException as error:
            raise self._failed(error, "what is merged") from error
        prefix = self._settings.prefix
        return {
            (one.topic.removeprefix(prefix), one.partition): one.offset
            for one in found
            if one.offset >= 0
        }

    def _offsets(self, places: Iterable[Place], which: OffsetSpec) -> dict[Place, int]:
        asked = {TopicPartition(self._settings.prefix + name, one): which for name, one in places}
        try:
            answers = self._admin.list_offsets(asked, request_timeout=ANSWER_S)
            prefix = self._settings.prefix
            return {
                (place.topic.removeprefix(prefix), place.partition): answer.result(ANSWER_S).offset
                for place, answer in answers.items()
            }
        except (KafkaException, TimeoutError) as error:
            raise self._failed(error, "the ends of the public topics") from error

    def _partitions(self, topic: str) -> int:
        name = self._settings.prefix + topic
        try:
            found = self._admin.list_topics(name, timeout=ANSWER_S).topics.get(name)
        except KafkaException as error:
            raise self._failed(error, f"the topic {topic}") from error
        return 0 if found is None or found.error is not None else len(found.partitions)

    def _ends(self, topic: str, partition: int) -> tuple[int, int]:
        asked = TopicPartition(self._settings.prefix + topic, partition)
        try:
            found = self._consumer.get_watermark_offsets(asked, timeout=ANSWER_S)
        except KafkaException as error:
            raise self._failed(error, f"the ends of {topic} {partition}") from error
        return found

    def _between(
        self, topic: str, partition: int, begin: int, upto: int | None = None
    ) -> Iterable[Message]:
        """Yield the records of a partition from an offset on, up to another or the end."""
        asked = TopicPartition(self._settings.prefix + topic, partition, begin)
        self._consumer.assign([asked])
        silent_s = time.monotonic() + ANSWER_S
        try:
            while time.monotonic() < silent_s:
                message = self._consumer.poll(0.1)
                if message is None:
                    continue
                silent_s = time.monotonic() + ANSWER_S
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so the library names it
                        return
                    raise self._failed(error, f"reading {topic} {partition}")
                if upto is not None and (message.offset() or 0) >= upto:
                    return
                yield message
            raise self._failed(TimeoutError(), f"reading {topic} {partition}")
        finally:
            self._consumer.unassign()

    def _failed(self, error: Any, doing: str) -> LogFailedError:
        said = error.args[0] if isinstance(error, KafkaException) else error
        words = said.str() if isinstance(said, KafkaError) else str(said) or "no answer in time"
        what = f"the cluster {self._settings.bootstrap} does not answer about {doing}: {words}"
        return LogFailedError(what, hint="see whether the brokers run")

    def _other_format(self, words: str) -> FormatMismatchError:
        what = f"the log on {self._settings.bootstrap} is not of this program's format: {words}"
        hint = "use the program version that made it, or another kafka.prefix"
        return FormatMismatchError(what, hint=hint)


def _tick(message: Message) -> Tick | None:
    headers: Any = message.headers() or ()
    name = dict(headers).get(TYPE)
    if name != Tick.__name__.encode():
        return None
    try:
        event = decode(Tick.__name__, message.value() or b"")
    except UndecodableError:
        return None
    return event if isinstance(event, Tick) else None
