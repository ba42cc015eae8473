"""Travel advice as zones: semantics.md section 3."""

from collections.abc import Iterable

from tests.oracle.incidents import Version
from tests.oracle.times import NEVER, Fact, instant

ZONED_FROM_LEVEL = 3
CONTENT = ("level", "scope", "areas", "valid_from", "valid_to")


def is_zoned(advisory: Fact) -> bool:
    """Return whether people are matched with this advice."""
    areas = advisory.get("areas", ())
    whole_country = any(area["kind"] == "countries" for area in areas)
    return (
        advisory["level"] >= ZONED_FROM_LEVEL
        and bool(areas)
        and not (advisory["scope"] == "part" and whole_country)
    )


def advisories_of(facts: Iterable[Fact]) -> dict[str, list[Version]]:
    """Return the zone versions of every advisory; it evolves from sent to sent."""
    statements: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact["type"] == "AdvisoryIssued":
            statements.setdefault(fact["advisory_id"], []).append(fact)
    return {advisory_id: versions_of(said) for advisory_id, said in statements.items()}


def versions_of(statements: list[Fact]) -> list[Version]:
    """Return the zone of every version that is strong enough to have one."""
    spoken: list[Fact] = []
    for advisory in sorted(statements, key=lambda a: (instant(a["sent_at"]), a["event_id"])):
        if not spoken or any(spoken[-1].get(name) != advisory.get(name) for name in CONTENT):
            spoken.append(advisory)
    versions: list[Version] = []
    for index, advisory in enumerate(spoken):
        if not is_zoned(advisory):
            continue
        begin, end = instant(advisory["sent_at"]), NEVER
        if advisory.get("valid_from"):
            begin = max(begin, instant(advisory["valid_from"]))
        if advisory.get("valid_to"):
            end = instant(advisory["valid_to"])
        if index + 1 < len(spoken):
            end = min(end, instant(spoken[index + 1]["sent_at"]))
        versions.append(
            Version(
                zone=f"advice {advisory['level']}",
                number=index + 1,
                areas=tuple(advisory["areas"]),
                valid_from=begin,
                valid_to=max(begin, end),
                corrected=False,
                possible_only=False,
                rank=advisory["level"],
                onset=begin,
            )
        )
    return versions
