"""As many people are known and located in a situation as the threshold says."""

from collections.abc import Iterator

from streams.core.rules.base import Finding, Rule, View

STEP = 10
"""Ten times as many people are news again: a foreshock must not hide the mainshock."""

MOST = 100_000_000


def _from(level: int) -> Iterator[int]:
    while level <= MOST:
        yield level
        level *= STEP


def find(view: View) -> Iterator[Finding]:
    """Yield a finding once enough of the known are located, and at ten times as many.

    Whoever is only known to be somewhere in the country does not raise it: a
    tremor in Alaska would, with everyone in the United States. An incomplete
    sum that reaches the threshold counts: it can only be more. Once a level
    has been said of a situation, under whichever of its ids, neither it nor a
    lower one is said again. Of what is over already, nothing is raised.
    """
    situation, count = view.situation, view.sums
    if situation is None or count is None or situation.closed or situation.void:
        return
    located = count.known - count.country_only
    if situation.expires_at is not None and situation.expires_at <= view.at:
        return
    level = view.limits.affected_alert
    if located < level:
        return
    while located >= level * STEP:
        level *= STEP
    ids = (situation.situation_id, *situation.aliases)
    said = [f"{name}/{at_least}" for at_least in _from(level) for name in ids]
    yield Finding(
        cause_id=said[0],
        same_as=tuple(said[1:]),
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
    "the known of a situation, country_only left out, reach affected_alert, ten times it ...",
    "duty_officer",
    find,
)
