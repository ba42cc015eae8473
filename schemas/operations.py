"""Time, quarantine, health and faults: how the system speaks of itself."""

from schemas.codelists import FeedState
from schemas.envelope import At, Event


class Tick(Event, frozen=True, kw_only=True):
    """The log's clock reached ``at``; one not newer than now is ignored.

    ``complete_to`` is the oldest input not yet merged. A jump of more than 10
    minutes must be marked ``resume``.
    """

    at: At
    complete_to: At | None = None
    resume: bool = False


class EngineChanged(Event, frozen=True, kw_only=True):
    """Another engine version (code, rules, reference data) takes over."""

    version: str
    previous: str | None = None


class MessageRejected(Event, frozen=True, kw_only=True):
    """A dead letter: what was refused, where it stood, and why.

    ``body`` is the refused record as text, or only its field names where it
    held direct identifiers; ``retryable`` says whether a retry can help.
    ``retried_at``: the record was put back into its input then; such a letter
    repeats the id of the first one and supersedes it.
    """

    reason: str
    topic: str
    partition: int
    offset: int
    message_type: str
    body: str
    retryable: bool = True
    traceback: str | None = None
    retried_at: At | None = None


class FeedHealthChanged(Event, frozen=True, kw_only=True):
    """Health of a feed: an outage is a state, never an empty list."""

    feed: str
    state: FeedState
    reason: str
    items: int | None = None
    usual_items: int | None = None
    last_success_at: At | None = None
    expected_interval_s: int | None = None


class FaultRaised(Event, frozen=True, kw_only=True):
    """A fault of Rollcall itself that the wall must show."""

    fault: str
    stage: str
    partition: int
    detail: str
    offset: int | None = None
    cleared: bool = False
