"""The command that sends alerts."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event
from types import FrameType

import click

from streams import metrics as m
from streams.channels.dispatcher import Dispatcher
from streams.cli.base import Session, pass_session
from streams.cli.measured import metrics_option, page_if_asked
from streams.cluster import log_to_read
from streams.compose import dispatching
from streams.delivery import Delivery
from streams.errors import LogFailedError
from streams.metrics import Reading, RoleMetrics
from streams.printable import one_line
from streams.scraped import STALE_S, Pulse, answering

AGAIN_S = 2.0
"""Pause while the brokers are away."""


@click.command()
@click.option("--until-idle", is_flag=True, help="End when nothing can be sent now.")
@metrics_option
@pass_session
def dispatch(session: Session, until_idle: bool, metrics_port: int | None) -> None:
    """Send the alerts of the log to the recipients of the settings.

    Runs beside the engine until it is told to stop (Ctrl-C or SIGTERM), then
    waits for what is in flight. An attempt is noted before it is sent: killed
    at any moment, the next call forgets nothing, and repeats only what is in
    doubt, with the same key. Alerts stand on the standard output, what became
    of them on the standard error. Recipients and keys: docs/alerts.md.

    In a replay nothing goes to webhooks unless dispatch.in_replay is set.

    For example:
      rollcall --data /srv/rollcall dispatch
      rollcall --data /tmp/r1 dispatch --until-idle
      rollcall --kafka localhost:9092 dispatch
    """
    stopped = Event()
    pause_s = session.settings.dispatch.poll_s
    metrics = RoleMetrics(m.DISPATCH)
    pulse = Pulse("has not looked into the log yet", STALE_S + pause_s)
    page = page_if_asked(session, metrics_port, _say, alone=not until_idle)

    def noted(delivery: Delivery, outcome: str) -> None:
        metrics.count(m.DISPATCH_ATTEMPTS, 1, delivery.channel, outcome)

    with (
        log_to_read(session.data, session.settings) as log,
        dispatching(
            log, session.data, session.settings, show=_show, say=_say, noted=noted
        ) as dispatcher,
        answering(
            page, "dispatch", metrics, pulse.why_not, partial(_waiting, dispatcher), say=_say
        ),
    ):
        metrics.begin(m.DISPATCH_ATTEMPTS, dispatcher.channels, m.ATTEMPT_OUTCOMES)
        with _stopping(stopped, dispatcher):
            waiting_for_cluster = False
            while not stopped.is_set():
                try:
                    dispatcher.step()
                    pulse.beat()
                except LogFailedError as error:
                    if session.cluster is None or until_idle:
                        raise
                    # What was taken from the log is kept; the brokers will be back.
                    if not waiting_for_cluster:
                        _say(f"waits for the cluster: {error}")
                    waiting_for_cluster = True
                    pulse.hindered(str(error))
                    dispatcher.wait(AGAIN_S)
                    continue
                if waiting_for_cluster:
                    _say("the cluster answers again")
                waiting_for_cluster = False
                if until_idle and dispatcher.idle:
                    break
                dispatcher.wait(pause_s)
        dispatcher.finish()
        waiting = dispatcher.waiting
    by_recipient = Counter(f"{one.channel}/{one.recipient}" for one in waiting)
    for to, count in sorted(by_recipient.items()):
        click.echo(f"{count} deliveries to {to} are still pending", err=True)


def _waiting(dispatcher: Dispatcher) -> Iterator[Reading]:
    waiting = Counter(one.channel for one in dispatcher.waiting)
    for channel in sorted({*dispatcher.channels, *waiting}):
        yield Reading(m.DISPATCH_WAITING, waiting[channel], (channel,))


@contextmanager
def _stopping(stopped: Event, dispatcher: Dispatcher) -> Iterator[None]:
    """Set ``stopped`` on SIGTERM and Ctrl-C, for as long as this lasts."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        dispatcher.wake()

    before = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(line: str) -> None:
    click.echo(line)


def _say(line: str) -> None:
    click.echo(one_line(line), err=True)
