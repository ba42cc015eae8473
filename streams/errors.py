"""Every error that Rollcall raises on purpose, and what to do about each.

An error says three things: what happened (its text), what to do next
(``hint``), and, for machines, a ``code`` and the exit code of the command
line. What is not in this file is a bug, or the operating system's.
"""

from typing import ClassVar


class RollcallError(Exception):
    """Base of all: ``str(error)`` is what happened, ``hint`` what to do next."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str) -> None:
        """Keep the sentence and the hint; both are shown to the operator."""
        super().__init__(what)
        self.hint = hint


class BadInputError(RollcallError):
    """What the user gave cannot be used; repeating it will not help."""

    code = "bad_input"
    exit_code = 2


class NotFoundError(RollcallError):
    """What the user named does not exist."""

    code = "not_found"
    exit_code = 3


class InvalidRecordError(RollcallError):
    """A record names no topic or partition, or cannot be written; do not retry.

    Nothing of the call that raised it was written.
    """

    code = "invalid_record"
    exit_code = 2


class LogInUseError(RollcallError):
    """Another process owns the embedded log; only one may write it."""

    code = "log_in_use"
    exit_code = 4


class LogFailedError(RollcallError):
    """The log could not be read or written (disk full, damaged, unreadable).

    Never the fault of a record: stop, repair, start again.
    """

    code = "log_failed"
    exit_code = 5


class FormatMismatchError(RollcallError):
    """The log was written in a format that this program does not read."""

    code = "format_mismatch"
    exit_code = 6


class ClockMismatchError(RollcallError):
    """The log runs on another clock; a log's clock is fixed at creation."""

    code = "clock_mismatch"
    exit_code = 6


class ShardsMismatchError(RollcallError):
    """The log has another number of shards; it is fixed at creation."""

    code = "shards_mismatch"
    exit_code = 6


class EngineMismatchError(RollcallError):
    """Another engine version left a tail that must not be replayed by this one."""

    code = "engine_mismatch"
    exit_code = 7


class RecoveryError(RollcallError):
    """The state of a stage cannot be rebuilt from its snapshots and its log."""

    code = "recovery_failed"
    exit_code = 7


class CommitConflictError(RollcallError):
    """Somebody else committed for the same stage and partition; stop."""

    code = "commit_conflict"
    exit_code = 8


class PartitionStoppedError(RollcallError):
    """A stage's partition stands still after too many faults; others go on."""

    code = "partition_stopped"
    exit_code = 9


class StoreConflictError(RollcallError):
    """Another writer is at work on the same serving store; stop."""

    code = "store_conflict"
    exit_code = 8


class StoreFailedError(RollcallError):
    """The serving store cannot be used; it can be written anew from the log."""

    code = "store_failed"
    exit_code = 5


class DispatcherRunningError(RollcallError):
    """Another dispatcher is at work on the same deliveries; one is enough."""

    code = "dispatcher_running"
    exit_code = 4


class DeliveriesFailedError(RollcallError):
    """The log of deliveries cannot be used, or belongs to another log.

    It is not thrown away lightly: it knows what has been sent.
    """

    code = "deliveries_failed"
    exit_code = 5


class PortInUseError(RollcallError):
    """Somebody else listens on a port that the system needs."""

    code = "port_in_use"
    exit_code = 4


class EngineAwayError(RollcallError):
    """The running engine did not answer; asking again later may help."""

    code = "engine_away"
    exit_code = 10


class ClusterAwayError(RollcallError):
    """No broker of the cluster answered; asking again later may help."""

    code = "cluster_away"
    exit_code = 10


class ClusterRefusedError(RollcallError):
    """The cluster answers and does not let us in, or not do this."""

    code = "cluster_refused"
    exit_code = 11
