"""A broker with TLS and passwords: the command line and the pump's clients get in."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from streams.backends.kafka.clients import for_producing
from streams.sections import KafkaSettings
from tests.cli.conftest import Rollcall
from tests.support.services import shared_cluster


@pytest.fixture(scope="session")
def guarded(kafka_tools, locks, service_folder):  # noqa: ARG001 - it skips where there is no Java
    """Yield what a client must know of a broker with TLS and passwords."""
    folder = Path(f"{service_folder}-guarded")
    with shared_cluster(locks / "guarded.lock", folder, security="sasl_ssl") as cluster:
        yield cluster


@pytest.fixture(params=["PLAIN", "SCRAM-SHA-512"])
def settings(request, guarded):
    access = guarded.access(request.param)
    return KafkaSettings(
        bootstrap=access.bootstrap,
        prefix=f"g{uuid4().hex[:8]}.",
        replication=1,
        security="sasl_ssl",
        sasl_mechanism=request.param,
        sasl_user=access.user,
        sasl_password_file=str(access.password_file),
        ssl_ca_file=str(access.ca_file),
    )


@pytest.fixture
def guarded_rollcall(tmp_path, settings):
    lines = [f'{key} = "{value}"' for key, value in _fields(settings).items() if key != "bootstrap"]
    (tmp_path / "data").mkdir()
    text = "\n".join(["[kafka]", *lines]).replace('replication = "1"', "replication = 1")
    (tmp_path / "data" / "settings.toml").write_text(text)
    return Rollcall(tmp_path)


def _fields(settings):
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@pytest.mark.kafka
def test_topics_are_made_written_to_and_read(guarded_rollcall, settings):
    on_kafka = ("--kafka", settings.bootstrap)
    made = guarded_rollcall(*on_kafka, "topics", "create", "--shards", 2)
    assert made.lines[-1] == "17 topics made, 0 were there; 2 shards, clock wall"
    producer = Producer(for_producing(settings))
    producer.produce(f"{settings.prefix}desk-input", b'{"event_id":"x"}', b"k", 0)
    assert producer.flush(30) == 0
    (row,) = guarded_rollcall(*on_kafka, "tail", "desk-input").rows
    assert row["body"] == {"event_id": "x"}
    assert "ok    topics: as declared" in guarded_rollcall(*on_kafka, "doctor").lines


@pytest.mark.kafka
def test_who_is_not_let_in_is_told_why_and_what_to_look_at(guarded_rollcall, settings, tmp_path):
    on_kafka = ("--kafka", settings.bootstrap)
    file = guarded_rollcall.data / "settings.toml"
    right = file.read_text()
    (tmp_path / "wrong").write_text("open sesame")
    file.write_text(right.replace(settings.sasl_password_file, str(tmp_path / "wrong")))
    # In a process of its own: a client of kafka-python that is not let in leaves sockets behind.
    call = [sys.executable, "-m", "streams.cli", "--data", guarded_rollcall.data, *on_kafka]
    said = subprocess.run(
        [*call, "topics", "verify"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (said.returncode, said.stdout) == (11, "")
    asked = f"sasl_ssl, {settings.sasl_mechanism} as {settings.sasl_user}"
    assert said.stderr.startswith(
        f"Error: {settings.bootstrap} answers, but not as asked ({asked}): "
    )
    assert "Next: look at kafka.security, at kafka.sasl_user and its password file" in said.stderr
    assert "open sesame" not in said.stderr
    file.write_text(right.replace(settings.ssl_ca_file, ""))
    answer = guarded_rollcall(*on_kafka, "topics", "verify", code=11)
    assert "certificate verify failed" in answer.err
