"""The log of a worker, which counts what its stages say and times their commits."""

import time
from collections.abc import Callable
from pathlib import Path

from streams import metrics as m
from streams.backends.kafka.log import KafkaLog
from streams.metrics import RoleMetrics
from streams.ports import Commit
from streams.sections import KafkaSettings


class MeteredLog(KafkaLog):
    """A log whose commits show in a worker's metrics."""

    def __init__(
        self,
        settings: KafkaSettings,
        directory: Path,
        metrics: RoleMetrics,
        abort: Callable[[str], None],
    ) -> None:
        """Connect; see ``KafkaLog``."""
        super().__init__(settings, directory, abort=abort)
        self._metrics = metrics

    def commit(self, commit: Commit) -> None:
        """Commit; what fails is neither counted nor timed."""
        began_s = time.monotonic()
        super().commit(commit)
        self._metrics.observe(m.WORKER_COMMIT, time.monotonic() - began_s, commit.stage)
        self._metrics.count(m.WORKER_EVENTS, len(commit.outputs), commit.stage)
