"""How far everything that came in has been merged; pure, over samples taken as time goes by.

A sample says where the public topics ended at a moment. Once all that stood
before those ends has been dealt with, everything that had come in by that
moment has been merged: that is what a tick calls ``complete_to``.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

MAX_SAMPLES = 512
"""Most samples that are kept; with more, older ones lie further apart."""

Place = tuple[str, int]
"""A topic and a partition."""


class Sample(NamedTuple):
    """Where places ended at a moment; taken after it, so that it promises nothing too early."""

    at: datetime
    ends: Mapping[Place, int]


class Completeness:
    """The newest moment ``at`` up to which all is merged; None while none is known.

    It never goes back: what has been merged stays merged.
    """

    def __init__(self, at: datetime | None = None) -> None:
        """Go on where somebody else had come to."""
        self.at = at
        self._samples: deque[Sample] = deque()

    def __len__(self) -> int:
        """Return how many samples are kept."""
        return len(self._samples)

    def note(self, sample: Sample, done: Mapping[Place, int]) -> None:
        """Add a sample, and move on to the newest that is ``done`` with.

        ``done`` holds the first offset of a place not yet dealt with; a place
        that is not in it has not been begun.
        """
        self._samples.append(sample)
        while self._samples and not lag_of(self._samples[0].ends, done):
            self.reached(self._samples.popleft().at)
        if len(self._samples) > MAX_SAMPLES:
            # A sample less only makes the answer older, never too new.
            *earlier, newest = self._samples
            self._samples = deque([*earlier[::2], newest])

    def reached(self, at: datetime | None) -> None:
        """Take over what somebody else knows to be merged."""
        if at is not None and (self.at is None or at > self.at):
            self.at = at


def lag_of(ends: Mapping[Place, int], done: Mapping[Place, int]) -> dict[Place, int]:
    """Return how many offsets are left in each place where some are."""
    left = {place: end - done.get(place, 0) for place, end in ends.items()}
    return {place: lag for place, lag in left.items() if lag > 0}


class Stall:
    """Notices a place with work in it that has not moved for too long."""

    def __init__(self, after: timedelta) -> None:
        """Call it a stall after so long."""
        self._after = after
        self._since: dict[Place, tuple[int, datetime]] = {}

    def note(
        self,
        at: datetime,
        mine: Iterable[Place],
        lag: Mapping[Place, int],
        done: Mapping[Place, int],
    ) -> list[Place]:
        """Return which of ``mine`` stand still; time runs only while they lag."""
        since: dict[Place, tuple[int, datetime]] = {}
        for place in mine:
            if place in lag:
                stands = done.get(place, 0)
                before = self._since.get(place)
                moved = before is None or before[0] != stands
                since[place] = (stands, at) if moved or before is None else before
        self._since = since
        return sorted(place for place, (_, began) in since.items() if at - began >= self._after)
