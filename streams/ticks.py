"""Ticks: how time reaches the stages, the same for every clock.

A tick is named by its second, so whoever writes it, and however often, it is
one tick. One not newer than the last is never made.
"""

from datetime import datetime, timedelta

from schemas.operations import Tick

RESUME_AFTER = timedelta(minutes=10)
"""A tick that jumps further than this is marked ``resume`` (design 3)."""


def tick_of(at: datetime, last: datetime | None, source: str) -> Tick:
    """Return the tick of the second ``at``, after the tick ``last``."""
    return Tick(
        event_id=f"tick:{at.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        source=source,
        occurred_at=at,
        received_at=at,
        at=at,
        resume=last is not None and at - last > RESUME_AFTER,
    )


def due(now: datetime, last: datetime | None, source: str) -> Tick | None:
    """Return the tick that a wall clock showing ``now`` owes; None if none.

    Only the newest second is owed: what lies between is skipped, for dropping
    any tick but the last changes no state. A clock set back owes nothing until
    it has caught up.
    """
    second = now.replace(microsecond=0)
    if last is not None and second <= last:
        return None
    return tick_of(second, last, source)
