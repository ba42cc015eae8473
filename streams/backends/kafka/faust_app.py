"""Faust as MERGE uses it: the safe subset of it, and nothing of its own on disk or on the web."""

import faust

from streams.backends.kafka.clients import brokers, password, ssl_context
from streams.backends.kafka.in_order import Transport
from streams.sections import KafkaSettings
from streams.topology import MAX_MESSAGE_BYTES

BUFFER = 500
"""Records of a topic that are read ahead; each may have 4 MB."""

SESSION_S, HEARTBEAT_S = 10.0, 3.0

COMMIT_S = 1.0

_EXTRA_BYTES = 64 * 1024


def app(settings: KafkaSettings, group: str, web: tuple[str, int], scratch: str) -> faust.App:
    """Return an app without agents; it keeps nothing, and declares no topics.

    ``web`` is where it answers.
    """
    host, port = web
    made = faust.App(
        group,
        broker=[f"kafka://{one}" for one in brokers(settings).split(",")],
        broker_credentials=credentials(settings),
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_commit_interval=COMMIT_S,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_max_request_size=MAX_MESSAGE_BYTES + _EXTRA_BYTES,
        stream_buffer_maxsize=BUFFER,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        autodiscover=False,
        datadir=scratch,
        web_enabled=True,
        web_bind=host,
        web_host=host,
        web_port=port,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_graph_enabled=False,
        web_stats_enabled=False,
        web_metrics_enabled=False,
        worker_redirect_stdouts=False,
    )
    made.transport = Transport(made.conf.broker_consumer, made)
    return made


def credentials(settings: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return how Faust shows who it is; None where nobody asks."""
    context = ssl_context(settings) if settings.security.endswith("ssl") else None
    if settings.security.startswith("sasl"):
        return faust.SASLCredentials(
            username=settings.sasl_user,
            password=password(settings),
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
