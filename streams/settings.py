"""Settings: one TOML file, environment over file over default.

Every setting is a field of the structs below, with its unit in its name, its
bounds in its type and one sentence of description; the table in
``docs/api/settings.md`` is made from them. An unknown key is refused. No
value is ever put in an error message or printed, so a secret cannot leak
that way. This is the only module that reads the environment.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from streams.core.thresholds import Thresholds
from streams.errors import BadInputError

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


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a section: immutable, no unknown keys."""


class LogSettings(Section, frozen=True, kw_only=True):
    """The embedded log."""

    shards: Annotated[
        int,
        Meta(
            ge=1,
            le=1024,
            description="Partitions of a new data directory; fixed once it has been made.",
        ),
    ] = 8


class PumpSettings(Section, frozen=True, kw_only=True):
    """The pump that drives the stages."""

    batch: Annotated[
        int, Meta(ge=1, le=100_000, description="Most records a stage is given at once.")
    ] = 2_000
    snapshot_every: Annotated[
        int,
        Meta(ge=1, description="Records after which a stage's state is snapshotted anew."),
    ] = 50_000


class WriterSettings(Section, frozen=True, kw_only=True):
    """The writer of the serving store."""

    batch: Annotated[
        int, Meta(ge=1, le=100_000, description="Most records in one transaction of the store.")
    ] = 2_000


class WebhookSettings(Section, frozen=True, kw_only=True):
    """One receiver of webhooks; its name is the key it stands under.

    No text of the address may enter an error: it can hold a token.
    """

    url: Annotated[str, Meta(description="Address; https, or http on this machine.")]
    secret_file: Annotated[
        str, Meta(description="File with the secret that signs; else ROLLCALL_WEBHOOK_SECRET.")
    ] = ""
    exercise: Annotated[bool, Meta(description="Gets alerts of exercises too.")] = False
    audiences: Annotated[
        tuple[str, ...], Meta(description="Audiences it gets the alerts of; empty for all.")
    ] = ()
    timeout_s: Annotated[
        float, Meta(gt=0, le=120, description="Longest silence of the receiver.")
    ] = 10.0

    def __post_init__(self) -> None:
        """Refuse an address that would carry alerts in the open."""
        try:
            parts = urlsplit(self.url)
            host, scheme = parts.hostname, parts.scheme
        except ValueError:
            host, scheme = None, ""
        if not host or scheme not in {"http", "https"}:
            msg = "url is no address of the form https://host/path"
            raise ValueError(msg)
        if scheme == "http" and host not in {"127.0.0.1", "::1", "localhost"}:
            msg = "url is plain http to another machine; use https"
            raise ValueError(msg)
        if "@" in parts.netloc:
            msg = "url holds a user or password; the signature says who sends"
            raise ValueError(msg)


class DispatchSettings(Section, frozen=True, kw_only=True):
    """The dispatcher: whom alerts are sent to, and when not."""

    console: Annotated[bool, Meta(description="Print a line for every alert.")] = True
    out_dir: Annotated[
        str,
        Meta(description="Folder for alerts as CAP 1.2 files; empty for none."),
    ] = ""
    sender: Annotated[
        str,
        Meta(
            min_length=1,
            pattern=r"^[^\s,<&]+$",
            description="Who sends, in CAP files; no spaces, commas, < or &.",
        ),
    ] = "rollcall"
    webhooks: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")], WebhookSettings],
        Meta(description="Receivers by name; as JSON in the environment. See docs/alerts.md."),
    ] = msgspec.field(default_factory=dict)
    in_replay: Annotated[
        bool,
        Meta(description="Let a replay send to webhooks: its alerts are of the past."),
    ] = False
    use_by_s: Annotated[
        int,
        Meta(ge=60, description="Seconds after which an alert is not sent any more."),
    ] = 21_600
    poll_s: Annotated[
        float, Meta(gt=0, le=60, description="Pause between two looks into the log.")
    ] = 0.2


class Settings(Section, frozen=True, kw_only=True):
    """All settings; ``thresholds`` are those of the core, in docs/semantics.md."""

    log: LogSettings = LogSettings()
    pump: PumpSettings = PumpSettings()
    writer: WriterSettings = WriterSettings()
    dispatch: DispatchSettings = DispatchSettings()
    thresholds: Thresholds = Thresholds()


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
    """Return a value of the environment; a table is given as JSON."""
    if text.lstrip().startswith("{"):
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
