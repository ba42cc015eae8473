"""The settings of every Kafka client, made from ours; one function for each.

All speak to the same brokers with the same security. Passwords are read from
their file when a client is made and stand in nothing that is printed.
"""

import ssl
from pathlib import Path
from typing import Any

from streams.errors import BadInputError
from streams.sections import KafkaSettings
from streams.topology import MAX_MESSAGE_BYTES

CLIENT_ID = "rollcall"

TRANSACTION_MS = 10_000
"""When the cluster aborts what a killed process has left open (design 6)."""

SESSION_MS = 6_000
"""When a worker that is silent counts as dead: the least that brokers allow by default.

What it had left in a transaction holds up its readers until another takes over, and
the brokers look only every 10 s which transactions are overdue.
"""


def brokers(settings: KafkaSettings) -> str:
    """Return the brokers to ask first; ``BadInputError`` if none are named."""
    if not settings.bootstrap:
        what = "no Kafka cluster is named"
        raise BadInputError(what, hint="give --kafka host:port, or set kafka.bootstrap")
    return settings.bootstrap


class Hidden(str):
    """A secret that does not show where settings are printed or logged."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return stars."""
        return "'***'"


def password(settings: KafkaSettings) -> Hidden:
    """Return the user's password, out of its file."""
    name = settings.sasl_password_file
    if not name:
        what = "kafka.security is sasl, and kafka.sasl_password_file names no file"
        raise BadInputError(what, hint="put the password of kafka.sasl_user into a file")
    try:
        return Hidden(Path(name).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        what = f"the password file {name} cannot be read: {why}"
        raise BadInputError(what, hint="look at the file and its rights") from error


def for_confluent(settings: KafkaSettings) -> dict[str, Any]:
    """Return what every client of confluent-kafka is made with (librdkafka's names)."""
    said: dict[str, Any] = {
        "bootstrap.servers": brokers(settings),
        "client.id": CLIENT_ID,
        "security.protocol": settings.security,
        "socket.nagle.disable": True,
        # Told of in words by whoever fails, not on the terminal by a library.
        "log_level": 2,
    }
    if settings.security.startswith("sasl"):
        said |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_user,
            "sasl.password": password(settings),
        }
    if settings.security.endswith("ssl"):
        files = {
            "ssl.ca.location": settings.ssl_ca_file,
            "ssl.certificate.location": settings.ssl_cert_file,
            "ssl.key.location": settings.ssl_key_file,
        }
        said |= {key: file for key, file in files.items() if file}
    return said


def for_kafka_python(settings: KafkaSettings) -> dict[str, Any]:
    """Return what every client of kafka-python is made with."""
    said: dict[str, Any] = {
        "bootstrap_servers": brokers(settings).split(","),
        "client_id": CLIENT_ID,
        "security_protocol": settings.security.upper(),
    }
    if settings.security.startswith("sasl"):
        said |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_user,
            "sasl_plain_password": password(settings),
        }
    if settings.security.endswith("ssl"):
        said["ssl_context"] = ssl_context(settings)
    return said


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    """Return the TLS context of clients written in Python."""
    named = "kafka.ssl_ca_file", settings.ssl_ca_file
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file or None)
        if settings.ssl_cert_file:
            named = "kafka.ssl_cert_file", settings.ssl_cert_file
            context.load_cert_chain(settings.ssl_cert_file, settings.ssl_key_file or None)
    except OSError as error:
        what = f"{named[0]} {named[1]} cannot be used: {error.strerror or error}"
        raise BadInputError(what, hint="it is a PEM file, with its key beside it") from error
    return context


def for_producing(settings: KafkaSettings) -> dict[str, Any]:
    """Return the settings of a producer of confluent-kafka: nothing lost, nothing doubled.

    A partition is always given, so that no client's partitioner decides.
    """
    return for_confluent(settings) | {
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 0,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 1_048_576,
        "retry.backoff.ms": 5,
        "retry.backoff.max.ms": 200,
    }


def for_reading(settings: KafkaSettings, group: str) -> dict[str, Any]:
    """Return the settings of a consumer of confluent-kafka that is told what to read.

    It sees only what is committed. Where an offset is gone it fails, rather
    than going on somewhere else.
    """
    return for_confluent(settings) | {
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 50,
        "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
        "queued.max.messages.kbytes": 32_768,
    }
