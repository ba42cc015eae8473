"""Rules: pure triggers, one module each, in the order they are shown.

A rule looks at what the room knows and says what a human must know; raising
once, acknowledging and grouping are the room's.
"""

from streams.core.rules import advice_raised_with_people, affected_threshold, help_requested
from streams.core.rules.base import Rule

RULES: tuple[Rule, ...] = (
    help_requested.RULE,
    affected_threshold.RULE,
    advice_raised_with_people.RULE,
)
"""Every rule; a test fails when a module here is not registered."""
