"""Advice in force per issuer and area, and what of it changed.

A change of level or scope is an event, an editorial one is not (design 4.7).
"""

from collections.abc import Sequence

from schemas.codelists import AdviceScope
from schemas.incident import AdvisoryChanged
from schemas.report import AdvisoryIssued
from streams.core.stage import derive_id
from streams.core.zones import advice_key, is_zoned


def versions_of(statements: Sequence[AdvisoryIssued]) -> list[AdvisoryIssued]:
    """Return the statements that changed level, scope, area or validity, in order."""
    versions: list[AdvisoryIssued] = []
    for statement in sorted(statements, key=lambda s: (s.sent_at, s.event_id)):
        if not versions or advice_key(versions[-1]) != advice_key(statement):
            versions.append(statement)
    return versions


def change_of(versions: Sequence[AdvisoryIssued], zone_level: int) -> str:
    """Return what the last version changed, in one word.

    first, ended (no longer strong enough to match people), raised, lowered,
    scope. What still holds for a part of the country has not ended.
    """
    if len(versions) == 1:
        return "first"
    before, after = versions[-2], versions[-1]
    if is_zoned(before, zone_level) and after.level < zone_level:
        return "ended"
    if after.level != before.level:
        return "raised" if after.level > before.level else "lowered"
    return "scope"


def advisory_changed(
    statements: Sequence[AdvisoryIssued], zone_level: int, trigger_id: str
) -> AdvisoryChanged:
    """Return an advisory as it now stands, from all its statements."""
    versions = versions_of(statements)
    latest = versions[-1]
    newest = max(statements, key=lambda s: (s.sent_at, s.event_id))
    before = versions[-2] if len(versions) > 1 else None
    previous_scope: AdviceScope | None = before.scope if before else None
    return AdvisoryChanged(
        event_id=derive_id("advisory", latest.advisory_id, trigger_id),
        source="desk",
        occurred_at=latest.sent_at,
        received_at=latest.received_at,
        cause_ids=(latest.event_id,),
        status=latest.status,
        advisory_id=latest.advisory_id,
        issuer=latest.issuer,
        title=newest.title,
        native_level=newest.native_level,
        level=latest.level,
        scope=latest.scope,
        change=change_of(versions, zone_level),
        sent_at=latest.sent_at,
        version=len(versions),
        previous_level=before.level if before else None,
        previous_scope=previous_scope,
        areas=latest.areas,
        valid_from=latest.valid_from,
        valid_to=latest.valid_to,
        zoned=is_zoned(latest, zone_level),
    )
