"""Someone in a situation says they need help."""

from collections.abc import Iterator

from streams.core.rules.base import Finding, Rule, View


def find(view: View) -> Iterator[Finding]:
    """Yield one finding per request; it never waits for a tick.

    The title names the person only by pseudonymous id.
    """
    request = view.help
    if request is None:
        return
    yield Finding(
        cause_id=request.event_id,
        title=f"{request.person_id} needs help",
        severity="critical",
        status=request.status,
        facts={
            "person_id": request.person_id,
            "tier": request.tier.value,
            "post": request.post or "unknown",
        },
        due_at=request.occurred_at,
        situation_id=request.situation_id,
    )


RULE = Rule(
    "help_requested",
    "a person in a situation asks for help",
    "duty_officer",
    find,
    silenceable=False,
)
