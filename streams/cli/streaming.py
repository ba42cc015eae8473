"""Commands that look into a topic, and that publish to one from outside."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click
import msgspec

from streams.backends.kafka.wire import TOPICS as CLUSTER_TOPICS
from streams.backends.sqlite import SqliteLog
from streams.cli.base import INSTANT, Session, pass_session
from streams.cli.outgoing import Refused, outgoing
from streams.errors import BadInputError, NotFoundError
from streams.ports import Record
from streams.printable import one_line
from streams.topology import PUBLIC, TOPICS, partition_of

SHOWN = 20
"""Refused lines told of one by one; the rest is counted."""

PAUSE_S = 0.5
"""Pause between two looks into an embedded log that is followed."""

BATCH = 1_000

_ABOUT = ("person_id", "from_id", "root_id", "other_id")
"""Fields that name a person."""


@click.command()
@click.argument("topic")
@click.option("--from", "since", type=INSTANT, metavar="T",
              help="Start with what was appended at this time or later.")  # fmt: skip
@click.option("--person", metavar="ID", help="Only records that name this person.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after so many.")
@click.option("--follow/--no-follow", default=False, show_default=True,
              help="Wait for what comes next; Ctrl-C ends it.")  # fmt: skip
@pass_session
def tail(
    session: Session,
    topic: str,
    since: datetime | None,
    person: str | None,
    limit: int | None,
    follow: bool,
) -> None:
    """Show the records of a topic, one JSON object a line, oldest first.

    Each has topic, partition, offset, at, key, type, version and body. Only
    what is committed is shown, and nothing is moved by looking. The order holds
    within a partition. With --kafka it reads the cluster, else the embedded
    log, also beside its owner. A body that is no JSON is shown as text.

    Public topics hold what strangers wrote, also what will be refused.

    For example:
      rollcall --kafka broker1:9092 tail check-ins --follow
      rollcall --kafka broker1:9092 tail shard-input --person h3f9a.1
      rollcall tail room-output --from 2023-02-06T02:00:00Z --limit 10
    """
    known = TOPICS if session.cluster is None else CLUSTER_TOPICS.values()
    names = [one.name for one in known]
    if topic not in names:
        where = "the embedded log has" if session.cluster is None else "there is"
        what = f"{where} no topic {one_line(topic)}"
        raise NotFoundError(what, hint=f"one of {', '.join(names)}")
    from_ms = None if since is None else int(since.timestamp() * 1000)
    records = (
        _embedded(session, topic, person, from_ms, follow=follow)
        if session.cluster is None
        else _of_cluster(session, topic, person, from_ms, follow=follow)
    )
    shown = 0
    try:
        for record in records:
            body = _body(record.body)
            if person is not None and not _names(person, record.key, body):
                continue
            click.echo(_line(record, body))
            shown += 1
            if shown == limit:
                return
    except KeyboardInterrupt:
        return


def _of_cluster(
    session: Session, topic: str, person: str | None, from_ms: int | None, *, follow: bool
) -> Iterator[Record]:
    from streams.backends.kafka import tail as tailing  # noqa: PLC0415 - it loads for long

    settings, only = session.settings.kafka, None
    declared = CLUSTER_TOPICS[topic]
    # Who publishes may have a partitioner of his own; we write by home.
    if person is not None and declared.sharded and declared not in PUBLIC:
        only = [partition_of(person, len(tailing.partitions(settings, topic)))]
    yield from tailing.read(settings, topic, only=only, from_ms=from_ms, follow=follow)


def _embedded(
    session: Session, topic: str, person: str | None, from_ms: int | None, *, follow: bool
) -> Iterator[Record]:
    log = SqliteLog.open_read_only(session.data)
    try:
        sharded = CLUSTER_TOPICS[topic].sharded
        places = range(log.shards if sharded else 1)
        if person is not None and sharded:
            places = range(partition_of(person, log.shards), partition_of(person, log.shards) + 1)
        offsets = dict.fromkeys(places, 0)
        ends = {place: log.end(topic, place) for place in places}
        while True:
            found = False
            for place in places:
                until = log.end(topic, place) if follow else ends[place]
                while offsets[place] < until:
                    records = log.read(topic, place, offsets[place], BATCH)
                    yield from (
                        one
                        for one in records
                        if one.offset < until and one.appended_ms >= (from_ms or 0)
                    )
                    offsets[place] = min(until, records[-1].offset + 1) if records else until
                    found = True
            if not follow:
                return
            if not found:
                time.sleep(PAUSE_S)
    finally:
        log.close()


def _body(value: bytes) -> Any:
    """Return the JSON of a record, its text, or how much of what it is."""
    if not value:
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value)} bytes that are no text)"


def _names(person: str, key: str, body: Any) -> bool:
    if key == person:
        return True
    return isinstance(body, dict) and person in [body.get(field) for field in _ABOUT]


def _line(record: Record, body: Any) -> str:
    row = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": record.appended_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "key": record.key,
        "type": record.name,
        "version": record.version,
        "body": body,
    }
    text = json.dumps(row, ensure_ascii=False, separators=(", ", ": "))
    # Nothing that a stranger wrote may move the cursor; in JSON it is a \u escape.
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


@click.command()
@click.argument("topic")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--unchecked", is_flag=True,
              help="Send also what would be refused; for trying what becomes of it.")  # fmt: skip
@pass_session
@click.pass_context
def publish(
    ctx: click.Context, session: Session, topic: str, file: BinaryIO, unchecked: bool
) -> None:
    """Publish events to a public topic of a cluster, one JSON object a line.

    Each line is checked first, by the rules of `rollcall ingest`; what would be
    refused is told of with its line and not sent. The record goes to the
    partition of the person's home and is counted once all copies have it.
    Sending the same again is harmless: an event counts once, by its event_id.
    Ends with 1 if a line was refused.

    For example:
      rollcall --kafka broker1:9092 publish check-ins said.ndjson
      rollcall population --people 100 --out - | rollcall --kafka broker1:9092 publish registrations
    """
    declared = {one.name: one for one in PUBLIC}.get(topic)
    if declared is None:
        what = f"{one_line(topic)} is not a topic that anyone publishes to"
        raise BadInputError(what, hint=f"one of {', '.join(one.name for one in PUBLIC)}")
    # Its library loads for a third of a second, and no other command needs it.
    from streams.backends.kafka import publish as publishing  # noqa: PLC0415 - see above
    from streams.backends.kafka import tail as tailing  # noqa: PLC0415 - see above

    settings = session.settings.kafka
    count = len(tailing.partitions(settings, topic))
    refused: list[Refused] = []
    messages = outgoing(
        declared,
        settings.prefix,
        count,
        file.read(),
        datetime.now(UTC),
        refused=refused,
        unchecked=unchecked,
    )
    sent = publishing.publish(settings, messages)
    for item, reason in refused[:SHOWN]:
        click.echo(one_line(f"  {item}: {reason}"), err=True)
    if len(refused) > SHOWN:
        click.echo(f"  and {len(refused) - SHOWN} more", err=True)
    if unchecked:
        click.echo(f"{topic}: {sent} published, {len(refused)} of them will be refused")
        return
    click.echo(f"{topic}: {sent} published, {len(refused)} refused")
    if refused:
        ctx.exit(1)
