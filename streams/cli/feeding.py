"""Commands that bring something in and process it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click

from schemas.operations import Tick
from streams.cli.base import INSTANT, Session, iso, pass_session
from streams.cli.remote import Api, now_of, running_engine
from streams.cli.render import status_lines
from streams.clock import scenario as scenario_clock
from streams.compose import System, open_log, running
from streams.core.stage import DESK_INPUT
from streams.errors import BadInputError, LogInUseError, PartitionStoppedError
from streams.feeds import FEEDS, feed_named
from streams.ingest.intake import Parsed, Report, Source, accept, take_in
from streams.ingest.register_csv import COLUMNS, parse_register
from streams.player import Scenario, Step, load_scenario, plan
from streams.population import generate, write_ndjson
from streams.ports import IntakeLog, NewRecord
from streams.printable import one_line
from streams.recovery import StageKey
from streams.serving.queries import status as status_of
from streams.ticks import tick_of

SHOWN = 20
"""Refusals printed for one file; all are in the dead letters."""

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def _columns() -> str:
    return "\n".join(f"  {name:16} {about}" for name, about in COLUMNS.items())


@click.command(
    help=f"""Take in files: events, a register, or the payload of a feed.

By the end of the name, or by --feed:
  .ndjson .jsonl   events, one a line: {{"type": "CheckedIn", "event_id": ...}}
  .csv             a register, one stay a row (columns below)
  --feed NAME      through that feed's parser: {", ".join(feed.name for feed in FEEDS)}

What cannot be accepted is put in the dead letters with its reason and the
rest goes on. The same file again changes nothing. Ends with 1 if there was
something in a file and nothing of it could be accepted.

A register may be sent again as it was before a change: what counts is what
the newest one says, by filed_at or by when it came in. Who is missing from a
newer list keeps the earlier registration. The rows of one registration are
accepted together or not at all.

    For example:
  rollcall ingest people.ndjson
  rollcall ingest list-of-school.csv
  rollcall ingest --feed usgs all_week.geojson --received-at 2016-08-24T02:00:00Z

