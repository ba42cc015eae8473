"""``merge``: from the public topics of a cluster to its stages."""

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from streams.backends.kafka.clients import brokers
from streams.backends.kafka.quiet import hush
from streams.cli.base import Session, pass_session
from streams.cli.measured import metrics_option, page
from streams.printable import one_line

if TYPE_CHECKING:
    from streams.backends.kafka.merge_app import Merge


@click.command()
@metrics_option
@pass_session
def merge(session: Session, metrics_port: int | None) -> None:
    """Merge what is published to the public topics of a cluster, until told to stop.

    Routes what may enter to the stages, and puts the rest into the dead
    letters. Any number may run; they share the partitions, and one of them
    writes the ticks. Whatever fails ends it with code 70: have it started
    again.

    For example:
      ROLLCALL_KAFKA_BOOTSTRAP=kafka:9092 rollcall merge
    """
    settings = session.settings
    brokers(settings.kafka)
    with page(session, metrics_port, _say).listener as held:
        web = held.getsockname()[:2]
    from streams.backends.kafka.merge_app import Merge  # noqa: PLC0415 - others need no Faust

    hush(_say)
    asyncio.run(_until_told(Merge(settings.kafka, web, _say)))


async def _until_told(work: "Merge") -> None:
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, work.stop)
    await work.run()
    _say("stopped")
    sys.stdout.flush()
    # Tasks and threads of the libraries may wait for a cluster that is gone.
    os._exit(0)


def _say(line: str) -> None:
    """Print a line at once: whoever reads this process waits for it."""
    click.echo(one_line(line))
