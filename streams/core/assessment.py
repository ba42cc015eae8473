"""The assessment of one person: a pure function of facts, zones and now.

Whatever arrives, in whatever order, a person is assessed again from the kept
history; so the state is a function of the set of inputs (design 4.1).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from geo.places import post_of
from schemas.codelists import Bucket, StatementBy, Status, Tier
from schemas.exposure import Reason
from streams.core.exposure import TIER_RANK, Hit, Near, Track, inbound_match, track
from streams.core.ledger import KEPT_WHEN_CORRECTED, fold
from streams.core.people import FAR_FUTURE, Facts, visible
from streams.core.presence import RESOLUTION, History, area_of, country_of
from streams.core.reasons import reason_of
from streams.core.thresholds import Thresholds
from streams.core.zonebook import Cause, ZoneBook


class ExposureRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An open (or inbound) exposure of a person to a cause."""

    tier: Tier
    since: datetime
    band: str
    bands: tuple[str, ...]
    reason: Reason
    situation_id: str | None
    advisory: bool
    post: str
    status: Status
    area: str = ""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A member's line in the ledger of a situation.

    ``area`` is where they are believed to be in the exposure that decides tier
    and post: ISO 3166-2, the country's alpha-2 code, or empty for nowhere.
    """

    bucket: Bucket
    by: StatementBy
    since: datetime
    tier: Tier
    post: str
    first_at: datetime
    held: bool
    why: str
    cause_event_id: str | None
    by_user: str | None
    status: Status
    area: str = ""


class Assessment(NamedTuple):
    """What a person's state is at an instant, and when to look again."""

    exposures: dict[str, ExposureRow]
    entries: dict[str, Entry]
    due_at: datetime


class _Tracked(NamedTuple):
    """One cause with the person's tracks through its worlds."""

    cause: Cause
    held: Track | None
    corrected: list[tuple[datetime, Track]]

    @property
    def tracks(self) -> list[Track]:
        """Return the tracks through all worlds."""
        corrected = [found for _, found in self.corrected]
        return [self.held, *corrected] if self.held else corrected


def assess(
    facts: Facts,
    causes: Sequence[Cause],
    book: ZoneBook,
    near_of: Mapping[tuple[float, float], Near],
    now: datetime,
    limits: Thresholds,
    *,
    linked: bool = False,
) -> Assessment:
    """Return a person's exposures and ledger entries at ``now``.

    Where the latest fact is younger than ``now``, a check-in since the last
    tick, its time counts as now. ``causes`` are those whose zones may concern
    any place of the facts.
    ``linked``: the record is a duplicate of another one.
    """
    exposures: dict[str, ExposureRow] = {}
    entries: dict[str, Entry] = {}
    due_at = FAR_FUTURE
    by_status: dict[Status, list[Cause]] = {}
    for cause in causes:
        by_status.setdefault(cause.status, []).append(cause)
    for status, group in sorted(by_status.items()):
        seen = visible(facts, status)
        at = max(now, seen.latest_at)
        history = History(seen, limits)
        started = [cause for cause in group if cause.starts_at <= at]
        if started:
            start = min(cause.starts_at for cause in started)
            segments = list(history.segments(start, at + RESOLUTION))
        by_situation: dict[str, list[_Tracked]] = {}
        for cause in started:
            held = track(segments, cause.held, near_of, at, limits) if cause.held else None
            corrected = []
            for versions in cause.corrected.values():
                found = track(segments, versions, near_of, at, limits)
                if found:
                    corrected.append((max(v.valid_to for v in versions), found))
            row = _exposure(cause, held, history, near_of, at, limits)
            if row:
                exposures[cause.cause_id] = row
            if cause.situation_id is not None and (held or corrected):
                tracked = _Tracked(cause, held, corrected)
                by_situation.setdefault(cause.situation_id, []).append(tracked)
            if held and held.open_since is not None:
                due_at = min(due_at, held.ends_at)
        for situation_id, members in by_situation.items():
            entries[situation_id] = _entry(
                situation_id, members, exposures, seen, book, limits, linked=linked
            )
        due_at = min(due_at, _look_again(group, history, at, limits))
    # Where a duplicate is, its root is: an exposure is listed and counted there.
    return Assessment({} if linked else exposures, entries, due_at)


