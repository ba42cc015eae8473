"""The ledger: which bucket a member of a situation is in, and who says so.

The whole of it is the table ``TRANSITIONS`` and its fold along event time;
docs/semantics.md section 6 shows the table, and a test holds the two equal.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.codelists import Bucket, CheckInState, ContactOutcome, StatementBy
from streams.core.people import Statement
from streams.core.thresholds import FAILED, Thresholds

Standing = tuple[Bucket, StatementBy]

U, H, R, L = Bucket.UNACCOUNTED, Bucket.NEEDS_HELP, Bucket.UNREACHABLE, Bucket.LEFT_AREA
S, N, D, E, X = (
    Bucket.SAFE,
    Bucket.NEVER_THERE,
    Bucket.DECLINES_TO_LEAVE,
    Bucket.EVACUATED,
    Bucket.DECEASED,
)
THIRD = StatementBy.THIRD_PARTY

ONSET, EXHAUSTED = "onset", "exhausted"
"""Inputs that are not statements: a member incident begins; the third failed attempt."""

SETTABLE = (U, H, S, R, L, N, D, E, X)

ALL_BUT_FINAL = frozenset({U, H, S, R, L, N, D})
"""Left by any ordinary statement; evacuated and deceased are not."""

TRANSITIONS: dict[str, tuple[frozenset[Bucket], Bucket, StatementBy]] = {
    ONSET: (frozenset({S, R, L, D}), U, StatementBy.NOBODY),
    EXHAUSTED: (frozenset({U}), R, StatementBy.CONTACT),
    CheckInState.SAFE: (ALL_BUT_FINAL, S, StatementBy.PERSON),
    CheckInState.NEEDS_HELP: ((ALL_BUT_FINAL | {E}) - {H}, H, StatementBy.PERSON),
    CheckInState.LEFT_AREA: (ALL_BUT_FINAL - {L}, L, StatementBy.PERSON),
    CheckInState.NEVER_THERE: (ALL_BUT_FINAL - {N}, N, StatementBy.PERSON),
    CheckInState.DECLINES_TO_LEAVE: (ALL_BUT_FINAL - {D}, D, StatementBy.PERSON),
    ContactOutcome.REACHED_SAFE: (ALL_BUT_FINAL, S, StatementBy.CONTACT),
    ContactOutcome.REACHED_NEEDS_HELP: ((ALL_BUT_FINAL | {E}) - {H}, H, StatementBy.CONTACT),
    ContactOutcome.REACHED_LEFT_AREA: (ALL_BUT_FINAL - {H, L}, L, StatementBy.CONTACT),
    ContactOutcome.REACHED_NEVER_THERE: (ALL_BUT_FINAL - {H, N}, N, StatementBy.CONTACT),
    ContactOutcome.REACHED_DECLINES_TO_LEAVE: (ALL_BUT_FINAL - {H, D}, D, StatementBy.CONTACT),
    ContactOutcome.THIRD_PARTY_SAFE: (frozenset({U, R}), S, THIRD),
    ContactOutcome.EVACUATED: (ALL_BUT_FINAL | {E}, E, StatementBy.CONTACT),
}
"""input: (buckets it moves, where to, who stands behind it); others stay.

``needs_help`` is left only by the person, a reached_safe contact, an evacuation
or an officer (design 4.4). Third-party safe never overrides a statement that
somebody made first hand. An override sets any bucket.
"""

CALLS = frozenset({CheckInState.NEEDS_HELP, ContactOutcome.REACHED_NEEDS_HELP})
"""Statements that a revised onset must not lose."""

KEPT_WHEN_CORRECTED = frozenset({H, E, X})
"""Buckets that outlive a correction of the zone: never ``no_longer_affected``."""


class Fold(NamedTuple):
    """Where the fold of a member's history stands."""

    bucket: Bucket
    by: StatementBy
    since: datetime
    cause_event_id: str | None
    by_user: str | None
    overridden: bool
    failed: int
    why: str


def fold(
    onsets: Iterable[tuple[datetime, str]],
    statements: Sequence[Statement],
    aliases: frozenset[str],
    limits: Thresholds,
    calls_from: datetime,
) -> Fold:
    """Return bucket and author after all inputs along event time.

    ``onsets`` are (onset, incident id) of the member incidents that hold the
    person, at least one; ``statements`` in event order; ``aliases`` all ids
    of the situation, under which an override may have been given. Calls for
    help count from ``calls_from`` on, which may be before the first onset.
    """
    inputs: list[tuple[datetime, int, str, Statement | None]] = [
        (at, 0, cause, None) for at, cause in onsets
    ]
    first = min(inputs)[0]
    inputs += [
        (s.at, 1, s.event_id, s)
        for s in statements
        if (s.at >= first or (s.at >= calls_from and s.said in CALLS))
        and (s.bucket is None or s.situation_id in aliases)
    ]
    inputs.sort(key=lambda entry: entry[:3])
    state = Fold(
        U, StatementBy.NOBODY, first, None, None, overridden=False, failed=0, why="exposed"
    )
    channels: set[str] = set()
    for at, _, _, statement in inputs:
        if statement is None:
            channels.clear()
            state = _move(state._replace(failed=0), ONSET, at, None)
        elif statement.bucket is not None:
            channels.clear()
            state = state._replace(failed=0)
            standing = (statement.bucket, StatementBy.OFFICER)
            state = _set(state, standing, at, "override", statement)._replace(overridden=True)
        elif statement.said in FAILED:
            channels.add(str(statement.channel))
            state = state._replace(failed=state.failed + 1)
            if state.failed >= limits.failed_attempts and len(channels) >= limits.failed_channels:
                state = _move(state, EXHAUSTED, at, statement)
        elif statement.said is not None:
            channels.clear()
            state = _move(state._replace(failed=0), statement.said, at, statement)
    return state


def _move(state: Fold, said: str, at: datetime, statement: Statement | None) -> Fold:
    leaves, bucket, by = TRANSITIONS[said]
    if state.bucket not in leaves:
        return state
    return _set(state, (bucket, by), at, said, statement)


def _set(
    state: Fold, standing: Standing, at: datetime, why: str, statement: Statement | None
) -> Fold:
    if standing == (state.bucket, state.by):
        return state
    return Fold(
        bucket=standing[0],
        by=standing[1],
        since=at,
        cause_event_id=statement.event_id if statement else None,
        by_user=statement.by_user if statement else None,
        overridden=False,
        failed=state.failed,
        why=str(why),
    )
