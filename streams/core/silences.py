"""Silences: which alerts officers have muted, and until when.

A silence mutes nothing that has been raised: it marks what is raised while it
is in force. docs/semantics.md section 9 is the law of it.
"""

from collections.abc import Iterable
from datetime import datetime

from schemas.alert import SilenceChanged
from schemas.codelists import Status
from schemas.command import CommandIssued
from streams.core.rules import RULES
from streams.core.rules.base import Rule
from streams.core.stage import derive_id


class Silences:
    """The latest silence of each (rule, situation, status)."""

    def __init__(self, kept: Iterable[SilenceChanged] = ()) -> None:
        """Start with those that a snapshot has kept."""
        self._kept = {silence.silence_id: silence for silence in kept}

    def take(self, command: CommandIssued) -> SilenceChanged | None:
        """Keep a command; return what it changes, None if a later one is known.

        ``ValueError`` says in words why it is refused. One that ends when it
        begins lifts what was there.
        """
        until = _end_of(command)
        named = next((rule for rule in RULES if rule.name == command.rule), None)
        if command.rule is not None and (named is None or not named.silenceable):
            names = ", ".join(rule.name for rule in RULES if rule.silenceable)
            msg = f"there is no rule {command.rule} to silence; there are {names}"
            raise ValueError(msg)
        silence = SilenceChanged(
            event_id=derive_id("silenced", command.event_id),
            source="room",
            occurred_at=command.occurred_at,
            received_at=command.received_at,
            cause_ids=(command.event_id,),
            status=command.status,
            silence_id=derive_id(
                "silence", command.rule or "", command.situation_id or "", command.status.value
            ),
            by=command.by,
            reason=command.reason,
            until=until,
            rule=command.rule,
            situation_id=command.situation_id,
        )
        known = self._kept.get(silence.silence_id)
        if known is not None and _order(known) >= _order(silence):
            return None
        self._kept[silence.silence_id] = silence
        return silence

    def in_force(
        self, rule: Rule, ids: frozenset[str], status: Status, at: datetime
    ) -> SilenceChanged | None:
        """Return the silence that mutes an alert raised at ``at``, if any does.

        ``ids`` are all under which the alert's situation is known: of the
        silences given under them the latest counts, as if there were one id.
        Of several that mute, the one that says most precisely what.
        """
        if not rule.silenceable:
            return None
        latest: dict[tuple[bool, bool], SilenceChanged] = {}
        for silence in self._kept.values():
            if silence.status is not status or silence.occurred_at > at:
                continue
            if silence.rule not in {None, rule.name}:
                continue
            if silence.situation_id is not None and silence.situation_id not in ids:
                continue
            scope = (silence.rule is not None, silence.situation_id is not None)
            if scope not in latest or _order(latest[scope]) < _order(silence):
                latest[scope] = silence
        muting = [scope for scope, silence in latest.items() if at < silence.until]
        return latest[max(muting)] if muting else None

    def kept(self) -> list[SilenceChanged]:
        """Return all that is kept, by id."""
        return [self._kept[silence_id] for silence_id in sorted(self._kept)]


def _end_of(command: CommandIssued) -> datetime:
    if command.until is None or command.until < command.occurred_at:
        until = command.until.isoformat() if command.until else "none"
        msg = (
            f"a silence ends after it begins: until {until} is not after"
            f" {command.occurred_at.isoformat()}; the same instant lifts it"
        )
        raise ValueError(msg)
    return command.until


def _order(silence: SilenceChanged) -> tuple[datetime, str]:
    """Return what tells which of two silences was ordered later."""
    return silence.occurred_at, silence.cause_ids[0]
