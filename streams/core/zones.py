"""Zone versions of incidents and advisories, with their intervals.

docs/semantics.md section 3: a correction replaces from the onset on, an
evolution leaves the earlier version true for its time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from geo.places import countries_touching
from schemas.codelists import AdviceScope, Hazard, Revision
from schemas.place import Area, Countries
from schemas.report import AdvisoryIssued
from schemas.zone import ZoneChanged
from streams.core.incidents import FootprintVersion, Incident, expiry_of

Draft = ZoneChanged
"""A zone version whose event id and ``seq`` the desk fills in."""

UNSET_ID, UNSET_SEQ = "unset", 0


def zones_of_incident(incident: Incident, situation_id: str | None) -> Iterator[Draft]:
    """Yield every band of every footprint version of an incident."""
    versions = incident.versions
    for n, version in enumerate(versions):
        following = versions[n + 1] if n + 1 < len(versions) else None
        if version.footprint is None:
            continue
        start, end, corrected = _interval(n, version, following)
        report = version.report
        position = report.position
        for band in version.footprint.bands:
            yield ZoneChanged(
                event_id=UNSET_ID,
                source="desk",
                occurred_at=version.sent_at,
                received_at=version.sent_at,
                cause_ids=(report.event_id,),
                status=report.status,
                zone_id=f"{incident.incident_id}/{band.band}",
                version=n + 1,
                seq=UNSET_SEQ,
                cause_id=incident.incident_id,
                hazard=report.hazard,
                title=incident.report.title,
                band=band.band,
                rank=band.rank,
                areas=band.areas,
                onset_at=report.onset_at,
                valid_from=start,
                valid_to=end,
                revision=report.revision,
                model="officer" if version.manual else version.footprint.model,
                situation_id=situation_id,
                corrected=corrected,
                possible_only=band.possible_only,
                estimated=version.footprint.estimated and not version.manual,
                centre_lon_deg=position.lon_deg if position else None,
                centre_lat_deg=position.lat_deg if position else None,
                touches=countries_touching(band.areas),
            )


def _interval(
    n: int, version: FootprintVersion, following: FootprintVersion | None
) -> tuple[datetime, datetime | None, bool]:
    """Return [valid_from, valid_to) and whether the version was corrected."""
    report = version.report
    corrects = report.revision is Revision.CORRECTS
    start = report.onset_at if corrects or n == 0 else max(version.sent_at, report.onset_at)
    end = expiry_of(version)
    corrected = False
    if following is not None:
        end = following.sent_at if end is None else min(end, following.sent_at)
        corrected = following.report.revision is Revision.CORRECTS
    if end is not None:
        end = max(start, end)
    return start, end, corrected


def advice_key(advisory: AdvisoryIssued) -> tuple[object, ...]:
    """Return what must change for advice to be more than edited."""
    return (
        advisory.level,
        advisory.scope,
        advisory.areas,
        advisory.valid_from,
        advisory.valid_to,
    )


def is_zoned(advisory: AdvisoryIssued, zone_level: int) -> bool:
    """Tell whether people are matched with this advice."""
    return (
        advisory.level >= zone_level
        and bool(advisory.areas)
        and not (advisory.scope is AdviceScope.PART and _whole_countries(advisory.areas))
    )


def _whole_countries(areas: Sequence[Area]) -> bool:
    """Partial advice never colours a whole country (design 4.7)."""
    return any(isinstance(area, Countries) for area in areas)


def zones_of_advisory(versions: Sequence[AdvisoryIssued], zone_level: int) -> Iterator[Draft]:
    """Yield the zone of every version of advice that is strong enough.

    ``versions`` are those that differ in ``advice_key``, in order.
    """
    for n, advisory in enumerate(versions):
        if not is_zoned(advisory, zone_level):
            continue
        start = advisory.sent_at
        if advisory.valid_from is not None:
            start = max(start, advisory.valid_from)
        ends = [at for at in (advisory.valid_to,) if at is not None]
        if n + 1 < len(versions):
            ends.append(versions[n + 1].sent_at)
        end = max(start, min(ends)) if ends else None
        yield ZoneChanged(
            event_id=UNSET_ID,
            source="desk",
            occurred_at=advisory.sent_at,
            received_at=advisory.sent_at,
            cause_ids=(advisory.event_id,),
            status=advisory.status,
            zone_id=f"{advisory.advisory_id}/advice",
            version=n + 1,
            seq=UNSET_SEQ,
            cause_id=advisory.advisory_id,
            hazard=Hazard.OTHER,
            title=advisory.title,
            band=f"advice {advisory.level}",
            rank=advisory.level,
            areas=advisory.areas,
            onset_at=start,
            valid_from=start,
            valid_to=end,
            revision=Revision.EVOLVES,
            model=advisory.issuer,
            advisory=True,
            level=advisory.level,
            touches=countries_touching(advisory.areas),
        )


def finished(draft: Draft, seq: int, event_id: str, *, more: bool, void: bool) -> ZoneChanged:
    """Return a draft as the record that goes out."""
    return msgspec.structs.replace(draft, seq=seq, event_id=event_id, more=more, void=void)


def content_of(draft: Draft) -> Draft:
    """Return a zone record reduced to what it says, for telling a change."""
    return msgspec.structs.replace(draft, seq=UNSET_SEQ, event_id=UNSET_ID, more=False)
