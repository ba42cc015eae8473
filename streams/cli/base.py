"""What all commands share: the data directory, times, errors in words."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from schemas.envelope import as_utc
from streams.backends.sqlite_file import LOG_FILE
from streams.compose import settings_of
from streams.errors import LogFailedError, NotFoundError, RollcallError, StoreFailedError
from streams.sections import KafkaSettings, Settings
from streams.serving.deliveries import DELIVERIES_FILE
from streams.serving.place import Place, place_of
from streams.serving.store import REBUILD, STORE_FILE


class Session:
    """Where this call works: the data directory, its settings, the cluster if any."""

    def __init__(
        self, data: Path, named_settings: Path | None, bootstrap: str | None = None
    ) -> None:
        """Keep the paths; the settings are read when first asked for."""
        self.data = data
        self.named_settings = named_settings
        self._bootstrap = bootstrap
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read once."""
        if self._settings is None:
            settings = settings_of(self.data, self.named_settings)
            if self._bootstrap:
                kafka = msgspec.structs.replace(settings.kafka, bootstrap=self._bootstrap)
                settings = msgspec.structs.replace(settings, kafka=kafka)
            self._settings = settings
        return self._settings

    @property
    def cluster(self) -> KafkaSettings | None:
        """The cluster to work on, None for the embedded system."""
        return self.settings.kafka if self.settings.kafka.bootstrap else None

    def store_place(self) -> Place:
        """Return where the serving store is: the settings' database, else our file."""
        return place_of(self.data / STORE_FILE, self.settings.store)

    def delivery_place(self) -> Place:
        """Return where deliveries are kept, likewise."""
        return place_of(self.data / DELIVERIES_FILE, self.settings.store)

    def refuse_without_log(self) -> None:
        """Raise ``NotFoundError`` where there is no log: unknown is not zero."""
        if not (self.data / LOG_FILE).exists():
            what = f"there is no log in {self.data}"
            hint = "name the data directory with --data, or fill one with `rollcall ingest`"
            raise NotFoundError(what, hint=hint)


# A paragraph of which a later line is indented; \b tells click to leave it as it is.
_LISTED = re.compile(r"(^|\n\n)(?=[^\n]+\n {2})")


def as_listed(text: str) -> str:
    """Return a help text whose lists and examples click leaves as they are."""
    return _LISTED.sub("\\1\b\n", inspect.cleandoc(text))


pass_session = click.make_pass_decorator(Session)


class Commands(click.Group):
    """A group that says errors in two sentences: what happened, what to do."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; lists and examples in its help stay as they are."""
        if cmd.help:
            cmd.help = as_listed(cmd.help)
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error ends it with its exit code, in words."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            raise _misplaced(error) or error from error
        except BrokenPipeError:
            raise
        except (RollcallError, OSError, SQLAlchemyError) as error:
            ours = _of_ours(error)
            click.echo(f"Error: {_sentence(str(ours))}", err=True)
            click.echo(f"Next: {_sentence(ours.hint)}", err=True)
            ctx.exit(ours.exit_code)


_OF_ALL = {"--data": "DIR", "--kafka": "HOST:PORT", "--settings": "FILE"}
"""Options of ``rollcall`` itself, and what each takes."""


def _misplaced(error: click.NoSuchOption) -> click.UsageError | None:
    """Return where an option of ``rollcall`` itself belongs; None for others."""
    if error.ctx is None or error.option_name not in _OF_ALL:
        return None
    name, value = error.option_name, _OF_ALL[error.option_name]
    command = error.ctx.command_path.removeprefix(error.ctx.find_root().command_path).strip()
    words = f"{name} comes before the command: rollcall {name} {value} {command} ..."
    return click.UsageError(words, error.ctx)


def _of_ours(error: RollcallError | OSError | SQLAlchemyError) -> RollcallError:
    """Return an error with what to do; that of machine or store, translated."""
    if isinstance(error, RollcallError):
        return error
    if isinstance(error, OSError):
        where = "the machine refused" if error.filename is None else f"{error.filename} failed"
        hint = "look at the path, its rights and the free space; `rollcall doctor` helps"
        return LogFailedError(f"{where}: {error.strerror or error}", hint=hint)
    cause = getattr(error, "orig", None) or error
    hint = f"look at rights and free space of the data directory. {REBUILD}"
    return StoreFailedError(f"the serving store failed: {cause}", hint=hint)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


class Instant(click.ParamType):
    """A time with its zone, as 2023-02-06T01:17:34Z."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return as_utc(datetime.fromisoformat(value), "the time").astimezone(UTC)
        except ValueError as error:
            self.fail(f"{value!r} is no time as 2023-02-06T01:17:34Z: {error}", param, ctx)


INSTANT = Instant()


def iso(at: datetime | None) -> str:
    """Return a time as the command line shows it; ``unknown`` for None."""
    return "unknown" if at is None else at.strftime("%Y-%m-%d %H:%M:%SZ")
