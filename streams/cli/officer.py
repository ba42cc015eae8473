"""``rollcall do``: an officer's command, as the dashboard will give it too."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from geo.areas import AreaError, polygons_from_geojson
from geo.places import alpha2
from schemas.codelists import Bucket, Hazard, Role, Verb
from schemas.command import NEEDS, CommandIssued
from schemas.envelope import Event
from schemas.place import Area, Countries
from streams.cli.base import Session, pass_session
from streams.cli.remote import Api, running_engine
from streams.compose import open_log
from streams.core.stage import derive_id
from streams.errors import BadInputError, LogInUseError
from streams.ingest.intake import Source, accept
from streams.serving.queries import nearest_id
from streams.serving.store import STORE_FILE, reading

ENVELOPE = frozenset(Event.__struct_fields__) | {"verb", "by", "role", "reason", "areas"}
KEYS = tuple(name for name in CommandIssued.__struct_fields__ if name not in ENVELOPE)
"""What a command may say about its object, beside ``file`` and ``countries``."""

AREA_KEYS = ("file", "countries")
LISTS = frozenset({"incident_ids"})
NAMED = ("situation_id", "incident_id", "alert_id")
"""Ids that must exist for the command to do anything."""


DERIVED = (Bucket.NO_LONGER_AFFECTED, Bucket.DUPLICATE)
"""Buckets that nobody sets by hand."""


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
Buckets: {", ".join(b for b in Bucket if b not in DERIVED)}
Hazards: {", ".join(Hazard)}

For example:
  rollcall do declare title="Fighting in Khartoum" hazard=conflict countries=SD \\
      --as officer7 --reason "embassy asked"
  rollcall do override person_id=h3f9a.1 situation_id=sit-... bucket=safe \\
      --as officer7 --reason "rang the post at 10:40"
  rollcall do polygon incident_id=inc-... file=valley.geojson --as officer7 --reason "dam broke"
  rollcall do acknowledge alert_id=... --as officer7 --reason "calling the post"
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
@pass_session
def do(
    session: Session,
    verb: str,
    pairs: tuple[str, ...],
    by: str,
    reason: str,
    role: str,
    status: str,
) -> None:
    """Give an officer's command."""
    said = _said(pairs)
    said |= {"verb": verb, "by": by, "reason": reason, "role": role, "status": status}
    try:
        log = open_log(session.data, session.settings)
    except LogInUseError as error:
        _do_through_engine(session.data, said, error)
        return
    try:
        now = log.clock.now()
        command = _command(said, now)
        if log.end("desk-input", 0) == log.committed("desk", 0):
            _refuse_unknown(session.data, command)
        source = Source("do", "command", lambda *_: ())
        report = accept(log, source, [command], now)
    finally:
        log.close()
    for _, why in report.rejections:
        raise BadInputError(why, hint="see `rollcall do --help`")
    became = "the log has it already" if report.duplicate else "accepted"
    click.echo(f"{command.event_id}: {became}; `rollcall run --until-idle` carries it out")


def _do_through_engine(data: Path, said: dict[str, Any], in_use: LogInUseError) -> None:
    """Send the command to the engine that owns the log; it acts at once."""
    running = running_engine(data)
    if running is None:
        raise in_use
    command = _command(said, datetime.now(UTC))
    _refuse_unknown(data, command)
    times = {"occurred_at", "received_at"}  # the log's clock, which may be a scenario's
    body = {k: v for k, v in msgspec.to_builtins(command).items() if k not in times}
    api = Api(running.api)
    try:
        answer = api.post("/v1/commands", body)
    finally:
        api.close()
    for refused in answer["rejected"]:
        raise BadInputError(refused["reason"], hint="see `rollcall do --help`")
    click.echo(f"{command.event_id}: accepted, the running engine carries it out")


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
    areas = _areas(said.pop("file", None), said.pop("countries", None))
    if areas:
        said["areas"] = areas
    return said


def _areas(file: str | None, countries: str | None) -> tuple[Area, ...]:
    areas: list[Area] = []
    try:
        if file is not None:
            areas += _drawn(json.loads(Path(file).read_text(encoding="utf-8")))
        if countries is not None:
            areas.append(Countries(codes=_codes(countries)))
    except OSError as error:
        what = f"{file} cannot be read: {error.strerror}"
        raise BadInputError(what, hint="name a GeoJSON file with file=") from error
    except ValueError as error:
        what = f"{file or countries} is not an area: {error}"
        hint = "give a GeoJSON Polygon or MultiPolygon, or countries=TR,SY"
        raise BadInputError(what, hint=hint) from error
    return tuple(areas)


def _codes(countries: str) -> tuple[str, ...]:
    """Return alpha-2 codes of a list of alpha-2 or alpha-3 ones."""
    found = {code: alpha2(code) for code in countries.split(",")}
    unknown = [code for code, known in found.items() if known is None]
    if unknown:
        msg = f"{', '.join(unknown)} is no ISO 3166-1 code"
        raise AreaError(msg)
    return tuple(known for known in found.values() if known is not None)


def _drawn(said: Any) -> list[Area]:
    """Return the areas of a GeoJSON object, of a collection each feature's."""
    if isinstance(said, dict) and said.get("type") == "FeatureCollection":
        features = said.get("features")
        if not isinstance(features, list) or not features:
            msg = "the collection has no features"
            raise AreaError(msg)
        return [polygons_from_geojson(feature).area for feature in features]
    return [polygons_from_geojson(said).area]


def _command(said: dict[str, Any], now: datetime) -> CommandIssued:
    try:
        parts = [f"{key}={value}" for key, value in sorted(said.items())]
        envelope = {
            "event_id": derive_id("command", now.isoformat(), *parts),
            "source": "command-line",
            "occurred_at": now,
            "received_at": now,
        }
        return msgspec.convert(envelope | said, CommandIssued)
    except ValueError as error:
        what = f"the command is not valid: {error}"
        hint = _choices(said) or "`rollcall do --help` says what each verb needs"
        raise BadInputError(what, hint=hint) from error


def _choices(said: dict[str, Any]) -> str | None:
    """Return what the first key with an unknown name could be; None if there is none."""
    for key, names in (("hazard", Hazard), ("bucket", [b for b in Bucket if b not in DERIVED])):
        if key in said and said[key] not in list(names):
            return f"{key} is one of {', '.join(names)}"
    return None


def _refuse_unknown(data: Path, command: CommandIssued) -> None:
    """Refuse a command about something that is not there, most often mistyped."""
    for key in NAMED:
        wanted = getattr(command, key)
        if wanted is None:
            continue
        with reading(data / STORE_FILE) as engine:
            there, near = nearest_id(engine, key, wanted)
        if not there:
            what = f"there is no {key} {wanted}"
            hint = f"did you mean {near}?" if near else "`rollcall status --json` lists them"
            raise BadInputError(what, hint=hint)
