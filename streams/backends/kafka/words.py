"""What goes wrong with kafka-python, in words and with a next step."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as kafka_errors

from streams.backends.kafka.clients import brokers, ssl_context
from streams.errors import (
    BadInputError,
    ClusterAwayError,
    ClusterRefusedError,
    LogFailedError,
    NotFoundError,
    RollcallError,
)
from streams.sections import KafkaSettings

KNOCK_S = 2.0
"""How long a broker that did not answer as Kafka is given to open a connection."""

_TRIAL = "set kafka.replication to the number of brokers; 1 is enough for a trial"


@contextmanager
def in_words(settings: KafkaSettings) -> Iterator[None]:
    """Turn what kafka-python raises into our errors; knock at the brokers first.

    Its clients go on trying where nobody is, and leave sockets behind.
    """
    _knock(settings)
    try:
        yield
    except kafka_errors.KafkaError as error:
        raise _of_ours(error, settings) from error


def unknown_topic(name: str) -> NotFoundError:
    """Return that a topic is not in the cluster."""
    what = f"the cluster has no topic {name}"
    hint = "`rollcall topics create` makes the topics; look at kafka.prefix"
    return NotFoundError(what, hint=hint)


def _of_ours(error: kafka_errors.KafkaError, settings: KafkaSettings) -> RollcallError:
    if isinstance(error, kafka_errors.RetriableError):
        return _not_now(error, settings)
    if isinstance(error, kafka_errors.AuthorizationError):
        what = f"the cluster does not let {settings.sasl_user or 'us'} do this: {_said(error)}"
        return ClusterRefusedError(what, hint="ask whoever runs the cluster for the rights")
    if isinstance(error, kafka_errors.SaslAuthenticationFailedError):
        return _not_let_in(settings, _said(error))
    if isinstance(error, kafka_errors.InvalidReplicationFactorError):
        what = f"the cluster has fewer than {settings.replication} brokers"
        return BadInputError(what, hint=_TRIAL)
    if isinstance(error, kafka_errors.UnsupportedCodecError):
        what = f"records are compressed in a way that cannot be read here: {_said(error)}"
        return LogFailedError(what, hint="install lz4, python-snappy and zstandard (`make setup`)")
    what = f"the cluster refused: {_said(error)}"
    return LogFailedError(what, hint="`rollcall --kafka HOST:PORT doctor` looks at the cluster")


def _not_now(error: kafka_errors.RetriableError, settings: KafkaSettings) -> RollcallError:
    """Return what kafka-python would try again for ever."""
    if isinstance(error, kafka_errors.UnknownTopicOrPartitionError):
        return unknown_topic(_said(error))
    if isinstance(error, kafka_errors.NotEnoughReplicasError):
        what = "too few brokers have a copy of the topic to write to it safely"
        return ClusterAwayError(what, hint="bring the missing brokers back, then try again")
    if "bootstrap" in str(error):
        # It opened the door to our knock: what follows was not understood, or not allowed.
        return _not_let_in(settings, _said(error))
    what = f"the cluster did not do it in time: {_said(error)}"
    return ClusterAwayError(what, hint="`rollcall --kafka HOST:PORT doctor` looks at it")


def _not_let_in(settings: KafkaSettings, said: str) -> ClusterRefusedError:
    way: str = settings.security
    if way.startswith("sasl"):
        way = f"{way}, {settings.sasl_mechanism} as {settings.sasl_user or 'nobody'}"
    what = f"{settings.bootstrap} answers, but not as asked ({way}): {said}"
    hint = (
        "look at kafka.security, at kafka.sasl_user and its password file, at the certificates,"
        " and whether it is a Kafka broker; a busy one may answer later"
    )
    return ClusterRefusedError(what, hint=hint)


def _knock(settings: KafkaSettings) -> None:
    """Raise unless one of the brokers to ask first opens, with TLS where asked for."""
    context = ssl_context(settings) if settings.security.endswith("ssl") else None
    refused = None
    for address in brokers(settings).split(","):
        host, _, port = address.strip().rpartition(":")
        host = host.strip("[]")
        try:
            with socket.create_connection((host, int(port)), timeout=KNOCK_S) as door:
                if context is not None:
                    context.wrap_socket(door, server_hostname=host).close()
                return
        except ssl.SSLError as error:
            refused = error
        except (OSError, ValueError, OverflowError):
            continue
    if refused is not None:
        raise _not_let_in(settings, _said(refused)) from refused
    what = f"no broker answers at {settings.bootstrap}"
    raise ClusterAwayError(what, hint="look at the address (host:port) and whether Kafka runs")


def _said(error: Exception) -> str:
    """Return an error of kafka-python in one line, without its class's name twice."""
    return " ".join(str(error).split()) or type(error).__name__
