"""Travel advice rose, or came to cover a place, while people are there."""

from collections.abc import Iterator

from streams.core.rules.base import Finding, Rule, View


def find(view: View) -> Iterator[Finding]:
    """Yield a finding for advice raised over people inside or arriving.

    The first statement about an area is what we start from, not a rise; an
    editorial change is none either.
    """
    advisory, count = view.advisory, view.sums
    if advisory is None or count is None or not advisory.zoned:
        return
    if advisory.change not in {"raised", "scope"} or not (count.known or count.inbound):
        return
    yield Finding(
        cause_id=f"{advisory.advisory_id}@{advisory.sent_at.isoformat()}",
        title=f"{advisory.title}: advice now {advisory.level}, "
        f"{count.known} inside, {count.inbound} arriving",
        severity="warning",
        status=advisory.status,
        facts={
            "level": advisory.level,
            "previous_level": advisory.previous_level or 0,
            "native_level": advisory.native_level,
            "inside": count.known,
            "inbound": count.inbound,
        },
        due_at=advisory.sent_at,
    )


RULE = Rule(
    "advice_raised_with_people",
    "advice rose over people who are inside or arrive within 72 h",
    "duty_officer",
    find,
)
