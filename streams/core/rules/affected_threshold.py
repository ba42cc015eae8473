"""More people are known in a situation than the threshold."""

from collections.abc import Iterator

from streams.core.rules.base import Finding, Rule, View


def find(view: View) -> Iterator[Finding]:
    """Yield a finding once the known reach the threshold.

    An incomplete sum that reaches it counts: it can only be more.
    """
    situation, count = view.situation, view.sums
    if situation is None or count is None or situation.closed or situation.void:
        return
    if count.known < view.limits.affected_alert:
        return
    yield Finding(
        cause_id=situation.situation_id,
        title=f"{situation.title}: {count.known} of ours known to be affected",
        severity="critical",
        status=situation.status,
        facts={
            "known": count.known,
            "inbound": count.inbound,
            "shards_reached": count.reached,
            "shards": count.shards,
        },
        due_at=situation.onset_at,
        situation_id=situation.situation_id,
    )


RULE = Rule(
    "affected_threshold",
    "the known of a situation reach the threshold (setting affected_alert)",
    "duty_officer",
    find,
)
