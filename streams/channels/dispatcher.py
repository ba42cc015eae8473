"""The dispatcher: alerts of the log to recipients, and nothing forgotten.

A thin loop around ``streams.channels.decide``. One thread reads the log and
writes the deliveries; sending is done by workers, one message in flight for
each recipient, so that a slow receiver keeps nobody else waiting. An attempt
is on disk before it is sent, its outcome after.
"""

import queue
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from functools import partial
from typing import NamedTuple

from schemas.alert import AlertRaised
from schemas.codec import decode
from streams.channels import decide
from streams.channels.base import Delivered, Message, Outcome, Recipient, Refused, Retry
from streams.core.stage import ROOM_OUTPUT
from streams.delivery import About, Delivery, DeliveryLog, Ended, State
from streams.errors import DeliveriesFailedError
from streams.ports import EventLog, Record

BATCH = 500

IN_DOUBT = "in_doubt"


class Clocks(NamedTuple):
    """``now`` is the log's clock as it stands, ``wall`` the machine's."""

    now: Callable[[], datetime]
    wall: Callable[[], datetime]


def _nothing(_point: str) -> None:
    """Do nothing at a crash point; tests die there instead."""


def _uncounted(_delivery: Delivery, _outcome: str) -> None:
    """Do nothing with the outcome of an attempt."""


