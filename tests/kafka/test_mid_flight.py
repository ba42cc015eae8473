"""What happens in the middle: a death inside a transaction, a rebalance amid a great change."""

import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.backends.kafka.clients import for_reading
from streams.backends.kafka.log import KafkaLog
from streams.backends.sqlite import SqliteLog
from streams.clock import WALL
from streams.compose import make_pump
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT, SHARD_OUTPUT
from streams.ports import NewRecord
from streams.sections import LogSettings, Settings
from streams.topology import partition_of
from tests.bench.stages import check_in, quake, registration, tick
from tests.support.cluster import (
    environment_of,
    everything,
    idle,
    make_topics,
    settings_for,
    state_of,
)
from tests.support.real import held_by
from tests.support.running import Process, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

MOST_BLOCKED_S = 10.0


def to_shards(shards, events):
    """Facts of people, as MERGE would route them."""
    return [
        NewRecord(SHARD_INPUT, partition_of(event.person_id, shards), event.person_id, event)
        for event in events
    ]


def registered(count):
    """People who are at home in Paris."""
    return [registration(n, 2.35, 48.86, "FR") for n in range(count)]


def near(count, at):
    """Where they all are now: at the epicentre."""
    return [check_in(n, n, 37.0, 37.2, at) for n in range(count)]


def to_desk(event):
    return NewRecord(DESK_INPUT, 0, event.event_id, event)


def embedded(directory, shards, records):
    """The state that one process ends with, given the same."""
    settings = Settings(log=LogSettings(shards=shards))
    log = SqliteLog.open(directory, shards=shards, clock=WALL)
    with make_pump(log, settings) as pump:
        for record in records:
            log.append([record])
        pump.run_until_idle()
    state = state_of(log, settings)
    log.close()
    return state


def said_twice(log):
    """Keys of what the shards said that stand there more than once."""
    said = Counter(
        (record.name, record.key, record.body)
        for shard in range(log.shards)
        for record in everything(log, SHARD_OUTPUT, shard)
    )
    return [key[:2] for key, times in said.items() if times > 1]


def uncommitted(settings, topic):
    """How many records of a topic's partition 0 are written and not committed."""
    consumer = Consumer(for_reading(settings, f"{settings.prefix}looking"))
    place = TopicPartition(settings.prefix + topic, 0)
    every = Consumer(
        for_reading(settings, f"{settings.prefix}looking") | {"isolation.level": "read_uncommitted"}
    )
    try:
        _, committed = consumer.get_watermark_offsets(place, 10)
        _, end = every.get_watermark_offsets(place, 10)
    finally:
        consumer.close()
        every.close()
    return end - committed


class Room:
    """Reads what reaches the room, as its stage does, and notes when it came."""

    def __init__(self, log):
        self._log, self._next = log, 0
        self.came_s = []

    def look(self):
        records = self._log.read(ROOM_INPUT, 0, self._next, 1_000)
        if records:
            self._next = records[-1].offset + 1
            self.came_s.append(time.monotonic())
        return len(records)


def test_a_death_inside_a_transaction_blocks_readers_for_ten_seconds_at_most(kafka, tmp_path):
    shards = 4
    settings = settings_for(kafka, tmp_path)
    make_topics(settings, shards, WALL)
    environment = environment_of(settings)
    log = KafkaLog(settings, tmp_path / "reading")
    now = datetime.now(UTC)
    people = to_shards(shards, [*registered(200), *near(200, now)])
    begun = [*people, to_desk(tick(now)), to_desk(quake("a", now))]
    log.append(begun)
    mortal = Process(
        *(tmp_path / "mortal", "shard", 12),
        instead="tests.support.mortal_worker",
        env=environment,
    )
    other = Process(tmp_path / "other", "worker", env=environment)
    ticks: list[NewRecord] = []
    room = Room(log)

    def beat():
        """One more tick; whether the mortal one has died."""
        ticks.append(to_desk(tick(now + timedelta(seconds=len(ticks) + 1))))
        log.append(ticks[-1:])
        room.look()
        return mortal.process.poll() is not None

    try:
        try:
            wait_for(beat, "the death in a transaction")
        except AssertionError as error:
            raise AssertionError(error, mortal.lines, other.lines) from error
        died_s = time.monotonic()
        assert mortal.process.returncode == -signal.SIGKILL
        assert uncommitted(settings, ROOM_INPUT) > 0
        wait_for(lambda: not uncommitted(settings, ROOM_INPUT) and room.look(), "a record")
        blocked_s = time.monotonic() - died_s
        print(f"readers were blocked for {blocked_s:.1f} s")  # noqa: T201 - shown with -s
        assert blocked_s <= MOST_BLOCKED_S
        wait_for(lambda: idle(log), "an idle cluster")
        assert other.end(signal.SIGTERM, 20) == 0
        assert said_twice(log) == []
        state = embedded(tmp_path / "embedded", shards, [*begun, *ticks])
        assert state_of(log, Settings(kafka=settings)) == state
        assert state["ledger"].count(b"\n") == 200
    finally:
        mortal.close()
        other.close()
        log.close()


@pytest.mark.slow
def test_a_rebalance_amid_fifty_thousand_assessments_loses_and_doubles_nothing(kafka, tmp_path):
    shards, count = 8, 50_000
    settings = settings_for(kafka, tmp_path)
    make_topics(settings, shards, WALL)
    environment = environment_of(settings) | {"ROLLCALL_PUMP_BATCH": "500"}
    log = KafkaLog(settings, tmp_path / "reading")
    now = datetime.now(UTC)
    people = to_shards(shards, registered(count))
    begun = [*people, to_desk(tick(now)), to_desk(quake("a", now))]
    stays = Process(tmp_path / "stays", "worker", env=environment)
    leaves = Process(tmp_path / "leaves", "worker", env=environment)
    workers = [stays, leaves]
    try:
        log.append(begun)
        wait_for(lambda: idle(log), "fifty thousand registered", 180)
        wait_for(lambda: all(map(held_by, workers)), "shares of both")
        # Each is inside the footprint now: all are assessed anew.
        moved = to_shards(shards, near(count, now))
        log.append(moved)
        wait_for(lambda: exposed(log) > 0, "the first exposures")
        leaves.process.send_signal(signal.SIGTERM)
        comes = Process(tmp_path / "comes", "worker", env=environment)
        workers.append(comes)
        wait_for(lambda: held_by(comes), "a share of the third")
        amid = exposed(log)
        assert leaves.process.wait(30) == 0
        print(f"{amid} of {count} flagged when the third began")  # noqa: T201 - shown with -s
        assert 0 < amid < count
        wait_for(lambda: idle(log), "all assessed", 180)
        assert [one.end(signal.SIGTERM, 60) for one in (stays, comes)] == [0, 0]
        assert exposed(log) == count
        assert said_twice(log) == []
        state = embedded(tmp_path / "embedded", shards, [*begun, *moved])
        assert state_of(log, Settings(kafka=settings)) == state
    finally:
        for one in workers:
            one.close()
        log.close()


SEEN = threading.local()


def exposed(log):
    """How many exposures have been opened and committed; each partition is read on."""
    if getattr(SEEN, "log", None) is not log:
        SEEN.log, SEEN.next, SEEN.opened = log, [0] * log.shards, 0
    for shard in range(log.shards):
        while records := log.read(SHARD_OUTPUT, shard, SEEN.next[shard], 5_000):
            SEEN.next[shard] = records[-1].offset + 1
            SEEN.opened += sum(record.name == "ExposureOpened" for record in records)
    return SEEN.opened
