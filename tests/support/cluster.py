"""A log on the broker of the tests: topics of its own, under a prefix of its own."""

import os
from hashlib import blake2b
from pathlib import Path

import msgspec

from schemas.alert import AlertRaised
from schemas.codec import decode
from streams.backends.kafka.admin import Admin
from streams.backends.kafka.log import KafkaLog
from streams.backends.sqlite import SqliteLog
from streams.clock import WALL
from streams.clock import scenario as scenario_clock
from streams.compose import make_pump, restored
from streams.core.stage import DESK_INPUT, ROOM_OUTPUT
from streams.exports import STAGE_OF, as_ndjson, in_order
from streams.merge import admit, route
from streams.player import load_scenario, plan
from streams.ports import NewRecord, Record
from streams.recovery import INPUT_OF, StageKey
from streams.sections import KafkaSettings, LogSettings, Settings

SCENARIOS = Path(__file__).parents[2] / "streams" / "scenarios"
PEOPLE = 600


def scenario_of(name):
    """The crisis, with a smaller register."""
    scenario = load_scenario(SCENARIOS / name)
    if scenario.population is None:
        return scenario
    small = msgspec.structs.replace(scenario.population, people=PEOPLE)
    return scenario._replace(population=small)


def embedded(scenario, directory):
    """What the embedded system ends with: state and alerts."""
    settings = Settings(log=LogSettings(shards=3))
    log = SqliteLog.open(directory, shards=3, clock=scenario_clock(scenario.start))
    with make_pump(log, settings) as pump:
        for step in plan(scenario, None):
            put(log, step)
            pump.run_until_idle()
    found = state_of(log, settings), alerts_of(log)
    log.close()
    return found


def settings_for(kafka, directory, replication=1):
    """Settings of a log that belongs to a test's directory."""
    prefix = f"t{blake2b(str(directory).encode(), digest_size=6).hexdigest()}."
    return KafkaSettings(bootstrap=kafka, prefix=prefix, replication=replication)


def make_topics(settings, shards=4, clock=WALL):
    with Admin.connect(settings) as admin:
        admin.create(shards, asked=shards, clock=clock)


def environment_of(settings):
    """What a process is told, to work on that log."""
    said = {
        "BOOTSTRAP": settings.bootstrap,
        "PREFIX": settings.prefix,
        "REPLICATION": settings.replication,
    }
    ours = {f"ROLLCALL_KAFKA_{name}": str(value) for name, value in said.items()}
    # Several of them run side by side on this machine.
    return os.environ | ours | {"ROLLCALL_PORTS_METRICS": "0"}


def put(log, step):
    """Append a step of a scenario as MERGE would route it."""
    if step.what == "tick":
        log.append([NewRecord(DESK_INPUT, 0, "tick", tick) for tick in step.events])
        return
    routed = [
        NewRecord(*place, event)
        for event in map(admit, step.events)
        for place in route(event, log.shards)
    ]
    log.append(routed)


def desk_has_it(log):
    """Whether all the desk was given has gone on to the shards.

    The mark of the transaction that brought it is behind its last record.
    """
    return log.committed("desk", 0) >= log.end(DESK_INPUT, 0) - 1


def idle(log):
    """Whether every stage has dealt with all there is, for good."""

    def ends():
        return [log.end(INPUT_OF[stage], partition) for stage, partition in stage_keys(log.shards)]

    before = ends()
    done = [log.committed(*key) for key in stage_keys(log.shards)]
    return done == before == ends()


def stage_keys(shards):
    keys = [StageKey("desk", 0), StageKey("room", 0)]
    return [*keys, *(StageKey("shard", shard) for shard in range(shards))]


def state_of(log, settings):
    """Every export of state, as bytes."""
    stages = {name: restored(log, settings, name) for name in ("desk", "shard")}
    return {
        kind: b"".join(
            as_ndjson(in_order(row for one in stages[stage] for row in one.export(kind)))
        )
        for kind, stage in STAGE_OF.items()
    }


def alerts_of(log):
    """What was raised, whenever and in whatever words."""
    records = everything(log, ROOM_OUTPUT)
    said = [decode(r.name, r.body) for r in records]
    raised = [one for one in said if isinstance(one, AlertRaised)]
    return sorted((one.cause_id, one.audience, one.intent) for one in raised)


def everything(log, topic, partition=0):
    records: list[Record] = []
    while more := log.read(topic, partition, records[-1].offset + 1 if records else 0, 5_000):
        records += more
    return records


def open_log(kafka, directory, *, shards=None, clock=None, **more):
    settings = settings_for(kafka, directory)
    if shards is not None:
        make_topics(settings, shards, clock or WALL)
    return KafkaLog(settings, directory / "state", **more)
