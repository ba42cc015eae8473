"""Commands that only read: they work with everything stopped, or beside it."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import msgspec

from schemas import export as schema_export
from streams import asyncapi
from streams.cli.base import Session, pass_session
from streams.cli.render import status_lines
from streams.cluster import log_to_read
from streams.compose import backlog, restored
from streams.errors import BadInputError, NotFoundError, RollcallError
from streams.exports import (
    KINDS,
    STAGE_OF,
    WITH_GEOMETRY,
    WITHOUT_SITUATION,
    Row,
    as_csv,
    as_geojson,
    as_ndjson,
    in_order,
    plain,
)
from streams.ports import EventLog
from streams.serving.deliveries import reading_deliveries
from streams.serving.deliveries import rows as delivery_rows
from streams.serving.queries import journal
from streams.serving.queries import status as status_of
from streams.serving.store import reading
from streams.serving.writer import lag


@click.command()
@click.option("--json", "as_json", is_flag=True, help="All of it, as one JSON object.")
@pass_session
def status(session: Session, as_json: bool) -> None:
    """Show the wall's numbers, with their freshness and completeness.

    What nobody has told is "unknown" here and null in JSON, never 0. Records
    that are in the log but not in these numbers are counted as waiting.

    For example:
      rollcall status
      rollcall status --json | jq '.situations[].buckets'
    """
    with (
        log_to_read(session.data, session.settings) as log,
        reading(session.store_place()) as engine,
    ):
        waiting = sum(backlog(log).values()) + lag(log, engine)
        now = status_of(engine)
    if as_json:
        body = {"waiting": waiting, **msgspec.to_builtins(now)}
        click.echo(msgspec.json.format(msgspec.json.encode(body), indent=2))
        return
    for line in status_lines(now):
        click.echo(line)
    if waiting:
        click.echo(f"Waiting: {waiting} records are not in these numbers yet; {_next(session)}")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--situation", "situation_id", help="Only what belongs to this situation.")
@click.option("--format", "form", type=click.Choice(["ndjson", "csv", "geojson", "parquet"]),
              default="ndjson", show_default=True,
              help="GeoJSON for places only; Parquet of places is GeoParquet.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path),
              help="File to write instead of the screen.")  # fmt: skip
@pass_session
def export(
    session: Session, kind: str, situation_id: str | None, form: str, out: Path | None
) -> None:
    """Write rows of the state or the journal: sorted, the same every time.

    State (persons, exposures, ledger, incidents, zones, advisories,
    situations) is restored from the log as of the last record processed;
    the journal (movements, commands, alerts, deadletters) is read from the serving
    store, deliveries from the dispatcher's own log. In CSV an empty cell means
    "not known" and NA is Namibia.

    For example:
      rollcall export ledger --situation sit-0123 --format csv --out ledger.csv
      rollcall export zones --format geojson --out zones.geojson
      rollcall export persons --format parquet --out persons.parquet
      rollcall export deliveries --format csv
    """
    if form == "geojson" and kind not in WITH_GEOMETRY:
        what = f"{kind} have no geometry"
        raise BadInputError(what, hint="use --format ndjson, csv or parquet")
    if situation_id is not None and kind in WITHOUT_SITUATION:
        what = f"{kind} belong to no situation"
        raise BadInputError(what, hint="leave --situation out")
    place = form in {"geojson", "parquet"} and kind in WITH_GEOMETRY
    rows, points = _rows(session, kind, situation_id, with_points=place)
    if form == "csv":
        lines = as_csv(rows)
    elif form == "geojson":
        lines = as_geojson(rows, points)
    elif form == "parquet":
        # Its libraries take most of a second to load, and no other command needs them.
        from streams.parquet import as_parquet  # noqa: PLC0415 - see above

        lines = iter([as_parquet(rows, place=place, points=points)])
    else:
        lines = as_ndjson(rows)
    _write(lines, out)


def _rows(
    session: Session, kind: str, situation_id: str | None, *, with_points: bool
) -> tuple[list[Row], dict[str, Row] | None]:
    """Return the rows, and for exposures the presence of each person."""
    with log_to_read(session.data, session.settings) as log:
        if kind not in STAGE_OF:
            return _journal(session, log, kind, situation_id), None
        stages = restored(log, session.settings, STAGE_OF[kind])
        rows: list[Row] = in_order(row for stage in stages for row in stage.export(kind))
        if situation_id is not None:
            desk = restored(log, session.settings, "desk")[0]
            _refuse_unknown(situation_id, desk.export("situations"))
            if kind == "persons":
                ledger = (row for stage in stages for row in stage.export("ledger"))
                members = {r["person_id"] for r in ledger if r["situation_id"] == situation_id}
                rows = [row for row in rows if row["person_id"] in members]
            else:
                rows = [row for row in rows if row.get("situation_id") == situation_id]
        points: dict[str, Row] | None = None
        if with_points and kind == "exposures":
            people = (row for stage in stages for row in stage.export("persons"))
            points = {str(row["person_id"]): row for row in people}
        return rows, points


def _next(session: Session) -> str:
    """Return who processes what is waiting."""
    if session.cluster is None:
        return "`rollcall run --until-idle` processes them"
    return "the workers and the writer of the cluster are at it, if they run"


def _refuse_unknown(situation_id: str, situations: Iterable[Row]) -> None:
    known = [str(row["situation_id"]) for row in situations]
    if situation_id not in known:
        what = f"there is no situation {situation_id}"
        raise NotFoundError(what, hint=f"there are {', '.join(known) or 'none'}")


def _journal(session: Session, log: EventLog, kind: str, situation_id: str | None) -> list[Row]:
    if kind == "deliveries":
        return _deliveries(session, situation_id)
    with reading(session.store_place()) as engine:
        if sum(backlog(log).values()) + lag(log, engine):
            click.echo(f"Not all of the log is in it yet; {_next(session)}.", err=True)
        return [plain(row) for row in journal(engine, kind, situation_id)]


def _deliveries(session: Session, situation_id: str | None) -> list[Row]:
    with reading_deliveries(session.delivery_place()) as engine:
        if engine is None:
            click.echo(
                "No dispatcher has run here: `rollcall dispatch` sends the alerts.", err=True
            )
            return []
        return [plain(row) for row in delivery_rows(engine, situation_id)]


def _write(lines: Iterator[bytes], out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return
    try:
        _write_file(lines, out.resolve())
    except OSError as error:
        what = f"{out} cannot be written: {error.strerror}"
        raise BadInputError(what, hint="name another file with --out") from error


def _write_file(lines: Iterator[bytes], out: Path) -> None:
    """Write a file whole or not at all, for its owner alone: it has positions."""
    if out.exists() and not out.is_file():
        with out.open("wb") as device:
            device.writelines(lines)
        return
    number, name = tempfile.mkstemp(prefix=f"{out.name}.", dir=out.parent)
    unfinished = Path(name)
    try:
        with open(number, "wb") as stream:  # noqa: PTH123 - of a descriptor, made for us alone
            stream.writelines(lines)
        unfinished.replace(out)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@click.command()
@click.argument("action", type=click.Choice(["export", "check"]))
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path),
              default=schema_export.PUBLISHED, help="Folder of the published schemas.")  # fmt: skip
def schemas(action: str, folder: Path) -> None:
    """Write the JSON Schemas of the messages, or check them for drift.

    Beside them stands asyncapi.json: the topics of a cluster, and which
    messages they hold.

    For example:
      rollcall schemas export
      rollcall schemas check
    """
    if action == "export":
        written = schema_export.export(folder)
        described = asyncapi.export(folder)
        click.echo(f"{len(written)} schemas and {described.name} in {folder}")
        return
    drift = [*schema_export.check(folder), *asyncapi.check(folder)]
    for sentence in drift:
        click.echo(sentence)
    if drift:
        what = f"{len(drift)} published schemas differ from the types"
        raise SchemaDriftError(what, hint="see the lines above")
    click.echo("the published schemas are those of the types")


class SchemaDriftError(RollcallError):
    """The published schemas are not those of the types."""

    code = "schema_drift"
