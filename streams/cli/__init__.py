"""The command line, ``rollcall``: one module for each group of commands."""

from pathlib import Path

import click

from streams.cli.base import Commands, Session, as_listed
from streams.cli.dispatch import dispatch
from streams.cli.feeding import ingest, population, replay, run
from streams.cli.merge import merge
from streams.cli.officer import do
from streams.cli.reading import export, schemas, status
from streams.cli.roles import api, worker, write
from streams.cli.running import engine, poll
from streams.cli.streaming import publish, tail
from streams.cli.topics import topics
from streams.cli.up import up
from streams.cli.upkeep import backup, deadletters, doctor, restore

HELP = """
Who of ours is there, and are they accounted for?

A first run:
  rollcall population --seed 1 --people 1000 --around 2023-02-06 --out people.ndjson
  rollcall --data /tmp/drill replay streams/scenarios/turkiye-2023 --people people.ndjson
  rollcall --data /tmp/drill status

Every command ends with 0 if it did what was asked, else it says what
happened and what to do next.
"""


@click.group(
    cls=Commands,
    help=as_listed(HELP),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="rollcall")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/rollcall"),
    envvar="ROLLCALL_DATA",
    show_default=True,
    show_envvar=True,
    help="The data directory of an embedded system.",
)
@click.option(
    "--kafka",
    metavar="HOST:PORT",
    envvar="ROLLCALL_KAFKA_BOOTSTRAP",
    show_envvar=True,
    help="A cluster to work on, by brokers to ask first; sets kafka.bootstrap.",
)
@click.option(
    "--settings",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; else ROLLCALL_SETTINGS, else settings.toml in the data directory.",
)
@click.pass_context
def main(ctx: click.Context, data: Path, kafka: str | None, settings: Path | None) -> None:
    """Run one command of the command line."""
    ctx.obj = Session(data, settings, kafka)


for command in (
    up, ingest, run, replay, population, do, status, export, deadletters, schemas, backup, restore,
    doctor, tail, publish, topics, engine, merge, worker, write, api, poll, dispatch,
):  # fmt: skip
    main.add_command(command)
