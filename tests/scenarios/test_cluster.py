"""Past crises on a real cluster: the same state as embedded, byte for byte."""

import signal

import pytest

from streams.backends.kafka.log import KafkaLog
from streams.clock import scenario as scenario_clock
from streams.player import plan
from streams.sections import Settings
from tests.support.cluster import (
    alerts_of,
    desk_has_it,
    embedded,
    environment_of,
    idle,
    make_topics,
    put,
    scenario_of,
    settings_for,
    stage_keys,
    state_of,
)
from tests.support.running import Process, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


QUICK = {
    ("turkiye-2023", 2, 8),
    ("marrakesh-2023", 4, 8),
    ("tonga-2022", 1, 8),
    ("tonga-2022", 2, 1),
}
"""What `make test` plays; `make test-long` plays all."""

CASES = [
    pytest.param(name, *shape, marks=() if (name, *shape) in QUICK else pytest.mark.slow)
    for name in ("turkiye-2023", "marrakesh-2023", "tonga-2022")
    for shape in ((1, 8), (2, 8), (4, 8), (2, 1))
]


@pytest.mark.parametrize(("name", "workers", "shards"), CASES)
def test_a_crisis_ends_on_a_cluster_as_it_does_embedded(kafka, tmp_path, name, workers, shards):
    scenario = scenario_of(name)
    state, alerts = embedded(scenario, tmp_path / "embedded")
    settings = settings_for(kafka, tmp_path)
    make_topics(settings, shards, scenario_clock(scenario.start))
    environment = environment_of(settings)
    processes = [
        Process(tmp_path / f"worker-{n}", "worker", env=environment) for n in range(workers)
    ]
    log = KafkaLog(settings, tmp_path / "reading")
    try:
        for step in plan(scenario, None):
            put(log, step)
            # What comes later comes in later: alerts say what was known at the time.
            if step.what != "register":
                wait_for(lambda: desk_has_it(log), "the desk")
        try:
            wait_for(lambda: idle(log), "an idle cluster", 60)
        except AssertionError as error:
            lags = {str(key): log.committed(*key) for key in stage_keys(log.shards)}
            raise AssertionError(error, lags, [one.lines for one in processes]) from error
        assert [one.end(signal.SIGTERM) for one in processes] == [0] * workers
        assert state_of(log, Settings(kafka=settings)) == state
        assert alerts_of(log) == alerts
        assert state["ledger"]
    finally:
        for one in processes:
            one.close()
        log.close()
