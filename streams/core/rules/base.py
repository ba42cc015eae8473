"""The contract of a rule."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.codelists import Status
from schemas.exposure import HelpRequested
from schemas.incident import AdvisoryChanged, SituationChanged
from streams.core.thresholds import Thresholds


class Count(NamedTuple):
    """Sums over the shards for one situation or advisory.

    ``country_only`` of the known are there only in the sense that their
    country is touched.
    """

    known: int
    country_only: int
    inbound: int
    reached: int
    shards: int


class View(NamedTuple):
    """What a rule may look at: what the room knows as of a tick.

    Exactly one of ``situation``, ``advisory`` and ``help`` is what the rule is
    asked about; ``sums`` belongs to the first two.
    """

    at: datetime
    limits: Thresholds
    situation: SituationChanged | None = None
    advisory: AdvisoryChanged | None = None
    help: HelpRequested | None = None
    sums: Count | None = None


class Finding(NamedTuple):
    """What a rule found: once per (rule, cause_id, status) becomes an alert.

    ``due_at`` is when it could first have been known, for saying how late an
    alert is. ``same_as`` are other causes whose alert has said it already.
    """

    cause_id: str
    title: str
    severity: str
    status: Status
    facts: dict[str, str | int]
    due_at: datetime
    situation_id: str | None = None
    same_as: tuple[str, ...] = ()


class Rule(NamedTuple):
    """A pure trigger: ``find`` yields findings from a view.

    ``silenceable`` False: no officer's silence mutes what it finds.
    """

    name: str
    about: str
    audience: str
    find: Callable[[View], Iterator[Finding]]
    silenceable: bool = True
