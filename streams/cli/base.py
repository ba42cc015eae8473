"""What all commands share: the data directory, times, errors in words."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from schemas.envelope import as_utc
from streams.compose import settings_of
from streams.errors import RollcallError
from streams.settings import Settings


class Session:
    """Where this call works: the data directory and its settings."""

    def __init__(self, data: Path, named_settings: Path | None) -> None:
        """Keep the paths; the settings are read when first asked for."""
        self.data = data
        self._named = named_settings
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings, read once."""
        if self._settings is None:
            self._settings = settings_of(self.data, self._named)
        return self._settings


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
        """Run the command; an error of ours ends it with its exit code."""
        try:
            return super().invoke(ctx)
        except RollcallError as error:
            click.echo(f"Error: {_sentence(str(error))}", err=True)
            click.echo(f"Next: {_sentence(error.hint)}", err=True)
            ctx.exit(error.exit_code)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


class Instant(click.ParamType[datetime]):
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
