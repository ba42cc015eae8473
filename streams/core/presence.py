"""Presence: the best belief where a person is, along event time.

docs/semantics.md section 2, from design 4.2. Pure functions of the kept
history; arrival plays no part.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from geo.cities import nearest_admin1
from geo.geodesy import distance_m
from geo.places import country_at
from schemas.codelists import Basis, Precision
from streams.core.people import FAR_FUTURE, Facts, Fix, Spot, Statement, Term, terms_of
from streams.core.thresholds import FINENESS, Thresholds

HOUR = timedelta(hours=1)

F = TypeVar("F", Fix, Statement)


class Belief(NamedTuple):
    """Where a person is believed to be, on what basis, and how exactly."""

    basis: Basis
    spot: Spot
    as_of: datetime
    term: Term | None = None


class Segment(NamedTuple):
    """A belief that holds over [start, end); None: no presence."""

    start: datetime
    end: datetime
    belief: Belief | None


class History:
    """The facts of one person arranged for asking "where at t?".

    Built per evaluation; holds nothing that is not in the facts.
    """

    def __init__(self, facts: Facts, thresholds: Thresholds) -> None:
        """Arrange ``facts``; suspect fixes are left out."""
        self.thresholds = thresholds
        self._growing = math.ceil(thresholds.growth_max_m / thresholds.growth_m_per_h) * HOUR
        terms = terms_of(facts)
        self.stays = [term for term in terms if not term.residence]
        self.residences = [term for term in terms if term.residence]
        self.fixes = [fix for fix in facts.fixes if not self.is_suspect(fix)]
        self._fix_times = [fix.at for fix in self.fixes]
        self.stated: list[Statement] = [s for s in facts.statements if s.spot is not None]
        self._stated_times = [s.at for s in self.stated]

    def is_suspect(self, fix: Fix) -> bool:
        """Tell whether a fix has, by all signs, its axes exchanged."""
        lon, lat = fix.point
        if abs(lon) > 90.0 or lon == lat:
            return False
        limits = self.thresholds
        for term in self.stays:
            point = term.spot.point
            if point is None or not term.cover_from <= fix.at < term.cover_to:
                continue
            if (
                distance_m(lon, lat, *point) > limits.swapped_far_m
                and distance_m(lat, lon, *point) <= limits.swapped_near_m
            ):
                return True
        return False

    def at(self, t: datetime) -> Belief | None:
        """Return the belief at ``t``."""
        limits = self.thresholds
        fix = _latest(self.fixes, self._fix_times, t)
        age = t - fix.at if fix else None
        if fix and age is not None and age <= limits.fresh_fix:
            return Belief(Basis.FRESH_FIX, fix_spot(fix, age, limits), fix.at)
        stay = _covering(self.stays, t)
        stated = _latest(self.stated, self._stated_times, t)
        if stated and stated.spot and t - stated.at <= limits.stated_place:
            later = any(
                term.cover_from > stated.at and term.cover_from <= t < term.cover_to
                for term in self.stays
            )
            if not later:
                return Belief(Basis.STATED_PLACE, stated.spot, stated.at)
        usable = fix if age is not None and age <= limits.old_fix else None
        if stay:
            if usable and age is not None and _beats(usable, stay, limits):
                return Belief(Basis.OLD_FIX, fix_spot(usable, age, limits), usable.at, stay)
            return Belief(Basis.STAY, stay.spot, stay.filed_at, stay)
        if usable and age is not None:
            return Belief(Basis.OLD_FIX, fix_spot(usable, age, limits), usable.at)
        residence = _covering(self.residences, t)
        if residence:
            return Belief(Basis.RESIDENCE, residence.spot, residence.filed_at, residence)
        return None

    def next_change(self, t: datetime) -> datetime:
        """Return the first instant after ``t`` at which the belief may change."""
        limits = self.thresholds
        best = FAR_FUTURE
        for term in (*self.stays, *self.residences):
            if t < term.cover_from < best:
                best = term.cover_from
            elif t < term.cover_to < best:
                best = term.cover_to
        for times, ages in (
            (self._fix_times, (limits.fresh_fix, limits.old_fix)),
            (self._stated_times, (limits.stated_place,)),
        ):
            after = bisect_right(times, t)
            if after < len(times) and times[after] < best:
                best = times[after]
            if after:
                last = times[after - 1]
                for age in ages:
                    # The age limit itself still counts, so the change is just after it.
                    end = last + age + RESOLUTION
                    if t < end < best:
                        best = end
        after = bisect_right(self._fix_times, t)
        if after and t - self._fix_times[after - 1] <= limits.old_fix:
            last = self._fix_times[after - 1]
            grown = last + limits.fresh_fix + HOUR
            if t >= grown:
                grown += ((t - grown) // HOUR + 1) * HOUR
            if (
                t < grown < best
                and grown
                <= last
                + limits.fresh_fix
                + math.ceil(limits.growth_max_m / limits.growth_m_per_h) * HOUR
            ):
                best = grown
        return best

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Yield the beliefs over [start, end), in order, without gaps."""
        t = start
        while t < end:
            until = min(self.next_change(t), end)
            yield Segment(t, until, self.at(t))
            t = until


RESOLUTION = timedelta(microseconds=1)
"""The smallest step of time a message can express."""


def fix_spot(fix: Fix, age: timedelta, thresholds: Thresholds) -> Spot:
    """Return a fix as a spot, its radius grown by age beyond freshness."""
    radius_m = fix.accuracy_m
    if age > thresholds.fresh_fix:
        hours = (age - thresholds.fresh_fix) // HOUR
        radius_m += min(thresholds.growth_m_per_h * hours, thresholds.growth_max_m)
    return Spot(Precision.POINT, None, None, fix.point, radius_m)


@lru_cache(maxsize=65536)
def country_of_point(point: tuple[float, float]) -> str | None:
    """Return the country at a point; static reference data, so cached."""
    return country_at(*point)


def country_of(spot: Spot) -> str | None:
    """Return the country a spot is in, as filed or that of its point."""
    if spot.country or spot.point is None:
        return spot.country
    return country_of_point(spot.point)


def admin1_of(spot: Spot) -> str | None:
    """Return the ISO 3166-2 code of a spot, as filed or of the nearest city."""
    if spot.admin1 or spot.point is None:
        return spot.admin1
    country = country_of(spot)
    return nearest_admin1(*spot.point, country) if country else None


def area_of(spot: Spot) -> str:
    """Return where a spot counts: its admin1, else its country, else nowhere."""
    return admin1_of(spot) or country_of(spot) or ""


def _latest(facts: Sequence[F], times: list[datetime], t: datetime) -> F | None:
    count = bisect_right(times, t)
    return facts[count - 1] if count else None


def _covering(terms: list[Term], t: datetime) -> Term | None:
    covering = [term for term in terms if term.cover_from <= t < term.cover_to]
    return max(covering, key=_begins_last) if covering else None


def _begins_last(term: Term) -> tuple[datetime, tuple[str, str]]:
    return term.begin, term.key


def _beats(fix: Fix, stay: Term, thresholds: Thresholds) -> bool:
    """Tell whether an older fix tells more than the stay covering now."""
    spot = stay.spot
    if spot.point is not None:
        reach_m = max(spot.radius_m, thresholds.stay_area_m)
        if distance_m(*fix.point, *spot.point) <= reach_m:
            return FINENESS[Precision.POINT] < FINENESS[spot.precision]
        country = country_of_point(fix.point)
    else:
        country = country_of_point(fix.point)
        if country == spot.country:
            return True
    return country is not None and country != spot.country and fix.at > stay.cover_from