def _look_again(
    causes: Sequence[Cause], history: History, now: datetime, limits: Thresholds
) -> datetime:
    """Return the next instant at which anything above may turn out otherwise."""
    ends_at = max(cause.ends_at for cause in causes)
    if ends_at <= now:
        return FAR_FUTURE
    due_at = min(history.next_change(now), *(cause.edge_after(now) for cause in causes))
    for term in history.stays:
        for at in (term.begin - limits.inbound, term.begin):
            if now < at < due_at:
                due_at = at
    return due_at


def _exposure(
    cause: Cause,
    held: Track | None,
    history: History,
    near_of: Mapping[tuple[float, float], Near],
    now: datetime,
    limits: Thresholds,
) -> ExposureRow | None:
    if held is not None and held.open_since is not None:
        return _row(cause, held.last, held.open_since)
    hit = inbound_match(history.stays, cause.held, near_of, now, limits)
    if hit is None or hit.belief.term is None:
        return None
    return _row(cause, hit, hit.belief.term.begin - limits.inbound)


def _row(cause: Cause, hit: Hit, since: datetime) -> ExposureRow:
    return ExposureRow(
        tier=hit.tier,
        since=since,
        band=hit.version.zone.band,
        bands=hit.bands,
        reason=reason_of(hit),
        situation_id=cause.situation_id,
        advisory=cause.advisory,
        post=_post(hit),
        status=cause.status,
        area=area_of(hit.belief.spot),
    )


def _post(hit: Hit) -> str:
    country = country_of(hit.belief.spot)
    return post_of(country) if country else ""


def _entry(
    situation_id: str,
    members: Sequence[_Tracked],
    exposures: Mapping[str, ExposureRow],
    facts: Facts,
    book: ZoneBook,
    limits: Thresholds,
    *,
    linked: bool,
) -> Entry:
    """Return a member's line; ``members`` have at least one track."""
    holding = [m for m in members if m.held]
    if holding:
        tracks = [(m.cause, m.held) for m in holding if m.held]
    else:
        tracks = [(m.cause, found) for m in members for _, found in m.corrected]
    begun: dict[str, datetime] = {}
    for cause, found in tracks:
        onset_at = found.last.version.zone.onset_at
        begun[cause.cause_id] = min(onset_at, begun.get(cause.cause_id, onset_at))
    onsets = [(onset_at, cause_id) for cause_id, onset_at in begun.items()]
    calls_from = min(found.onset_at for m in members for found in m.tracks)
    aliases = book.aliases(situation_id)
    standing = fold(onsets, facts.statements, aliases, limits, calls_from)
    open_rows = [
        row
        for cause, _ in tracks
        if (row := exposures.get(cause.cause_id)) and row.tier is not Tier.INBOUND
    ]
    if holding and open_rows:
        best = max(open_rows, key=lambda row: (TIER_RANK[row.tier], row.since, row.post, row.area))
        tier, post, area = best.tier, best.post, best.area
    else:
        _, last = max(tracks, key=_latest_surest)
        tier, post = last.last.tier, _post(last.last)
        area = area_of(last.last.belief.spot)
    entry = Entry(
        bucket=standing.bucket,
        by=standing.by,
        since=standing.since,
        tier=tier,
        post=post,
        first_at=min(found.first_at for _, found in tracks),
        held=bool(holding),
        why=standing.why,
        cause_event_id=standing.cause_event_id,
        by_user=standing.by_user,
        status=members[0].cause.status,
        area=area,
    )
    corrected_away = (
        not holding and standing.bucket not in KEPT_WHEN_CORRECTED and not standing.overridden
    )
    if corrected_away:
        entry = msgspec.structs.replace(
            entry,
            bucket=Bucket.NO_LONGER_AFFECTED,
            by=StatementBy.ENGINE,
            since=max(at for m in members for at, _ in m.corrected),
            why="corrected",
        )
    if linked:
        entry = msgspec.structs.replace(
            entry, bucket=Bucket.DUPLICATE, by=StatementBy.OFFICER, why="linked"
        )
    return entry


def _latest_surest(tracked: tuple[Cause, Track]) -> tuple[datetime, int, str]:
    cause, found = tracked
    return found.last_at, TIER_RANK[found.last.tier], cause.cause_id
