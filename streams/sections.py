"""The settings: every section and key, with its unit, bounds and meaning.

The table in ``docs/api/settings.md`` is made from these; how they are read,
and what goes before what, stands in ``streams.settings``. A secret is never a
setting, only the name of its file.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from streams.core.thresholds import Thresholds


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


class KafkaSettings(Section, frozen=True, kw_only=True):
    """The cluster, for whatever is told to work on one (`--kafka`).

    The same words for every client; secrets stand in files.
    """

    bootstrap: Annotated[
        str, Meta(description="Brokers to ask first, as host:port,host:port; `--kafka` sets it.")
    ] = ""
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[a-zA-Z0-9._-]{0,60}$",
            description="Put before every topic, group and transactional id.",
        ),
    ] = "rollcall."
    replication: Annotated[
        int, Meta(ge=1, le=9, description="Copies of every partition that `topics create` makes.")
    ] = 3
    security: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        Meta(description="How the brokers are spoken to."),
    ] = "plaintext"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        Meta(description="How a user is told apart, where `security` is sasl."),
    ] = "SCRAM-SHA-512"
    sasl_user: Annotated[str, Meta(description="The user, where `security` is sasl.")] = ""
    sasl_password_file: Annotated[str, Meta(description="File with the user's password.")] = ""
    ssl_ca_file: Annotated[
        str, Meta(description="PEM of who signed the brokers; empty for the system's.")
    ] = ""
    ssl_cert_file: Annotated[str, Meta(description="PEM of our own certificate, if any.")] = ""
    ssl_key_file: Annotated[str, Meta(description="PEM of its key.")] = ""


class StoreSettings(Section, frozen=True, kw_only=True):
    """The serving store beside a cluster; embedded, it is a file."""

    url: Annotated[
        str,
        Meta(description="PostgreSQL, as postgresql://user@host:port/database; no password."),
    ] = ""
    password_file: Annotated[str, Meta(description="File with the database's password.")] = ""

    def __post_init__(self) -> None:
        """Refuse a password in the address: it would be seen in messages."""
        if urlsplit(self.url).password is not None:
            msg = "url holds a password; put it into the file of store.password_file"
            raise ValueError(msg)


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


class PortsSettings(Section, frozen=True, kw_only=True):
    """Where the system listens: on 127.0.0.1, unless roles of a cluster are told otherwise."""

    host: Annotated[
        str,
        Meta(
            pattern=r"^\d{1,3}(\.\d{1,3}){3}$",
            description="Address of a cluster's API and metrics, as 0.0.0.0 in a container."
            " There is no login: another than 127.0.0.1 is warned of.",
        ),
    ] = "127.0.0.1"
    names: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,253}$")], ...],
        Meta(description="Names beside this machine's own that `api` is asked by, as a JSON list."),
    ] = ()

    dashboard: Annotated[
        int, Meta(ge=0, le=65_535, description="Port of the dashboard; 0 for any free one.")
    ] = 8501
    api: Annotated[
        int, Meta(ge=0, le=65_535, description="Port of the HTTP API; 0 for any free one.")
    ] = 8080
    metrics: Annotated[
        int, Meta(ge=0, le=65_535, description="Port of the metrics; 0 for any free one.")
    ] = 9464


class FeedsSettings(Section, frozen=True, kw_only=True):
    """The feeds that are polled."""

    contact: Annotated[
        str,
        Meta(
            pattern=r"^[ -~]{1,200}$",
            description="Whom a publisher can turn to: an address or a page; sent with every poll.",
        ),
    ] = "no contact given"
    enabled: Annotated[
        tuple[str, ...] | None,
        Meta(description="Names of the feeds to poll, as a JSON list; null for the usual ones."),
    ] = None
    mirror: Annotated[
        str,
        Meta(description="Base address of an offline mirror: feed X is asked at <mirror>/X."),
    ] = ""


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
    kafka: KafkaSettings = KafkaSettings()
    store: StoreSettings = StoreSettings()
    pump: PumpSettings = PumpSettings()
    writer: WriterSettings = WriterSettings()
    dispatch: DispatchSettings = DispatchSettings()
    ports: PortsSettings = PortsSettings()
    feeds: FeedsSettings = FeedsSettings()
    thresholds: Thresholds = Thresholds()
