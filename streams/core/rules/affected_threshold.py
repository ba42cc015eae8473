"""As many people are known and located in a situation as the threshold says."""

from collections.abc import Iterator

from streams.core.rules.base import Finding, Rule, View


def find(view: View) -> Iterator[Finding]:
    """Yield a finding once enough of the known are located.

    Whoever is only known to be somewhere in the country does not raise it: a
    tremor in Alaska would, with everyone in the United States. An incomplete
    sum that reaches the threshold counts: it can only be more.
    """
    situation, count = view.situation, view.sums
    if situation is None or count is None or situation.closed or situation.void:
        return
    located = count.known - count.country_only
    if located < view.limits.affected_alert:
        return
    yield Finding(
        cause_id=situation.situation_id,
        title=f"{situation.title}: {located} of ours known to be affected"
        + (f", {count.country_only} more in the country" if count.country_only else ""),
        severity="critical",
        status=situation.status,
        facts={
            "known": count.known,
            "country_only": count.country_only,
            "inbound": count.inbound,
            "shards_reached": count.reached,
            "shards": count.shards,
        },
        due_at=situation.onset_at,
        situation_id=situation.situation_id,
    )


RULE = Rule(
    "affected_threshold",
    "the known of a situation, country_only left out, reach affected_alert",
    "duty_officer",
    find,
)
