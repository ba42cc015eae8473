"""The inlet times what came in until it can be read."""

from contextlib import closing

from schemas.codelists import CheckInState
from schemas.person import CheckedIn
from streams.backends.sqlite import SqliteLog
from streams.ingest.inlet import Inlet
from streams.ingest.intake import Source
from streams.metrics import Metrics
from tests.serving.builders import base


def test_what_waits_for_a_shard_that_stands_still_is_bounded(tmp_path):
    metrics = Metrics()
    with closing(SqliteLog.open(tmp_path, shards=1)) as log:
        inlet = Inlet(log, metrics, lambda: None, most_waiting=3)
        for number in range(5):
            check_in = CheckedIn(**base(f"c{number}"), person_id="a.1", state=CheckInState.SAFE)
            inlet.take(Source("api", "check-ins", lambda *_: ()), [check_in])
        inlet.drained({0: 5})
    count = metrics.registry.get_sample_value("rollcall_check_in_to_flag_seconds_count")
    assert count == 3.0
