"""Settings: one TOML file, environment over file over default.

What can be set stands in ``streams.sections``. An unknown key is refused. No
value is ever put in an error message or printed, so a secret cannot leak
that way. This is the only module that reads the environment.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta

from streams.errors import BadInputError
from streams.sections import Settings

PREFIX = "ROLLCALL_"

NOT_SETTINGS = {
    "ROLLCALL_DATA": "the data directory, as `--data`",
    "ROLLCALL_SETTINGS": "the settings file, as `--settings`",
    "ROLLCALL_WEBHOOK_SECRET": "signs the webhooks that name no secret_file",
    "ROLLCALL_TEST_POISON": "test only: the stages raise on the event of this id",
    "ROLLCALL_SAMPLES": "tests only: the folder of recorded feed payloads",
    "ROLLCALL_REQUIRE": "tests only: what must not be skipped",
    "ROLLCALL_CHROMIUM": "tests and screenshots only: the browser to drive",
}
"""Variables that begin like a setting and are none; what each one is."""


class Setting(NamedTuple):
    """One setting, as the loader and the documentation see it."""

    section: str
    key: str
    type: Any
    default: Any
    description: str

    @property
    def env(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.section}_{self.key}".upper()


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; ``BadInputError`` names the first thing wrong.

    ``path`` None means no file. ``environ`` defaults to the process's own.
    """
    values: dict[str, Any] = {} if path is None else _read(path)
    origin = {name: str(path) for name in values}
    known = {setting.env: setting for setting in every()}
    for name, text in sorted((os.environ if environ is None else environ).items()):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        if name not in known:
            what = f"the environment variable {name} is no setting"
            raise BadInputError(what, hint=_nearest(name, [*known, *NOT_SETTINGS]))
        setting = known[name]
        try:
            value = _from_text(text, setting.type)
        except msgspec.MsgspecError as error:
            what = f"the environment variable {name} is not valid: {error}"
            raise BadInputError(what, hint=setting.description) from error
        values[setting.section] = {**_table(values, setting.section, path), setting.key: value}
        origin.setdefault(setting.section, "the environment")
    for section, keys in values.items():
        _refuse_unknown(section, _table(values, section, path), origin[section])
        del keys
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        what = f"a setting in {path or 'the environment'} is not valid: {error}"
        raise BadInputError(what, hint="See docs/api/settings.md for what each takes.") from error


def _from_text(text: str, kind: Any) -> Any:
    """Return a value of the environment; a table or a list is given as JSON."""
    if text.lstrip().startswith(("{", "[")):
        msgspec.json.decode(text, type=kind)
        return msgspec.json.decode(text)
    return msgspec.convert(text, kind, strict=False)


def environment(name: str) -> str | None:
    """Return a variable of ``NOT_SETTINGS``; None where unset or empty."""
    if name not in NOT_SETTINGS:
        raise KeyError(name)
    return os.environ.get(name) or None


def secret(file: str) -> bytes:
    """Return the secret in a file, or of ROLLCALL_WEBHOOK_SECRET if it is "".

    Space around it does not count. Where there is none: ``BadInputError``.
    """
    if not file:
        said = environment("ROLLCALL_WEBHOOK_SECRET")
        if said is None:
            what = "a webhook names no secret_file, and ROLLCALL_WEBHOOK_SECRET is not set"
            raise BadInputError(what, hint="give it one of the two: what is sent is signed")
        return said.strip().encode()
    try:
        return Path(file).read_bytes().strip()
    except OSError as error:
        what = f"the secret_file {file} cannot be read: {error.strerror}"
        raise BadInputError(what, hint="look at the file and its rights") from error


def every() -> Iterator[Setting]:
    """Yield every setting, in the order of the structs."""
    for section in msgspec.structs.fields(Settings):
        hints = get_type_hints(section.type, include_extras=True)
        for field in msgspec.structs.fields(section.type):
            hint = hints[field.name]
            metas = [one for one in get_args(hint) if isinstance(one, Meta)]
            about = metas[0].description if metas else "See docs/semantics.md."
            default = field.default
            if field.default_factory is not msgspec.NODEFAULT:
                default = field.default_factory()
            yield Setting(section.name, field.name, hint, default, about or "")


def as_markdown() -> str:
    """Return the documentation of all settings (``docs/api/settings.md``)."""
    lines = [
        "# Settings",
        "",
        "Generated by `streams.settings.as_markdown`; a test compares it. Environment over file",
        "over default. The file is TOML: `--settings FILE`, else `ROLLCALL_SETTINGS`, else",
        "`settings.toml` in the data directory, where there is one. Unknown keys are refused.",
        "",
        "| key | environment | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{one.section}.{one.key}` | `{one.env}` | `{_shown(one.default)}` | {one.description} |"
        for one in every()
    ]
    lines += ["", "Variables that are no settings:", "", "| environment | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {about} |" for name, about in NOT_SETTINGS.items()]
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    """Return a default as the file writes it; durations as ISO 8601."""
    return msgspec.json.encode(value).decode().strip('"')


def _read(path: Path) -> dict[str, Any]:
    """Return the tables of a settings file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"the settings file {path} cannot be read: {error.strerror}"
        raise BadInputError(what, hint="Name an existing file with --settings.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        what = f"the settings file {path} is not TOML: {error}"
        raise BadInputError(what, hint="Correct the line, or take it out.") from error


def _table(values: dict[str, Any], section: str, path: Path | None) -> dict[str, Any]:
    """Return one section as a table; refuse a bare value in its place."""
    table = values.get(section, {})
    if not isinstance(table, dict):
        what = f"{section!r} in {path} is a value, not a section"
        raise BadInputError(what, hint=_nearest(section, [one.section for one in every()]))
    return table


def _refuse_unknown(section: str, table: dict[str, Any], origin: str) -> None:
    """Raise if the section, or a key in it, is none of ours."""
    names = [f"{one.section}.{one.key}" for one in every()]
    if section not in {one.section for one in every()}:
        what = f"{origin} has an unknown section [{section}]"
        raise BadInputError(what, hint=_nearest(section, [one.section for one in every()]))
    for key in table:
        if f"{section}.{key}" not in names:
            what = f"{origin} has an unknown setting {section}.{key}"
            raise BadInputError(what, hint=_nearest(f"{section}.{key}", names))


def _nearest(name: str, known: list[str]) -> str:
    """Return a hint: the known name nearest to a mistyped one."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {near[0]}? All are in docs/api/settings.md."
    return "Take it out; all settings are in docs/api/settings.md."
