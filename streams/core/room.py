"""ROOM: tallies -> sums with their completeness, rules -> alerts.

One partition. A tick is summed when the first shard has gone past it, or when
all have reached it; sums say how many shards stand behind them. Help requests
pass at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

import msgspec

from schemas.alert import AlertAcknowledged, AlertRaised, SilenceChanged, Totals
from schemas.codelists import Bucket, Status, Tier, Verb
from schemas.command import CommandIssued
from schemas.envelope import Event
from schemas.exposure import HelpRequested, Reached, TallyChanged
from schemas.incident import AdvisoryChanged, SituationChanged
from schemas.operations import EngineChanged
from streams.core.rules import RULES
from streams.core.rules.base import Count, Finding, Rule, View
from streams.core.silences import Silences
from streams.core.stage import (
    ROOM_OUTPUT,
    Out,
    Outcome,
    Reject,
    StateVersionError,
    derive_id,
)
from streams.core.sums import heard_by, sum_of
from streams.core.thresholds import Thresholds

STATE_VERSION = 1

LATE_S = 60
"""An alert raised this long after it could have been known says so."""


NEWS_FOR = timedelta(hours=1)
"""How long after its arrival a change of advice is news, and at least until the
first whole sum after it; who comes later is an exposure, no alert."""


class State(msgspec.Struct, array_like=True):
    """The room's snapshot; what came later stands last, with a default."""

    version: int
    shards: int
    tick_at: datetime | None
    summed: bool
    reached: list[Reached]
    tallies: list[TallyChanged]
    situations: list[SituationChanged]
    advice: list[AdvisoryChanged]
    raised: dict[str, AlertRaised]
    acknowledged: list[str]
    dirty: list[str]
    news: dict[str, tuple[datetime | None, bool]]
    silences: list[SilenceChanged] = msgspec.field(default_factory=list)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


