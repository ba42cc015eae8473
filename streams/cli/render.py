"""The wall's numbers as lines of text, for people at a terminal.

Unknown is written as unknown, never as 0; an incomplete sum as "at least".
"""

from collections.abc import Iterator

from schemas.codelists import Bucket, Status
from streams.cli.base import iso
from streams.printable import one_line
from streams.serving.answers import (
    AdvisoryNow,
    Completeness,
    IncidentNow,
    SituationNow,
    StatusNow,
)

SHOWN = 15
"""Alerts, faults and incidents shown of each; --json has all."""

FIRST = (Bucket.UNACCOUNTED, Bucket.NEEDS_HELP, Bucket.SAFE)
"""Buckets of the first line; the others are its "other", in parts."""


def status_lines(now: StatusNow) -> Iterator[str]:
    """Yield the lines of ``rollcall status``, safe to print."""
    return map(one_line, _lines(now))


def _lines(now: StatusNow) -> Iterator[str]:
    yield f"As of {iso(now.as_of)}"
    for total in now.totals:
        yield (
            f"{_mark(total.status)}People: {_about(total.completeness)}{total.people} registered,"
            f" {total.distinct_known} distinct known in situations"
            f" ({_completeness(total.completeness)})"
        )
    if not now.totals:
        yield "People: unknown, nothing has been summed yet"
    yield from _faults(now)
    for situation in now.situations:
        if not _quiet(situation):
            yield ""
            yield from _situation(situation)
    yield from _quiet_ones([one for one in now.situations if _quiet(one)])
    if not now.situations:
        yield "Situations: none has been opened" if now.as_of else "Situations: unknown"
    yield from _elsewhere(now.incidents)
    yield from _advice(now.advisories)
    yield from _alerts(now)
    yield from _feeds(now)
    skipped = "unknown" if now.skipped is None else now.skipped
    yield f"Dead letters: {now.dead_letters}    Skipped control records: {skipped}"


def _mark(status: str) -> str:
    return "" if status == Status.ACTUAL else f"{status.upper()} "


def _about(completeness: Completeness) -> str:
    return "" if completeness.complete else "at least "


def _completeness(one: Completeness) -> str:
    return f"{one.reached} of {one.shards} shards, as of {iso(one.as_of)}"


def _situation(one: SituationNow) -> Iterator[str]:
    closed = ", closed" if one.closed else ""
    yield f"{_mark(one.status)}{one.title} ({one.hazard}, onset {iso(one.onset_at)}{closed})"
    yield f"  id {one.situation_id}"
    if one.known is None or one.buckets is None or one.tiers is None or one.completeness is None:
        yield "  known: unknown, no shard has reported yet"
    else:
        yield (
            f"  known {_about(one.completeness)}{one.known}"
            f"    inbound {one.inbound}    withdrawn {one.withdrawn}"
            f"    ({_completeness(one.completeness)})"
        )
        other = {b: n for b, n in one.buckets.items() if b not in FIRST and b != Bucket.DUPLICATE}
        parts = ", ".join(f"{_words(bucket)} {count}" for bucket, count in other.items())
        yield (
            "  "
            + "    ".join(f"{_words(b)} {one.buckets[b]}" for b in FIRST)
            + (f"    other {sum(other.values())}")
        )
        yield f"    other: {parts}; duplicates apart: {one.buckets[Bucket.DUPLICATE]}"
        yield "  tiers: " + ", ".join(f"{_words(tier)} {n}" for tier, n in one.tiers.items())
        yield from _imbalance(one)
    for incident in one.incidents:
        yield f"  - {_incident(incident)}"


def _quiet(one: SituationNow) -> bool:
    """Tell whether it is certain that a situation is about nobody of ours."""
    return (
        (one.known, one.inbound, one.withdrawn, one.rows_known) == (0, 0, 0, 0)
        and one.completeness is not None
        and one.completeness.complete
    )


