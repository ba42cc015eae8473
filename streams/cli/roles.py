"""The roles of cluster mode that work on the log: ``api``, ``worker``, ``write``."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from streams.cli.base import Session, pass_session
from streams.cli.measured import PORT, metrics_option, page
from streams.cli.running import polled_feeds, stopping
from streams.cluster import run_api, run_worker, run_writer
from streams.loopback import bound
from streams.printable import one_line
from streams.serving.runtime import ConfiguredFeed

STOP_S = 15.0
"""How long a stop may take: the cluster may be away, and nothing depends on it."""


@click.command()
@metrics_option
@pass_session
def worker(session: Session, metrics_port: int | None) -> None:
    """Work on a share of the stages, over a Kafka cluster.

    Start as many as there are hosts: they share the partitions of desk, shards
    and room among them, and take over from each other. --data is this host's
    own: it keeps snapshots there, so that the next start is quick. Ctrl-C or
    SIGTERM hands everything over.

    For example:
      rollcall --kafka localhost:9092 --data /srv/rollcall worker
    """
    at = page(session, metrics_port, say)
    with at.listener, _told_to_stop() as asked:
        run_worker(session.data, session.settings, say=say, stopped=asked.is_set, page=at)
    say("stopped")


@click.command()
@click.option("--port", type=PORT, help="Else the setting ports.api.")
@metrics_option
@pass_session
def api(session: Session, port: int | None, metrics_port: int | None) -> None:
    """Take in over HTTP what is meant for a cluster, and publish it.

    The same API as an engine's (docs/api/http.md): a 202 means that the cluster
    has it. Feeds are polled by `rollcall poll --api URL`, and officers act on
    the dashboard's screens through it. It answers on this machine alone, unless
    the settings ports.host and ports.names say otherwise.

    For example:
      rollcall --kafka localhost:9092 api --port 8080
    """
    ports = session.settings.ports
    wanted = ports.api if port is None else port
    at = page(session, metrics_port, say)
    with (
        at.listener,
        bound(wanted, "the HTTP API", ports.host) as listener,
        _told_to_stop() as asked,
    ):
        run_api(session.data, session.settings, listener, say=say, asked=asked, page=at)
    say("stopped")


@click.command()
@metrics_option
@pass_session
def write(session: Session, metrics_port: int | None) -> None:
    """Carry what the stages of a cluster say into the serving store.

    One is enough, and a second ends by itself. While brokers or database are
    away it waits for them. The store (settings store.*) can be dropped at any
    time: it is written anew from the log.

    For example:
      rollcall --kafka localhost:9092 write
    """
    feeds = tuple(
        ConfiguredFeed(name=feed.name, interval_s=feed.interval_s)
        for feed in polled_feeds(session.settings.feeds)
    )
    at = page(session, metrics_port, say)
    with at.listener, _told_to_stop() as asked:
        run_writer(session.data, session.settings, feeds, say=say, asked=asked, page=at)
    say("stopped")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Yield what SIGTERM and Ctrl-C set; leave after ``STOP_S`` however it goes.

    What is cut off is as after a kill: nothing is lost, the next start takes
    a little longer.
    """
    asked = threading.Event()
    cut: list[threading.Timer] = []

    def told() -> None:
        if not asked.is_set():
            asked.set()
            cut.append(threading.Timer(STOP_S, _cut_off))
            cut[0].daemon = True
            cut[0].start()

    with stopping(told):
        yield asked
    for timer in cut:
        timer.cancel()


def _cut_off() -> None:
    say(f"not stopped after {STOP_S:.0f} s, the cluster does not answer; leaving as after a kill")
    os._exit(0)


def say(line: str) -> None:
    """Print a line at once: whoever reads this process waits for it."""
    click.echo(one_line(line))
