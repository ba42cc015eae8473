"""Tallies: a shard's absolute counts per situation and per advisory.

Known is counted from memberships, the cells from buckets, apart from each
other: an imbalance between them can be seen.
"""

from collections import Counter
from datetime import datetime

from schemas.codelists import Bucket, StatementBy, Status, Tier
from schemas.exposure import TallyCell, TallyChanged
from streams.core.stage import derive_id

Cell = tuple[Bucket, Tier, StatementBy, str, str]
"""Bucket, tier, who stands behind it, post and area; both empty for none."""


class Tally:
    """Counts of one situation (or, for advice, of one advisory)."""

    __slots__ = ("advisory", "cells", "inbound", "known", "status", "withdrawn")

    def __init__(self, status: Status, *, advisory: bool = False) -> None:
        """Start at zero."""
        self.status = status
        self.advisory = advisory
        self.known = 0
        self.inbound = 0
        self.withdrawn = 0
        self.cells: Counter[Cell] = Counter()

    def add(self, cell: Cell, step: int) -> None:
        """Count one person into (+1) or out of (-1) a cell."""
        self.cells[cell] += step
        if not self.cells[cell]:
            del self.cells[cell]

    def record(self, shard: int, tick_at: datetime, about: str) -> TallyChanged:
        """Return the whole cube as a record as of ``tick_at``."""
        cells = tuple(
            TallyCell(
                bucket=bucket,
                tier=tier,
                by=by,
                count=count,
                post=post or None,
                area=area or None,
            )
            for (bucket, tier, by, post, area), count in sorted(self.cells.items())
        )
        return TallyChanged(
            event_id=derive_id("tally", shard, about, tick_at.isoformat()),
            source="shard",
            occurred_at=tick_at,
            received_at=tick_at,
            status=self.status,
            shard=shard,
            tick_at=tick_at,
            known=self.known,
            inbound=self.inbound,
            withdrawn=self.withdrawn,
            cells=cells,
            situation_id=None if self.advisory else about,
            cause_id=about if self.advisory else None,
        )
