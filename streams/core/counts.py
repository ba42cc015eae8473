"""Counts: the tallies of a shard, kept in step with its people.

What a person counts in is taken out and put in by difference; what has
changed since the last tick is said at the next one.
"""

from datetime import datetime

from schemas.codelists import Bucket, StatementBy, Status, Tier
from schemas.exposure import TallyChanged
from streams.core.assessment import Entry, ExposureRow
from streams.core.shard_state import Person, cell_of, known_live
from streams.core.tallies import Tally
from streams.core.zonebook import ZoneBook


class Counts:
    """All tallies of a shard, and its distinct people known in live situations."""

    def __init__(self) -> None:
        """Start with nobody counted."""
        self.tallies: dict[str, Tally] = {}
        self.distinct = 0
        self._dirty: set[str] = set()

    def exposures(self, rows: dict[str, ExposureRow], step: int) -> None:
        """Count a person's exposures in (+1) or out (-1)."""
        arriving = {
            (row.situation_id, row.status)
            for row in rows.values()
            if row.tier is Tier.INBOUND and row.situation_id is not None
        }
        for situation_id, status in arriving:
            self._tally(situation_id, status).inbound += step
        for cause_id, row in rows.items():
            inbound = row.tier is Tier.INBOUND
            if row.advisory:
                tally = self._tally(cause_id, row.status, advisory=True)
                tally.inbound += step * inbound
                if not inbound:
                    cell = (Bucket.UNACCOUNTED, row.tier, StatementBy.NOBODY, row.post, row.area)
                    tally.known += step
                    tally.add(cell, step)

    def entry(
        self, person: Person, situation_id: str, new: Entry | None, *, regrouped: bool
    ) -> None:
        """Count a person's line in a situation anew; None: they are no member."""
        old = person.entries.get(situation_id)
        if old == new:
            return
        for entry, step in ((old, -1), (new, 1)):
            if entry is not None:
                tally = self._tally(situation_id, entry.status)
                tally.add(cell_of(entry), step)
                tally.known += step * (entry.bucket is not Bucket.DUPLICATE)
        if new is None and not regrouped:
            person.withdrawn.append(situation_id)
            tally.withdrawn += 1
        elif new is not None and situation_id in person.withdrawn:
            person.withdrawn.remove(situation_id)
            tally.withdrawn -= 1

    def recount(self, person: Person, book: ZoneBook) -> None:
        """Count a person who comes out of a snapshot."""
        self.exposures(person.exposures, 1)
        for situation_id, entry in person.entries.items():
            tally = self._tally(situation_id, entry.status)
            tally.add(cell_of(entry), 1)
            tally.known += entry.bucket is not Bucket.DUPLICATE
        for situation_id in person.withdrawn:
            known = book.situations.get(situation_id)
            self._tally(situation_id, known.status if known else Status.ACTUAL).withdrawn += 1
        self.distinct += known_live(person.entries)

    def unsaid(self) -> list[tuple[str, Status, bool]]:
        """Return what has changed since the last tick: (about, status, advisory)."""
        return [
            (about, self.tallies[about].status, self.tallies[about].advisory)
            for about in sorted(self._dirty)
        ]

    def leave_unsaid(self, unsaid: list[tuple[str, Status, bool]]) -> None:
        """Take over from a snapshot what is still to be said."""
        for about, status, advisory in unsaid:
            self._tally(about, status, advisory=advisory)
        self._dirty = {about for about, _, _ in unsaid}

    def said(self, shard: int, tick_at: datetime) -> list[tuple[str, TallyChanged]]:
        """Return the tallies that changed, each with what it is about, once."""
        told = [(a, self.tallies[a].record(shard, tick_at, a)) for a in sorted(self._dirty)]
        self._dirty.clear()
        return told

    def _tally(self, about: str, status: Status, *, advisory: bool = False) -> Tally:
        self._dirty.add(about)
        tally = self.tallies.get(about)
        if tally is None:
            tally = self.tallies[about] = Tally(status, advisory=advisory)
        return tally
