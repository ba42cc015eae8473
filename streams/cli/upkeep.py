"""Commands that keep an installation well: quarantine, safety copies, doctor."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import click

from schemas.codec import decode
from schemas.operations import FaultRaised, MessageRejected
from streams import safety
from streams.backends.kafka.log import KafkaLog
from streams.backends.sqlite import SqliteLog
from streams.cli.base import Commands, Session, iso, pass_session
from streams.cli.checks import Level, examine, machine
from streams.cluster import cluster_log
from streams.compose import make_writer, open_log
from streams.core.stage import derive_id
from streams.errors import NotFoundError, RollcallError
from streams.ingest.intake import INTAKE
from streams.ports import NewRecord, Record
from streams.printable import one_line
from streams.recovery import INPUT_OF
from streams.serving.answers import DeadLetter
from streams.serving.queries import dead_letters
from streams.serving.store import STORE_FILE, reading
from streams.topology import DEAD_LETTERS, OPERATIONS


@click.group(cls=Commands)
def deadletters() -> None:
    """Look at refused records, and put them back once the cause is gone."""


@deadletters.command("list")
@click.option("--full", is_flag=True, help="With body and traceback.")
@pass_session
def list_letters(session: Session, full: bool) -> None:
    """List refused records with their reason, oldest first.

    For example:
      rollcall deadletters list
      rollcall deadletters list --full
    """
    if session.cluster is None:
        session.refuse_without_log()
    with reading(session.store_place()) as engine:
        letters = dead_letters(engine)
    for one in letters:
        place = one.topic
        if one.topic != INTAKE:
            place = f"{one.topic} {one.partition} at {one.offset}"
        state = "retried" if one.retried_at else "can be retried" if _waits(one) else "final"
        click.echo(f"{one.event_id}  {iso(one.at)}  {one.message_type}  {place}  [{state}]")
        click.echo(f"    {one_line(one.reason)}")
        if full:
            for text in (one.body, one.traceback):
                click.echo("\n".join(f"    | {line}" for line in (text or "").splitlines()))
    waiting = sum(_waits(one) for one in letters)
    click.echo(f"{len(letters)} dead letters, {waiting} of them can be retried")


@deadletters.command("retry")
@click.argument("event_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that can be retried.")
@pass_session
def retry(session: Session, event_ids: tuple[str, ...], everything: bool) -> None:
    """Put quarantined records back into their input, as new records.

    For records that a stage could not survive, once its fault is mended. What
    was refused as bad input stays refused: correct it at its source.

    For example:
      rollcall deadletters retry reject-0123456789
      rollcall deadletters retry --all
    """
    if session.cluster is None:
        session.refuse_without_log()
    with reading(session.store_place()) as engine:
        letters = dead_letters(engine)
    chosen = _chosen(letters, event_ids, everything=everything)
    left = Counter((one.topic, one.partition) for one in letters if _waits(one))
    with _log_to_repair(session) as log:
        for letter in chosen:
            place = (letter.topic, letter.partition)
            left[place] -= 1
            record = log.read(letter.topic, letter.partition, letter.offset, 1)[0]
            _put_back(log, record, _said_of(letter, log.clock.now(), last=left[place] == 0))
            click.echo(f"{letter.event_id}: back in {letter.topic} {letter.partition}")
    then = "`rollcall run --until-idle` processes them"
    if session.cluster is not None:
        then = "the cluster processes them"
    click.echo(f"{len(chosen)} records put back; {then}")


@contextmanager
def _log_to_repair(session: Session) -> Iterator[SqliteLog | KafkaLog]:
    """Open the log for appending; of an embedded one the store follows at the end."""
    if session.cluster is not None:
        with cluster_log(session.data, session.settings) as log:
            yield log
        return
    with (
        closing(open_log(session.data, session.settings)) as ours,
        closing(make_writer(ours, session.data, session.settings)) as writer,
    ):
        yield ours
        writer.drain()


def _put_back(log: SqliteLog | KafkaLog, record: Record, also: list[NewRecord]) -> None:
    """Append a record once more, and what is to be said of it, all or none."""
    if isinstance(log, KafkaLog):
        log.put_back(record, also)
        return
    event = decode(record.name, record.body, record.version)
    log.append([NewRecord(record.topic, record.partition, record.key, event), *also])


def _waits(letter: DeadLetter) -> bool:
    """Tell whether a letter can be put back and has not been yet.

    What a stage held from an earlier batch has no offset to read it from.
    """
    return letter.retryable and letter.retried_at is None and letter.offset >= 0


def _chosen(
    letters: Sequence[DeadLetter], event_ids: tuple[str, ...], *, everything: bool
) -> list[DeadLetter]:
    """Return the letters to retry, or say which cannot be."""
    if not event_ids and not everything:
        what = "nothing to retry was named"
        raise NotFoundError(what, hint="name dead letters, or give --all")
    by_id = {letter.event_id: letter for letter in letters}
    named = dict.fromkeys(event_ids)
    for event_id in named:
        if event_id not in by_id:
            what = f"there is no dead letter {event_id}"
            raise NotFoundError(what, hint="`rollcall deadletters list` shows them")
        if not by_id[event_id].retryable:
            what = f"{event_id} cannot be retried: {by_id[event_id].reason}"
            raise NotFoundError(what, hint="correct it at its source and ingest it again")
        if by_id[event_id].retried_at is not None:
            what = f"{event_id} was put back already, at {iso(by_id[event_id].retried_at)}"
            raise NotFoundError(what, hint="if it failed again, it has a new dead letter")
        if not _waits(by_id[event_id]):
            what = f"{event_id} cannot be retried: its stage had held it, the place is unknown"
            raise NotFoundError(what, hint="ingest it again from its source")
    if everything:
        return [one for one in letters if _waits(one)]
    return [by_id[event_id] for event_id in named]


def _said_of(letter: DeadLetter, now: datetime, *, last: bool) -> list[NewRecord]:
    """Return the letter's last word, that it was put back.

    With the ``last`` letter of a partition its faults are cleared as well.
    """
    original = MessageRejected(
        event_id=letter.event_id,
        source="deadletters",
        occurred_at=letter.at,
        received_at=now,
        reason=letter.reason,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        message_type=letter.message_type,
        body=letter.body,
        retryable=letter.retryable,
        traceback=letter.traceback,
        retried_at=now,
    )
    stage = next((name for name, topic in INPUT_OF.items() if topic == letter.topic), None)
    cleared = [
        FaultRaised(
            event_id=derive_id("fault-cleared", fault, letter.event_id, now.isoformat()),
            source="deadletters",
            occurred_at=now,
            received_at=now,
            fault=fault,
            stage=stage or "",
            partition=letter.partition,
            detail="retried",
            offset=letter.offset,
            cleared=True,
        )
        for fault in ("record_quarantined", "batch_failed")
        if last and stage is not None
    ]
    return [
        NewRecord(DEAD_LETTERS, 0, letter.event_id, original),
        *(NewRecord(OPERATIONS, 0, f"{stage} {letter.partition}", one) for one in cleared),
    ]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def backup(session: Session, file: Path) -> None:
    """Write a safety copy of the log and of what was sent, also while in use.

    That is all there is to keep: everything else is made from the log. What was
    sent stands beside FILE, in a file of its own (.deliveries). Both are checked,
    and an existing file is never written over.

    For example:
      rollcall --data /srv/rollcall backup /backup/rollcall-2026-01-31.sqlite
    """
    for one in safety.back_up(session.data, file):
        click.echo(f"{one}: {one.stat().st_size} bytes, checked")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def restore(session: Session, file: Path) -> None:
    """Make a data directory from a safety copy; refused where a log is already.

    With what was sent, from the file beside FILE: without it alerts that are not
    past their use-by are sent once more.

    For example:
      rollcall --data /srv/rollcall-new restore /backup/rollcall-2026-01-31.sqlite
    """
    if not safety.restore(file, session.data):
        beside = safety.deliveries_beside(file)
        click.echo(f"there is no {beside}: what was sent is not known here", err=True)
    for name in (STORE_FILE, f"{STORE_FILE}-wal", f"{STORE_FILE}-shm"):
        (session.data / name).unlink(missing_ok=True)
    log = open_log(session.data, session.settings)
    try:
        with closing(make_writer(log, session.data, session.settings)) as writer:
            count = writer.drain()
    finally:
        log.close()
    click.echo(f"{session.data}: restored; the serving store is written anew, {count} records")


@click.command()
@pass_session
def doctor(session: Session) -> None:
    """Say what is wrong with this installation, and what to do about it.

    One line for each thing looked at: ok, warn or fail. Ends with 1 if
    anything fails. With --kafka it looks at the cluster instead of an embedded
    log: whether it answers, its topics, how far every group is behind.

    For example:
      rollcall --data /srv/rollcall doctor
      rollcall --kafka broker1:9092 doctor
    """
    if session.cluster is None:
        findings = examine(session.data, session.settings)
    else:
        from streams.cli.cluster_checks import examine_cluster  # noqa: PLC0415 - loads for long

        findings = [*machine(session.data), *examine_cluster(session.cluster)]
    for one in findings:
        advice = f"; {one.advice}" if one.advice else ""
        click.echo(one_line(f"{one.level:5} {one.about}: {one.found}{advice}"))
    failed = [one.about for one in findings if one.level is Level.FAIL]
    if failed:
        what = f"{len(failed)} checks failed: {', '.join(failed)}"
        raise UnwellError(what, hint="do what the failed lines say")


class UnwellError(RollcallError):
    """The doctor has found something that must be mended."""

    code = "unwell"