Columns of a register:
{_columns()}
"""
)
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option("--feed", help="Read the files through this feed's parser.")
@click.option(
    "--received-at", type=INSTANT, help="When it came in; the clock of the log if not given."
)
@pass_session
@click.pass_context
def ingest(
    ctx: click.Context,
    session: Session,
    files: tuple[Path, ...],
    feed: str | None,
    received_at: datetime | None,
) -> None:
    """Take in files."""
    sources = [_source(path, feed) for path in files]
    reports = []
    with _taker(session, received_at) as (take, now):
        for path, source in zip(files, sources, strict=True):
            reports.append(take(source, source.parse(_read(path), now())))
            _print_report(path, reports[-1])
    if any(report.failed for report in reports):
        ctx.exit(1)


Take = Callable[[Source, Parsed], Report]


@contextmanager
def _taker(session: Session, at: datetime | None) -> Iterator[tuple[Take, Callable[[], datetime]]]:
    """Yield how events are taken in, here or by a running engine, and when: ``at`` if given."""
    try:
        log = open_log(session.data, session.settings)
    except LogInUseError:
        running = running_engine(session.data)
        if running is None:
            raise
        with closing(Api(running.api)) as api:
            yield api.found, lambda: at or now_of(api.health()) or datetime.now(UTC)
        return
    try:
        now = log.clock.now if at is None else lambda: at
        yield lambda source, found: accept(log, source, found, now()), now
    finally:
        log.close()


def _source(path: Path, feed: str | None) -> Source:
    """Return how a file is read, or say that nobody can tell."""
    suffix = path.suffix.lower()
    if feed is None and suffix == ".csv":
        list_name = f"list:{path.stem}"
        return Source(path.name, "csv", partial(parse_register, list_name), id_is_content=True)
    if feed is None and suffix not in {".ndjson", ".jsonl"}:
        names = ", ".join(one.name for one in FEEDS)
        what = f"the name {path.name} does not tell what the file is"
        hint = f"save a list as .csv, events as .ndjson, or name its feed with --feed: {names}"
        raise BadInputError(what, hint=hint)
    try:
        found = feed_named(feed or "ndjson")
    except KeyError as error:
        raise BadInputError(str(error.args[0]), hint="name one of them with --feed") from error
    return Source(path.name, found.name, found.parse)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise BadInputError(what, hint="look at the file and its rights") from error


def _print_report(path: Path, report: Report) -> None:
    click.echo(
        f"{path.name}: {report.accepted} accepted, {len(report.rejections)} rejected,"
        f" {report.duplicate} duplicate, {report.conflict} conflict"
    )
    for item, reason in report.rejections[:SHOWN]:
        click.echo(f"  {item}: {reason}")
    if len(report.rejections) > SHOWN:
        click.echo(f"  and {len(report.rejections) - SHOWN} more: see the dead letters")
    if report.conflict:
        click.echo("  conflict: a known event_id with other contents; one of the two will be"
                   " rejected by the next run")  # fmt: skip
    if report.rejections:
        click.echo("  rejected items are in the dead letters, from the next run on"
                   " in `rollcall deadletters list`")  # fmt: skip


@click.command()
@click.option("--until-idle", is_flag=True, required=True, help="End when all is processed.")
@click.option("--now", type=INSTANT, help="The tick to end with: a time that has been.")
@pass_session
def run(session: Session, until_idle: bool, now: datetime | None) -> None:
    """Process all that is in the log, write the store, and exit.

    Time reaches the system only as ticks: before the first one nothing is
    evaluated, and without --now the clock stays where it is.

    For example:
      rollcall run --until-idle --now 2023-02-06T02:00:00Z
    """
    del until_idle
    session.refuse_without_log()
    with running(session.data, session.settings) as system:
        if now is not None:
            _tick(system.log, now.replace(microsecond=0))
        count = system.settle()
        stopped = system.pump.stopped
        last = system.log.last_tick_at()
        faults = len(status_of(system.writer.engine).faults)
    click.echo(f"{count} records processed; the clock stands at {iso(last)}")
    if last is None:
        click.echo("Nothing is evaluated before the first tick: give one with --now.", err=True)
    if faults:
        click.echo(f"Faults open: {faults}; see `rollcall status`.", err=True)
    _refuse_stopped(stopped)


def _refuse_stopped(stopped: Mapping[StageKey, str]) -> None:
    """Raise if partitions stand still: not all was processed."""
    if stopped:
        places = "; ".join(f"{key}: {why}" for key, why in stopped.items())
        what = f"partitions stand still: {places}"
        raise PartitionStoppedError(what, hint="see `rollcall status` and `deadletters list`")


def _tick(log: IntakeLog, at: datetime) -> None:
    """Append a tick unless the clock is there already; refuse one it cannot have."""
    last = log.last_tick_at()
    if last is not None and at < last:
        what = f"--now {iso(at)} is before the last tick, {iso(last)}"
        raise BadInputError(what, hint="give a later time, or leave --now out")
    if log.clock_spec.kind == "wall" and at > log.clock.now():
        what = f"--now {iso(at)} is in the future, and time never goes back"
        raise BadInputError(what, hint="give a time that has been; look at the machine's clock")
    if at == last:
        return
    tick = tick_of(at, last, "run")
    log.append([NewRecord(DESK_INPUT, 0, "tick", tick)])


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, show_default=True,
              help="Scenario seconds in one of ours; 0 is as fast as possible.")  # fmt: skip
@click.option("--people", type=EXISTING, help="A register to take instead of the scenario's.")
@click.option("--no-population", is_flag=True, help="Leave the scenario's register out.")
@pass_session
def replay(
    session: Session, folder: Path, speed: float, people: Path | None, no_population: bool
) -> None:
    """Replay a scenario into a data directory of its own, or resume it.

    The scenario is the clock. Stopped at any moment, even by force, the same
    call goes on where it was, to the same end.

    For example:
      rollcall --data /tmp/r1 replay streams/scenarios/turkiye-2023
      rollcall --data /tmp/r1 replay streams/scenarios/turkiye-2023 --speed 600
    """
    scenario = load_scenario(folder)
    if people is not None or no_population:
        scenario = scenario._replace(population=None)
    clock = scenario_clock(scenario.start)
    with running(session.data, session.settings, clock) as system:
        last = system.log.last_tick_at()
        if last is not None and last >= scenario.end:
            click.echo(f"{scenario.name} is at its end; nothing to do", err=True)
        elif last is not None:
            click.echo(f"{scenario.name} resumes at {iso(last)}", err=True)
        # What a kill left in the log goes first, as it would have: the journal depends on it.
        system.settle()
        if people is not None and last is None:
            _take_people(system.log, people, scenario.start)
        for step in _paced(plan(scenario, last), last or scenario.start, speed):
            _play(system, scenario, step)
        system.settle()
        stopped = system.pump.stopped
        answer = status_of(system.writer.engine)
    for line in status_lines(answer):
        click.echo(line)
    _refuse_stopped(stopped)


def _take_people(log: IntakeLog, file: Path, at: datetime) -> None:
    """Take a register in; ``BadInputError`` if nothing of it could be accepted."""
    report = take_in(log, _source(file, None), _read(file), at)
    click.echo(f"{file.name}: {report.accepted} accepted", err=True)
    for item, reason in report.rejections[:SHOWN]:
        click.echo(one_line(f"  {item}: {reason}"), err=True)
    if len(report.rejections) > SHOWN:
        click.echo(f"  and {len(report.rejections) - SHOWN} more: see the dead letters", err=True)
    if report.failed:
        what = f"nothing of {file.name} could be accepted"
        raise BadInputError(what, hint="correct the file and replay again")


def _paced(steps: Iterator[Step], start: datetime, speed: float) -> Iterator[Step]:
    """Yield each step at its time; at once if ``speed`` is 0."""
    began_s = time.monotonic()
    for step in steps:
        if speed:
            due_s = began_s + (step.at - start).total_seconds() / speed
            time.sleep(max(0.0, due_s - time.monotonic()))
        yield step


def _play(system: System, scenario: Scenario, step: Step) -> None:
    """Put one step in the log and process it."""
    ticks = [event for event in step.events if isinstance(event, Tick)]
    if ticks:
        records = [NewRecord(DESK_INPUT, 0, "tick", tick) for tick in ticks]
        system.log.append(records, durable=False)
    else:
        source = Source(f"{scenario.name}/{step.what}", step.what, lambda *_: ())
        report = accept(system.log, source, (*step.events, *step.refused), step.at)
        if step.what != "feeds":
            click.echo(
                f"{iso(step.at)} {step.what}: {report.accepted} accepted,"
                f" {len(report.rejections)} rejected, {report.duplicate} duplicate",
                err=True,
            )
    system.settle()


@click.command()
@click.option("--seed", type=click.IntRange(min=0), required=True, help="Same seed, same people.")
@click.option("--people", type=click.IntRange(min=1), required=True, help="How many people.")
@click.option("--around", required=True, help="The day their journeys lie around, as 2023-02-06.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True,
              help="File to write, as NDJSON events.")  # fmt: skip
def population(seed: int, people: int, around: str, out: Path) -> None:
    """Write a synthetic register as events, the same for the same seed.

    Nobody in it exists. Some of it is wrong on purpose: duplicates, and
    exchanged coordinates.

    For example:
      rollcall population --seed 1 --people 43000 --around 2023-02-06 --out people.ndjson
    """
    try:
        day = date.fromisoformat(around)
    except ValueError as error:
        what = f"--around {around!r} is not a day"
        raise BadInputError(what, hint="write it as 2023-02-06") from error
    try:
        with out.open("wb") as stream:
            count = write_ndjson(generate(seed, people, day), stream)
    except OSError as error:
        what = f"{out} cannot be written: {error.strerror}"
        raise BadInputError(what, hint="name another file with --out") from error
    click.echo(f"{out}: {count} events about {people} people around {day}")
