"""A cluster to try on: topics of a prefix of their own, deleted afterwards."""

import uuid
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from infra.kafka import jars
from streams.backends.kafka.clients import for_kafka_python
from streams.sections import KafkaSettings
from tests.cli.conftest import Rollcall


@pytest.fixture
def cluster(kafka):
    """Yield the settings of a cluster without topics of ours."""
    settings = KafkaSettings(bootstrap=kafka, prefix=f"tp1.{uuid.uuid4().hex[:8]}.", replication=1)
    yield settings
    with closing(KafkaAdminClient(**for_kafka_python(settings))) as admin:
        ours = [name for name in admin.list_topics() if name.startswith(settings.prefix)]
        if ours:
            admin.delete_topics(ours)


@pytest.fixture
def on_kafka(tmp_path, cluster, monkeypatch):
    """Return the command line on that cluster."""
    monkeypatch.setenv("ROLLCALL_KAFKA_PREFIX", cluster.prefix)
    monkeypatch.setenv("ROLLCALL_KAFKA_REPLICATION", "1")
    monkeypatch.setenv("ROLLCALL_KAFKA_BOOTSTRAP", cluster.bootstrap)
    return Rollcall(tmp_path)


@pytest.fixture(scope="session")
def kafka_jars(kafka_tools) -> Path:  # noqa: ARG001 - it skips where there is no Java
    """Return the folder of Kafka's jars, or skip where there is none."""
    return jars.jars()


@pytest.fixture
def rollcall(tmp_path, monkeypatch):
    """Return the command line on an embedded system."""
    monkeypatch.delenv("ROLLCALL_KAFKA_BOOTSTRAP", raising=False)
    return Rollcall(tmp_path)
