"""``rollcall do``: an officer's command, made as the dashboard makes it."""

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from schemas.codelists import Hazard, Role, Verb
from schemas.command import NEEDS, CommandIssued
from streams.cli.base import Session, pass_session
from streams.cli.remote import running_engine
from streams.cluster import public_log
from streams.compose import open_log
from streams.errors import BadInputError, EngineAwayError, LogInUseError
from streams.ingest.intake import Report, Source, accept
from streams.serving.orders import KEYS, SETTABLE, TIMES, areas_of, order, refuse_unknown, send
from streams.serving.store import STORE_FILE, reading

AREA_KEYS = ("file", "countries")
LISTS = frozenset({"incident_ids"})


def _needs() -> str:
    lines = []
    for verb, needed in NEEDS.items():
        said = [
            "file=AREA.geojson or countries=TR,SY" if name == "areas" else f"{name}=..."
            for name in needed
        ]
        lines.append(f"  {verb:12} {' '.join(said)}")
    return "\n".join(lines)


@click.command(
    help=f"""Give an officer's command; it stands in the journal with who and why.

It takes effect at once where the system is up, else when the log is next
processed (`rollcall run --until-idle`).

Verbs, and what each needs:
{_needs()}

More keys: {", ".join((*KEYS, *AREA_KEYS))}
Buckets: {", ".join(SETTABLE)}
Hazards: {", ".join(Hazard)}

For example:
  rollcall do declare title="Fighting in Khartoum" hazard=conflict countries=SD \\
      --as officer7 --reason "embassy asked"
  rollcall do override person_id=h3f9a.1 situation_id=sit-... bucket=safe \\
      --as officer7 --reason "rang the post at 10:40"
  rollcall do polygon incident_id=inc-... file=valley.geojson --as officer7 --reason "dam broke"
  rollcall do acknowledge alert_id=... --as officer7 --reason "calling the post"
  rollcall do silence rule=affected_threshold until=2023-02-06T12:00:00Z \\
      --as officer7 --reason "the minister knows"
"""
)
@click.argument("verb", type=click.Choice([str(verb) for verb in Verb]))
@click.argument("pairs", nargs=-1, metavar="KEY=VALUE...")
@click.option("--as", "by", required=True, help="Who gives the command: a user id.")
@click.option("--reason", required=True, help="Why; shown wherever the command shows.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default="officer",
              show_default=True, help="In which role.")  # fmt: skip
@click.option("--status", type=click.Choice(["Actual", "Exercise"]), default="Actual",
              show_default=True, help="Exercise for a drill.")  # fmt: skip
@click.option("--once", metavar="WORD",
              help="The same act with the same WORD stands once, whatever happens.")  # fmt: skip
@pass_session
def do(
    session: Session,
    verb: str,
    pairs: tuple[str, ...],
    *,
    by: str,
    reason: str,
    role: str,
    status: str,
    once: str | None,
) -> None:
    """Give an officer's command."""
    said = _said(pairs)
    give = partial(order, said, verb=verb, by=by, role=role, reason=reason, status=status,
                   source="command-line")  # fmt: skip
    if session.cluster is not None:
        _published(session, give(nonce=once or datetime.now(UTC).isoformat()))
        return
    try:
        log = open_log(session.data, session.settings)
    except LogInUseError as error:
        once = once or datetime.now(UTC).isoformat()
        named = session.named_settings
        words = ["rollcall", "--data", str(session.data)]
        words += [] if named is None else ["--settings", str(named)]
        words += ["do", verb, *pairs, "--as", by, "--reason", reason, "--role", role]
        words += ["--status", status, "--once", once]
        _through_engine(session.data, give(nonce=once), error, again=shlex.join(words))
        return
    try:
        now = log.clock.now()
        ready = give(nonce=once or now.isoformat())
        if log.known([ready["event_id"]]):
            _say_waiting(ready["event_id"], "the log has it already")
            return
        if log.end("desk-input", 0) == log.committed("desk", 0):
            with reading(session.data / STORE_FILE) as engine:
                refuse_unknown(engine, ready)
        command = msgspec.convert(ready | dict.fromkeys(TIMES, now), CommandIssued)
        source = Source("do", "command", lambda *_: ())
        report = accept(log, source, [command], now)
    finally:
        log.close()
    _refuse(report)
    _say_waiting(command.event_id, "accepted")


def _refuse(report: Report) -> None:
    for _, why in report.rejections:
        raise BadInputError(why, hint="see `rollcall do --help`")


def _published(session: Session, ready: dict[str, Any]) -> None:
    """Give an order to a cluster: it goes where all commands are published."""
    with reading(session.store_place()) as engine:
        refuse_unknown(engine, ready)
    with public_log(session.data, session.settings) as log:
        now = log.clock.now()
        command = msgspec.convert(ready | dict.fromkeys(TIMES, now), CommandIssued)
        _refuse(accept(log, Source("do", "command", lambda *_: ()), [command], now))
    click.echo(f"{command.event_id}: published, the cluster carries it out")


def _say_waiting(event_id: str, became: str) -> None:
    click.echo(f"{event_id}: {became}; `rollcall run --until-idle` carries it out")


def _through_engine(
    data: Path, ready: dict[str, Any], in_use: LogInUseError, *, again: str
) -> None:
    """Send the order to the engine that owns the log; it acts at once.

    ``again`` is what to type if its answer is lost: the same act, not a second.
    """
    running = running_engine(data)
    if running is None:
        raise in_use
    with reading(data / STORE_FILE) as engine:
        refuse_unknown(engine, ready)
    sent = send(running.api, ready)
    if sent.outcome == "unreachable":
        hint = f"look at `rollcall up`, then type this, which makes no second act of it: `{again}`"
        raise EngineAwayError(sent.reason, hint=hint)
    if not sent.taken:
        raise BadInputError(sent.reason, hint="see `rollcall do --help`")
    click.echo(f"{sent.event_id}: {sent.outcome}, the running engine carries it out")


def _said(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the keys and values of the command line, lists and areas read."""
    said: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not value:
            what = f"{pair!r} is not KEY=VALUE"
            raise BadInputError(what, hint="write for example bucket=safe")
        if key not in {*KEYS, *AREA_KEYS}:
            what = f"{key!r} is no key of a command"
            raise BadInputError(what, hint=f"keys are {', '.join((*KEYS, *AREA_KEYS))}")
        if key in said:
            what = f"{key} stands twice"
            raise BadInputError(what, hint="give each key once; lists are written a,b")
        said[key] = value.split(",") if key in LISTS else value
    file, countries = said.pop("file", None), said.pop("countries", None)
    areas = areas_of(_read(file), countries, called=file or countries or "")
    if areas:
        said["areas"] = msgspec.to_builtins(areas)
    return said


def _read(file: str | None) -> Any:
    """Return what a GeoJSON file says."""
    if file is None:
        return None
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        what = f"{file} cannot be read: {error.strerror}"
        raise BadInputError(what, hint="name a GeoJSON file with file=") from error
    except ValueError as error:
        what = f"{file} is not an area: {error}"
        hint = "give a GeoJSON Polygon or MultiPolygon, or countries=TR,SY"
        raise BadInputError(what, hint=hint) from error
