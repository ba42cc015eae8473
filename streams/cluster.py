"""The composition root of cluster mode: settings to the parts of one role."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from streams.backends.kafka.log import KafkaLog
from streams.backends.kafka.membership import Membership
from streams.compose import engine_version, stage_factories
from streams.recovery import INPUT_OF
from streams.sections import Settings
from streams.worker import How, Worker


@contextmanager
def cluster_log(data: Path, settings: Settings) -> Iterator[KafkaLog]:
    """Open the log of the cluster that the settings name; ``data`` is our own."""
    with closing(KafkaLog(settings.kafka, data)) as log:
        yield log


def run_worker(
    data: Path,
    settings: Settings,
    *,
    say: Callable[[str], None],
    stopped: Callable[[], bool],
    abort: Callable[[str], None] = lambda _point: None,
) -> None:
    """Work on what the group gives, until ``stopped``."""
    with cluster_log(data, settings) as log:
        how = How(
            engine_version(settings),
            stage_factories(log.shards, settings),
            settings.pump.batch,
            settings.pump.snapshot_every,
            say,
            abort,
        )
        say(f"{log.shards} shards on {settings.kafka.bootstrap}, engine {how.engine}")

        def join(worker: Worker) -> Membership:
            topics = list(INPUT_OF.values())
            return Membership(settings.kafka, topics, worker.gained, worker.lost)

        Worker(log, how).run(join, stopped)
