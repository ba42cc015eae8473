"""Commands about the topics of a cluster: made once, looked at ever after."""

from datetime import datetime

import click
import msgspec

from streams.backends.kafka import drift
from streams.backends.kafka.drift import Drift
from streams.cli.base import INSTANT, Commands, Session, pass_session
from streams.clock import scenario
from streams.errors import RollcallError


@click.group(cls=Commands)
def topics() -> None:
    """Make the topics of a Kafka cluster, and look whether they are as declared.

    Which there are, and with what settings, is declared in one place; docs/kafka.md
    has the table. Nothing that is there is ever changed.
    """


@topics.command()
@click.option(
    "--shards",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Partitions of the sharded topics; log.shards if not given. Fixed for good.",
)
@click.option(
    "--scenario-start",
    type=INSTANT,
    metavar="T",
    help="For a replay: the first moment of its clock. The wall's if not given.",
)
@pass_session
def create(session: Session, shards: int | None, scenario_start: datetime | None) -> None:
    """Make the topics that are missing, and write down what log they are.

    Clock and number of shards are fixed with the first call; another one is
    refused. Repeating the call is harmless: it says what is there. A topic that
    differs from what is declared is told of and stays as it is.

    For example:
      rollcall --kafka broker1:9092 topics create
      rollcall --kafka broker1:9092 topics create --shards 16
      rollcall --kafka 127.0.0.1:9092 topics create --scenario-start 2023-02-06T00:00:00Z
    """
    from streams.backends.kafka.admin import Admin  # noqa: PLC0415 - loads for a third of a second

    settings = session.settings
    clock = None if scenario_start is None else scenario(scenario_start)
    with Admin.connect(settings.kafka) as admin:
        done = admin.create(settings.log.shards, asked=shards, clock=clock)
        found = drift.drift(settings.kafka, done.control.shards, admin.cluster())
    for name in done.made:
        click.echo(f"made    {name}")
    for name in done.there:
        click.echo(f"there   {name}")
    _tell(found, err=True)
    click.echo(
        f"{len(done.made)} topics made, {len(done.there)} were there;"
        f" {done.control.shards} shards, clock {done.control.clock}"
    )


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as one JSON object.")
@pass_session
def verify(session: Session, as_json: bool) -> None:
    """Compare the topics and brokers with what is declared; change nothing.

    Looks at partitions, copies and every declared setting of each topic, and at
    those settings of the brokers that ours depend on. Ends with 1 if something
    differs; a warning alone does not.

    For example:
      rollcall --kafka broker1:9092 topics verify
      rollcall --kafka broker1:9092 topics verify --json | jq '.findings[]'
    """
    from streams.backends.kafka.admin import Admin  # noqa: PLC0415 - loads for a third of a second

    with Admin.connect(session.settings.kafka) as admin:
        log = admin.control()
        cluster = admin.cluster()
    found = drift.drift(session.settings.kafka, log.shards, cluster)
    if as_json:
        body = {
            "version": cluster.version,
            "brokers": len(cluster.brokers),
            "shards": log.shards,
            "clock": log.clock,
            "findings": [
                {"about": one.about, "level": _level(one), "found": one.sentence} for one in found
            ],
        }
        click.echo(msgspec.json.format(msgspec.json.encode(body), indent=2))
    else:
        _tell(found)
    grave = drift.grave(found)
    if grave:
        what = f"{len(grave)} things are not as declared"
        hint = "change them with Kafka's own tools (kafka-configs), or say why they differ"
        raise DriftError(what, hint=hint)
    if not as_json:
        count = len(drift.declared(session.settings.kafka, log.shards))
        click.echo(
            f"{count} topics on {len(cluster.brokers)} brokers are as declared;"
            f" Kafka {cluster.version}, {log.shards} shards, clock {log.clock}"
        )


class DriftError(RollcallError):
    """The cluster is not as it is declared."""

    code = "topics_drift"


def _tell(found: list[Drift], *, err: bool = False) -> None:
    for one in found:
        click.echo(f"{_level(one):7} {one.sentence}", err=err)


def _level(one: Drift) -> str:
    return "differs" if one.grave else "warning"
