"""The zones a shard knows, by cause, as matching needs them.

A cause is an incident or an advisory. Zone versions are absolute records; the
newest by the desk's ``seq`` stands, whatever the order of arrival.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.codelists import Status
from schemas.incident import SituationChanged
from schemas.zone import ZoneChanged
from streams.core.exposure import Version, version_of
from streams.core.people import FAR_FUTURE


class Cause:
    """All zone versions of one incident or advisory, in their worlds.

    ``held`` are the versions that hold people; ``corrected`` the superseded
    ones, by version number.
    """

    __slots__ = (
        "advisory",
        "cause_id",
        "corrected",
        "ends_at",
        "held",
        "situation_id",
        "starts_at",
        "status",
    )

    def __init__(self, cause_id: str, versions: list[Version]) -> None:
        """Sort ``versions`` (at least one) into their worlds."""
        self.cause_id = cause_id
        versions = sorted(versions, key=lambda v: (v.zone.version, v.zone.rank, v.key))
        newest = versions[-1].zone
        self.status: Status = newest.status
        self.situation_id = newest.situation_id
        self.advisory = newest.advisory
        self.held = [v for v in versions if not v.zone.corrected]
        self.corrected: dict[int, list[Version]] = {}
        for version in versions:
            if version.zone.corrected:
                self.corrected.setdefault(version.zone.version, []).append(version)
        self.starts_at = min(v.valid_from for v in versions)
        self.ends_at = max(v.valid_to for v in versions)

    def edge_after(self, t: datetime) -> datetime:
        """Return the first instant after ``t`` at which a version begins or ends."""
        edges = [e for v in self.held for e in (v.valid_from, v.valid_to) if e > t]
        edges += [
            e
            for vs in self.corrected.values()
            for v in vs
            for e in (v.valid_from, v.valid_to)
            if e > t
        ]
        return min(edges, default=FAR_FUTURE)


class ZoneBook:
    """Zones and situations known to a shard."""

    def __init__(self) -> None:
        """Start empty."""
        self.records: dict[str, ZoneChanged] = {}
        self.situations: dict[str, SituationChanged] = {}
        self.causes: dict[str, Cause] = {}
        self._versions: dict[str, dict[str, Version]] = {}
        self.by_country: dict[str, set[str]] = {}

    @property
    def seq(self) -> int:
        """Return the highest zone sequence seen."""
        return max((zone.seq for zone in self.records.values()), default=0)

    def put(self, zone: ZoneChanged) -> Version | None:
        """Take a zone version in; None if a newer record of it is known."""
        version = version_of(zone)
        known = self.records.get(version.key)
        if known is not None and known.seq >= zone.seq:
            return None
        self.records[version.key] = zone
        of_cause = self._versions.setdefault(zone.cause_id, {})
        if known is not None and known.cause_id != zone.cause_id:
            self._versions[known.cause_id].pop(version.key, None)
            self._rebuild(known.cause_id)
        of_cause.pop(version.key, None)
        if not zone.void:
            of_cause[version.key] = version
        self._rebuild(zone.cause_id)
        return version

    def _rebuild(self, cause_id: str) -> None:
        versions = list(self._versions[cause_id].values())
        if versions:
            self.causes[cause_id] = Cause(cause_id, versions)
        else:
            self.causes.pop(cause_id, None)
        countries = {c for v in versions for c in v.touches | v.codes}
        for country, causes in self.by_country.items():
            if country not in countries:
                causes.discard(cause_id)
        for country in countries:
            self.by_country.setdefault(country, set()).add(cause_id)

    def put_situation(self, situation: SituationChanged) -> bool:
        """Take a situation in; tell whether its aliases or closing changed."""
        known = self.situations.get(situation.situation_id)
        if known is not None and known.seq >= situation.seq:
            return False
        self.situations[situation.situation_id] = situation
        return known is None or (known.aliases, known.closed, known.void) != (
            situation.aliases,
            situation.closed,
            situation.void,
        )

    def aliases(self, situation_id: str) -> frozenset[str]:
        """Return all ids under which a situation is known, its own included."""
        situation = self.situations.get(situation_id)
        return frozenset({situation_id, *(situation.aliases if situation else ())})

    def left_by(self, was_in: Mapping[str, str | None]) -> set[str]:
        """Return the situations that are void, or that one of these causes has left.

        ``was_in``: {cause id: the situation it was in}.
        """
        left = {name for name, situation in self.situations.items() if situation.void}
        for cause_id, situation_id in was_in.items():
            cause = self.causes.get(cause_id)
            if situation_id is not None and cause and cause.situation_id != situation_id:
                left.add(situation_id)
        return left

    def cause_of(self, key: str) -> str:
        """Return the cause of a zone version key."""
        return self.records[key].cause_id
