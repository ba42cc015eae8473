"""The clock of a log: the wall's, or a scenario's.

A log has one clock, fixed when it is created. ``received_at``, the time a
record is appended and the age of faults come from it, so a replay of a past
crisis lives in the time of that crisis. Stages read no clock: time reaches
them as ``Tick`` records.
"""

import math
from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec


class Clock(Protocol):
    """Where the shell gets the time from."""

    def now(self) -> datetime:
        """Return the present moment of this clock, aware UTC."""
        ...


class ClockSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clock a log runs on.

    ``start`` is the first moment of a scenario (aware UTC); ``speed`` how many
    of its seconds pass in one of ours. It sets only the pace at which ticks
    are written, never what they say. Both are None for the wall clock.
    """

    kind: Literal["wall", "scenario"] = "wall"
    start: datetime | None = None
    speed: float | None = None

    def __post_init__(self) -> None:
        """Refuse a scenario without start or pace, and a wall clock with one."""
        if self.kind == "wall":
            if self.start is not None or self.speed is not None:
                msg = "the wall clock has no start and no speed"
                raise ValueError(msg)
            return
        if self.start is None or self.start.tzinfo is None:
            msg = "a scenario clock needs a start with a time zone"
            raise ValueError(msg)
        if self.speed is None or not (math.isfinite(self.speed) and self.speed > 0):
            msg = "a scenario clock needs a speed above 0"
            raise ValueError(msg)

    def __str__(self) -> str:
        """Return the clock as design and messages write it."""
        if self.start is None or self.speed is None:
            return self.kind
        return f"{self.kind}({self.start.isoformat()}, {self.speed:g})"


WALL = ClockSpec()


def scenario(start: datetime, speed: float = 1.0) -> ClockSpec:
    """Return the clock of a scenario that begins at ``start``."""
    return ClockSpec("scenario", start.astimezone(UTC), float(speed))


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


class ScenarioClock:
    """A clock that stands where the newest tick has put it."""

    def __init__(self, at: datetime) -> None:
        """Start at ``at``: the scenario's start, or its last tick."""
        self._at = at

    def now(self) -> datetime:
        """Return the time of the newest tick."""
        return self._at

    def advance(self, at: datetime) -> None:
        """Move to ``at``; a time not newer than now is ignored, as in stages."""
        self._at = max(self._at, at)