def _quiet_ones(situations: list[SituationNow]) -> Iterator[str]:
    if not situations:
        return
    yield ""
    yield f"Situations with nobody of ours, by all shards: {len(situations)}"
    for one in situations[:SHOWN]:
        yield f"  - {_mark(one.status)}{one.title} ({one.hazard}, onset {iso(one.onset_at)})"
    yield from _more(len(situations))


def _imbalance(one: SituationNow) -> Iterator[str]:
    if one.imbalance is None or one.imbalance.balanced:
        return
    found = one.imbalance
    yield (
        f"  IMBALANCE: room {found.room:+d}, known minus buckets {found.buckets:+d},"
        f" rows of the store {one.rows_known} minus known {found.store:+d}"
    )
    yield "    Rows may run ahead of a sum until the next tick; if it stays, `rollcall doctor`."


def _incident(one: IncidentNow) -> str:
    magnitude = "" if one.magnitude is None else f"M{one.magnitude:g}, "
    area = "" if one.area_known else ", AREA UNKNOWN"
    return (
        f"{_mark(one.status)}{one.title} [{magnitude}{one.life}, version {one.version}, headline"
        f" {one.headline_source}, {one.members} source{'s' if one.members != 1 else ''}{area}]"
    )


def _elsewhere(incidents: tuple[IncidentNow, ...]) -> Iterator[str]:
    if not incidents:
        return
    yield ""
    unknown = sum(not one.area_known for one in incidents)
    yield f"Incidents without a situation: {len(incidents)}, of these {unknown} with area unknown"
    for one in incidents[-SHOWN:]:
        yield f"  - {_incident(one)}"
    yield from _more(len(incidents))


def _advice(advisories: tuple[AdvisoryNow, ...]) -> Iterator[str]:
    if not advisories:
        return
    yield ""
    yield f"Advice in force with an area: {len(advisories)}"
    for one in sorted(advisories, key=lambda one: -sum(one.tiers.values()))[:SHOWN]:
        inside = sum(count for tier, count in one.tiers.items() if tier != "inbound")
        yield (
            f"  - {_mark(one.status)}{one.title} [{one.issuer}: {one.native_level}, level"
            f" {one.level} of 4 by our scale, {one.scope}] inside {inside},"
            f" arriving within 72 h {one.tiers['inbound']}"
        )
    yield from _more(len(advisories))


def _alerts(now: StatusNow) -> Iterator[str]:
    yield ""
    yield f"Alerts open: {len(now.alerts)}"
    for one in now.alerts[-SHOWN:]:
        late = f", {_span(one.late_s)} late" if one.late_s else ""
        yield (
            f"  - {_mark(one.status)}{iso(one.raised_at)} {one.title} [{one.rule}, {one.severity}"
            f"{late}] {one.alert_id}"
        )
    yield from _more(len(now.alerts))


def _span(seconds: int) -> str:
    """Return a span in the largest unit of which there are two or more, rounded down."""
    for unit, unit_s in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"


def _feeds(now: StatusNow) -> Iterator[str]:
    if now.feeds is None:
        yield "Feeds: unknown, none has spoken"
        return
    yield "Feeds:"
    for one in now.feeds:
        items = "" if one.items is None else f", {one.items} items"
        yield (
            f"  - {one.feed}: {one.state}, {one.reason}{items};"
            f" last success {iso(one.last_success_at)}"
        )


def _faults(now: StatusNow) -> Iterator[str]:
    for one in now.faults[:SHOWN]:
        where = f"{one.stage} {one.partition}"
        at = "" if one.offset is None else f" at offset {one.offset}"
        yield f"FAULT {one.fault} in {where}{at}, {iso(one.at)}: {one.detail}"
    yield from _more(len(now.faults))


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"  and {count - SHOWN} more: `rollcall status --json` has all"


def _words(name: str) -> str:
    return str(name).replace("_", " ")
