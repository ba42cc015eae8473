"""What roles of a cluster have in common on the command line: their metrics port."""

from collections.abc import Callable
from typing import Any

import click

from streams.cli.base import Session
from streams.loopback import warning
from streams.scraped import Page, page_of

PORT = click.IntRange(0, 65_535)


def metrics_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--metrics-port``."""
    option = click.option("--metrics-port", type=PORT, help="Else the setting ports.metrics.")
    return option(command)


def page(session: Session, port: int | None, say: Callable[[str], object]) -> Page:
    """Bind the metrics port; warn where others than this machine reach it."""
    ports = session.settings.ports
    if said := warning(ports.host):
        say(said)
    return page_of(ports, port)


def page_if_asked(
    session: Session, port: int | None, say: Callable[[str], object], *, alone: bool = True
) -> Page | None:
    """Return the page of a role that also runs beside an engine, which has its own.

    ``alone``: it is there to stay, as a role of a cluster is.
    """
    if port is None and (session.cluster is None or not alone):
        return None
    return page(session, port, say)