class Room:
    """The room; see the module's docstring and ``Stage``."""

    def __init__(self, shards: int, limits: Thresholds | None = None) -> None:
        """Start with no shard heard; ``shards`` is how many there are."""
        self.shards = shards
        self.limits = limits or Thresholds()
        self.tick_at: datetime | None = None
        self.summed = True
        self.reached: dict[int, Reached] = {}
        self.tallies: dict[str, dict[int, TallyChanged]] = {}
        self.situations: dict[str, SituationChanged] = {}
        self.advice: dict[str, AdvisoryChanged] = {}
        self.raised: dict[str, AlertRaised] = {}
        self.acknowledged: set[str] = set()
        self.silences = Silences()
        self._dirty: set[str] = set()
        self._news: dict[str, tuple[datetime | None, bool]] = {}
        self._out: list[Out] = []

    def apply(self, records: Sequence[Event]) -> Outcome:
        """Apply records in order; see ``Stage``."""
        self._out = []
        rejects: list[Reject] = []
        for record in records:
            try:
                self._apply_one(record)
            except ValueError as error:
                rejects.append(Reject(record, str(error)))
        outcome = Outcome(self._out, rejects)
        self._out = []
        return outcome

    def _apply_one(self, record: Event) -> None:
        if isinstance(record, TallyChanged):
            about = record.situation_id or record.cause_id or ""
            self.tallies.setdefault(about, {})[record.shard] = record
            self._dirty.add(about)
        elif isinstance(record, Reached):
            self._reached(record)
        elif isinstance(record, HelpRequested):
            self._judge(View(record.occurred_at, self.limits, help=record), record)
        elif isinstance(record, SituationChanged):
            known = self.situations.get(record.situation_id)
            if known is None or known.seq < record.seq:
                self.situations[record.situation_id] = record
                self._dirty.add(record.situation_id)
        elif isinstance(record, AdvisoryChanged):
            known_advice = self.advice.get(record.advisory_id)
            if known_advice is not None and record.change == "editorial":
                # An edited text says nothing new of what was raised, nor takes it back.
                record = msgspec.structs.replace(
                    record,
                    change=known_advice.change,
                    received_at=known_advice.received_at,
                )
            else:
                self._news[record.advisory_id] = (self.tick_at, False)
            self.advice[record.advisory_id] = record
            self._dirty.add(record.advisory_id)
        elif isinstance(record, CommandIssued):
            self._obey(record)
        elif not isinstance(record, EngineChanged):
            msg = f"{type(record).__name__} does not belong in the input of the room"
            raise TypeError(msg)

    def _reached(self, record: Reached) -> None:
        known = self.reached.get(record.shard)
        if known is not None and known.tick_at >= record.tick_at:
            return
        if self.tick_at is not None and record.tick_at > self.tick_at and not self.summed:
            self._sum(record)
        self.reached[record.shard] = record
        if self.tick_at is None or record.tick_at > self.tick_at:
            self.tick_at = record.tick_at
            self.summed = False
        if not self.summed and self._count_reached() == self.shards:
            self._sum(record)

    def _count_reached(self) -> int:
        return sum(r.tick_at == self.tick_at for r in self.reached.values())

    def _sum(self, trigger: Reached) -> None:
        """Publish the sums as of the current tick, and let the rules look."""
        if self.tick_at is None:
            return
        self.summed = True
        at, reached = self.tick_at, self._count_reached()
        complete = reached == self.shards
        self._forget_old_news(at)
        for about in sorted(self._dirty):
            of_shards = list(self.tallies.get(about, {}).values())
            count = Count(
                known=sum(t.known for t in of_shards),
                country_only=sum(
                    cell.count
                    for t in of_shards
                    for cell in t.cells
                    if cell.tier is Tier.COUNTRY_ONLY and cell.bucket is not Bucket.DUPLICATE
                ),
                inbound=sum(t.inbound for t in of_shards),
                reached=reached,
                shards=self.shards,
            )
            if about in self.advice:
                if about in self._news:
                    view = View(at, self.limits, advisory=self.advice[about], sums=count)
                    self._judge(view, trigger)
            elif about in self.situations:
                situation = self.situations[about]
                summed = sum_of(situation, of_shards, count, at, trigger)
                self._out.append(Out(ROOM_OUTPUT, 0, about, summed))
                view = View(at, self.limits, situation=situation, sums=count)
                self._judge(view, trigger)
        if complete:
            self._dirty.clear()
            self._news = {
                advisory_id: (heard_at, judged or heard_at is None or at > heard_at)
                for advisory_id, (heard_at, judged) in self._news.items()
            }
        totals = Totals(
            event_id=derive_id("totals", at.isoformat(), trigger.event_id),
            source="room",
            occurred_at=at,
            received_at=trigger.received_at,
            tick_at=at,
            reached=reached,
            shards=self.shards,
            distinct_known=sum(r.distinct_known for r in self.reached.values()),
            people=sum(r.people for r in self.reached.values()),
            skipped=sum(r.skipped for r in self.reached.values()),
            heard=heard_by(self.reached.values()),
        )
        self._out.append(Out(ROOM_OUTPUT, 0, "totals", totals))

    def _forget_old_news(self, at: datetime) -> None:
        """Drop the advice that a whole sum has judged and that is no news any more."""
        for advisory_id, (_, judged) in list(self._news.items()):
            if judged and at - self.advice[advisory_id].received_at > NEWS_FOR:
                del self._news[advisory_id]

    def _judge(self, view: View, trigger: Event) -> None:
        for rule in RULES:
            for finding in rule.find(view):
                self._raise(rule, finding, view.at, trigger)

    def _raise(self, rule: Rule, finding: Finding, at: datetime, trigger: Event) -> None:
        """Raise an alert unless this cause has raised it before."""
        intent = "alert"
        alert_id, *others = (
            derive_id("alert", rule.name, cause_id, rule.audience, intent, finding.status.value)
            for cause_id in (finding.cause_id, *finding.same_as)
        )
        if alert_id in self.raised or any(other in self.raised for other in others):
            return
        muted = self.silences.in_force(rule, self._ids_of(finding), finding.status, at)
        late_s = max(0, int((at - finding.due_at).total_seconds()))
        alert = AlertRaised(
            event_id=alert_id,
            source="room",
            occurred_at=at,
            received_at=trigger.received_at,
            cause_ids=(trigger.event_id,),
            status=finding.status,
            alert_id=alert_id,
            rule=rule.name,
            cause_id=finding.cause_id,
            audience=rule.audience,
            intent=intent,
            title=f"EXERCISE {finding.title}"
            if finding.status is Status.EXERCISE
            else finding.title,
            severity=finding.severity,
            facts=finding.facts,
            raised_at=at,
            situation_id=finding.situation_id,
            late_s=late_s if late_s >= LATE_S else 0,
            silence_id=muted.silence_id if muted else None,
        )
        self.raised[alert_id] = alert
        self._out.append(Out(ROOM_OUTPUT, 0, alert_id, alert))

    def _ids_of(self, finding: Finding) -> frozenset[str]:
        """Return all ids under which a finding's situation is known."""
        if finding.situation_id is None:
            return frozenset()
        situation = self.situations.get(finding.situation_id)
        return frozenset((finding.situation_id, *(situation.aliases if situation else ())))

    def _obey(self, command: CommandIssued) -> None:
        if command.verb is Verb.SILENCE:
            silence = self.silences.take(command)
            if silence is not None:
                self._out.append(Out(ROOM_OUTPUT, 0, silence.silence_id, silence))
            return
        if command.verb is not Verb.ACKNOWLEDGE or command.alert_id is None:
            msg = f"{command.verb} is not for the room"
            raise ValueError(msg)
        self._acknowledge(command, command.alert_id)

    def _acknowledge(self, command: CommandIssued, alert_id: str) -> None:
        if alert_id not in self.raised:
            msg = f"there is no alert {alert_id}; see `rollcall export alerts`"
            raise ValueError(msg)
        if self.raised[alert_id].status is not command.status:
            msg = f"alert {alert_id} is not of status {command.status}"
            raise ValueError(msg)
        if alert_id in self.acknowledged:
            return
        self.acknowledged.add(alert_id)
        said = AlertAcknowledged(
            event_id=derive_id("acknowledged", alert_id),
            source="room",
            occurred_at=command.occurred_at,
            received_at=command.received_at,
            cause_ids=(command.event_id,),
            status=self.raised[alert_id].status,
            alert_id=alert_id,
            by=command.by,
            reason=command.reason,
        )
        self._out.append(Out(ROOM_OUTPUT, 0, alert_id, said))

    def snapshot(self) -> bytes:
        """Return the whole state; see ``Stage``."""
        return _encoder.encode(
            State(
                version=STATE_VERSION,
                shards=self.shards,
                tick_at=self.tick_at,
                summed=self.summed,
                reached=list(self.reached.values()),
                tallies=[t for of in self.tallies.values() for t in of.values()],
                situations=list(self.situations.values()),
                advice=list(self.advice.values()),
                raised=self.raised,
                acknowledged=sorted(self.acknowledged),
                dirty=sorted(self._dirty),
                news=self._news,
                silences=self.silences.kept(),
            )
        )

    @classmethod
    def restore(cls, data: bytes, limits: Thresholds | None = None) -> Self:
        """Return the room whose snapshot ``data`` is; see ``Stage``."""
        state = _decoder.decode(data)
        if state.version != STATE_VERSION:
            raise StateVersionError(state.version, STATE_VERSION)
        room = cls(state.shards, limits)
        room.tick_at, room.summed = state.tick_at, state.summed
        room.reached = {r.shard: r for r in state.reached}
        for tally in state.tallies:
            about = tally.situation_id or tally.cause_id or ""
            room.tallies.setdefault(about, {})[tally.shard] = tally
        room.situations = {s.situation_id: s for s in state.situations}
        room.advice = {a.advisory_id: a for a in state.advice}
        room.raised = state.raised
        room.acknowledged = set(state.acknowledged)
        room._dirty = set(state.dirty)
        room._news = state.news
        room.silences = Silences(state.silences)
        return room

    def export(self, kind: str) -> list[dict[str, object]]:
        """Return the alerts raised, sorted by (raised_at, alert_id)."""
        if kind != "alerts":
            msg = f"the room has no export {kind!r}"
            raise KeyError(msg)
        ordered = sorted(self.raised.values(), key=lambda a: (a.raised_at, a.alert_id))
        return [msgspec.to_builtins(alert) for alert in ordered]