class Dispatcher:
    """Makes deliveries of alerts, and sends what is due.

    ``about`` tells what an alert is about. ``say`` gets a line for everything
    that became of a delivery, ``noted`` how each attempt ended. ``abort`` is
    called at the points "taken", "begun", "sent" (in the worker) and "ended".
    """

    def __init__(
        self,
        log: EventLog,
        deliveries: DeliveryLog,
        recipients: Iterable[Recipient],
        *,
        policy: decide.Policy,
        workers: Executor,
        clocks: Clocks,
        about: Callable[[AlertRaised], About],
        say: Callable[[str], None],
        noted: Callable[[Delivery, str], None] = _uncounted,
        abort: Callable[[str], None] = _nothing,
    ) -> None:
        """Take up what an earlier process left, without sending yet."""
        self._log, self._deliveries = log, deliveries
        self._recipients = {one.to: one for one in recipients}
        self._policy, self._workers, self._clocks = policy, workers, clocks
        self._about, self._say, self._abort = about, say, abort
        self._noted = noted
        self._done: queue.SimpleQueue[tuple[Delivery, Outcome] | None] = queue.SimpleQueue()
        self._flying: dict[tuple[str, str], str] = {}
        self._place = deliveries.place(ROOM_OUTPUT)
        if self._place > log.end(ROOM_OUTPUT, 0):
            what = "the deliveries know more of the log than there is: it is another log"
            hint = "move deliveries.sqlite away if the log was restored from a safety copy"
            raise DeliveriesFailedError(what, hint=hint)
        doubtful = deliveries.in_doubt()
        self._pending: dict[str, Delivery] = {}
        for one in deliveries.pending():
            self._keep(self._resumed(one, doubtful))

    @property
    def idle(self) -> bool:
        """Whether nothing can be done now: what is pending waits for its time."""
        return not self._flying and self._place >= self._log.end(ROOM_OUTPUT, 0)

    @property
    def channels(self) -> Sequence[str]:
        """The channels that there are recipients for, by name."""
        return sorted({channel for channel, _ in self._recipients})

    @property
    def waiting(self) -> Sequence[Delivery]:
        """The pending deliveries, in order."""
        return tuple(self._pending.values())

    def step(self) -> None:
        """Do what can be done now, without waiting for anything."""
        while not self._done.empty():
            self._take_outcome(self._done.get())
        self._take_alerts()
        self._expire()
        self._drop_corrections()
        self._send_due()

    def wait(self, longest_s: float) -> None:
        """Return when a worker has ended, ``wake`` was called, or time is up."""
        try:
            done = self._done.get(timeout=longest_s)
        except queue.Empty:
            return
        self._take_outcome(done)

    def wake(self) -> None:
        """Let ``wait`` return; from any thread, also from a signal handler."""
        self._done.put(None)

    def finish(self) -> None:
        """Wait for what is in flight and note how it ended."""
        while self._flying:
            self._take_outcome(self._done.get())

    # ------------------------------------------------------------------ in

    def _resumed(self, delivery: Delivery, doubtful: set[str]) -> Delivery:
        """Return a pending delivery; one in doubt as its channel's look-up says."""
        if delivery.delivery_id not in doubtful:
            return delivery
        recipient = self._recipients.get(delivery.to)
        lookup = None if recipient is None else recipient.lookup
        arrived = None if lookup is None else lookup(self._message(delivery))
        now, wall = self._clocks.now(), self._clocks.wall()
        known = decide.in_doubt(delivery, arrived=arrived, now=now)
        words = {None: "not known whether it arrived", True: "found there", False: "not there"}
        outcome = "delivered" if arrived else IN_DOUBT
        self._deliveries.end(
            known, Ended(outcome, f"{known.last_error or 'killed'}; {words[arrived]}", wall)
        )
        self._noted(known, outcome)
        self._tell(known, f"in doubt after a crash: {words[arrived]}")
        return known

    def _take_alerts(self) -> None:
        while records := self._log.read(ROOM_OUTPUT, 0, self._place, BATCH):
            now = self._clocks.now()
            made = [one for record in records for one in self._made(record, now)]
            if made:
                # A power cut must not undo an alert that somebody has been told of.
                self._log.sync()
            next_offset = records[-1].offset + 1
            new = self._deliveries.take(ROOM_OUTPUT, self._place, next_offset, made)
            self._place = next_offset
            for one in new:
                self._keep(one)
                if one.state is not State.PENDING:
                    self._tell(one, one.reason or "")
            if made:
                self._abort("taken")

    def _made(self, record: Record, now: datetime) -> list[Delivery]:
        if record.name != AlertRaised.__name__:
            return []
        alert = decode(record.name, record.body, record.version)
        if not isinstance(alert, AlertRaised):
            return []
        made = (
            decide.made(alert, record.offset, one, self._policy, now)
            for one in self._recipients.values()
        )
        return [one for one in made if one is not None]

    # ------------------------------------------------------------------ out

    def _expire(self) -> None:
        now = self._clocks.now()
        late = (decide.expired(one, now) for one in self._grounded())
        self._close([one for one in late if one is not None])

    def _drop_corrections(self) -> None:
        """Drop corrections of what was never sent, with what they correct."""
        now = self._clocks.now()
        for correction in self._grounded():
            if correction.alert.intent != decide.CORRECTION or correction.to in self._flying:
                continue
            original = self._deliveries.original_of(correction)
            why = decide.never_sent(original)
            if why is None:
                continue
            dropped = [decide.closed(correction, State.WITHHELD, why, now)]
            if original is not None and original.state is State.PENDING:
                dropped.append(decide.closed(original, State.WITHHELD, why, now))
            self._close(dropped)

    def _send_due(self) -> None:
        wall = self._clocks.wall()
        for to, recipient in self._recipients.items():
            if to in self._flying:
                continue
            waiting = [one for one in self._pending.values() if one.to == to]
            chosen = decide.chosen(waiting, wall)
            if chosen is None:
                continue
            begun = decide.begun(chosen, self._about(chosen.alert), self._clocks.now())
            self._deliveries.begin(begun, wall)
            self._keep(begun)
            self._flying[to] = begun.delivery_id
            self._abort("begun")
            sending = self._workers.submit(_sent, recipient, self._message(begun), self._abort)
            sending.add_done_callback(partial(self._landed, begun))

    def _landed(self, delivery: Delivery, sending: Future[Outcome]) -> None:
        """Hand an outcome to the loop; runs in the worker."""
        self._done.put((delivery, sending.result()))

    def _take_outcome(self, done: tuple[Delivery, Outcome] | None) -> None:
        if done is None:
            return
        delivery, outcome = done
        now, wall = self._clocks.now(), self._clocks.wall()
        known = decide.decide(delivery, outcome, now, wall)
        detail = outcome.detail if isinstance(outcome, Delivered) else outcome.why
        self._deliveries.end(known, Ended(_name(outcome), detail, wall))
        self._abort("ended")
        self._noted(known, _name(outcome))
        del self._flying[known.to]
        self._keep(known)
        self._tell(known, detail)

    # ------------------------------------------------------------------ inside

    def _message(self, delivery: Delivery) -> Message:
        correction = delivery.alert.intent == decide.CORRECTION
        original = self._deliveries.original_of(delivery) if correction else None
        return decide.message_of(delivery, original)

    def _grounded(self) -> list[Delivery]:
        """Return the pending deliveries that are not in flight."""
        flying = set(self._flying.values())
        return [one for name, one in self._pending.items() if name not in flying]

    def _close(self, closed: list[Delivery]) -> None:
        if not closed:
            return
        self._deliveries.change(closed)
        for one in closed:
            self._keep(one)
            self._tell(one, one.reason or "")

    def _keep(self, delivery: Delivery) -> None:
        """Remember a delivery as it now stands, for as long as it is pending."""
        if delivery.state is State.PENDING:
            self._pending[delivery.delivery_id] = delivery
        else:
            self._pending.pop(delivery.delivery_id, None)

    def _tell(self, delivery: Delivery, detail: str) -> None:
        tries = f", attempt {delivery.attempts}" if delivery.attempts else ""
        unsure = ", uncertain" if delivery.uncertain else ""
        to = f"{delivery.channel}/{delivery.recipient}"
        self._say(f"{delivery.delivery_id} {to}: {delivery.state} ({detail}{tries}{unsure})")


def _sent(recipient: Recipient, message: Message, abort: Callable[[str], None]) -> Outcome:
    """Send in a worker; a bug of a channel is a failed attempt, not the end."""
    try:
        outcome = recipient.send(message)
    except Exception as error:  # noqa: BLE001 - one channel must not silence the others
        # The error's own text may hold an address or a secret.
        outcome = Retry(f"the channel has a bug: {type(error).__name__}", doubt=True)
    abort("sent")
    return outcome


def _name(outcome: Outcome) -> str:
    match outcome:
        case Delivered():
            return "delivered"
        case Refused():
            return "refused"
        case Retry():
            return "retry"
