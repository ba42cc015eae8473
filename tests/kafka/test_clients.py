"""What every client is made with, and that no secret of it is ever shown."""

import ssl
import traceback
from typing import get_args

import msgspec
import pytest
from confluent_kafka import Consumer, Producer

from streams.asyncapi import SCHEMES, SERVERS
from streams.backends.kafka.clients import (
    for_confluent,
    for_kafka_python,
    for_producing,
    for_reading,
    ssl_context,
)
from streams.errors import BadInputError
from streams.sections import KafkaSettings

PASSWORD = "correct-horse"  # noqa: S105 - what must not be shown
PLAIN = KafkaSettings(bootstrap="k1:9092,k2:9092")


@pytest.fixture
def sasl(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return msgspec.structs.replace(
        PLAIN, security="sasl_plaintext", sasl_user="merge", sasl_password_file=str(file)
    )


def refusal(call, settings):
    with pytest.raises(BadInputError) as raised:
        call(settings)
    return str(raised.value)


def test_without_security_nothing_is_said_of_it():
    assert for_confluent(PLAIN) == {
        "bootstrap.servers": "k1:9092,k2:9092",
        "client.id": "rollcall",
        "security.protocol": "plaintext",
        "socket.nagle.disable": True,
        "log_level": 2,
    }
    assert for_kafka_python(PLAIN) == {
        "bootstrap_servers": ["k1:9092", "k2:9092"],
        "client_id": "rollcall",
        "security_protocol": "PLAINTEXT",
    }


def test_a_user_is_told_to_both_with_the_password_out_of_its_file(sasl):
    said = for_confluent(sasl)
    assert (said["security.protocol"], said["sasl.mechanism"]) == (
        "sasl_plaintext",
        "SCRAM-SHA-512",
    )
    assert (said["sasl.username"], said["sasl.password"]) == ("merge", PASSWORD)
    other = for_kafka_python(sasl)
    assert (other["security_protocol"], other["sasl_mechanism"]) == (
        "SASL_PLAINTEXT",
        "SCRAM-SHA-512",
    )
    assert (other["sasl_plain_username"], other["sasl_plain_password"]) == ("merge", PASSWORD)


@pytest.mark.parametrize(
    "call",
    [for_confluent, for_kafka_python, for_producing, lambda sasl: for_reading(sasl, "g")],
)
def test_the_password_does_not_show_in_what_is_printed(sasl, call):
    said = call(sasl)
    assert PASSWORD in said.values()
    for shown in (repr(said), str(said), f"{said}", "%s" % said, repr(sasl)):  # noqa: UP031 - as loggers do
        assert PASSWORD not in shown


def test_a_client_can_be_made_of_it_and_its_error_does_not_show_the_password(sasl):
    assert Producer(for_producing(sasl)) is not None
    Consumer(for_reading(sasl, "rollcall.desk-0")).close()
    with pytest.raises(Exception, match="no.such.setting") as raised:
        Producer(for_producing(sasl) | {"no.such.setting": 1})
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_what_is_missing_is_told_in_words(sasl, tmp_path):
    assert refusal(for_confluent, KafkaSettings()) == "no Kafka cluster is named"
    nameless = msgspec.structs.replace(sasl, sasl_password_file="")
    assert refusal(for_confluent, nameless) == (
        "kafka.security is sasl, and kafka.sasl_password_file names no file"
    )
    gone = msgspec.structs.replace(sasl, sasl_password_file=str(tmp_path / "gone"))
    assert refusal(for_kafka_python, gone) == (
        f"the password file {tmp_path / 'gone'} cannot be read: No such file or directory"
    )
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    binary = msgspec.structs.replace(sasl, sasl_password_file=str(tmp_path / "binary"))
    assert refusal(for_kafka_python, binary).endswith("binary cannot be read: it is not text")


def test_tls_names_its_files_to_confluent_and_is_a_checking_context_for_python(tmp_path):
    tls = msgspec.structs.replace(
        PLAIN, security="ssl", ssl_ca_file="ca.pem", ssl_cert_file="c.pem", ssl_key_file="k.pem"
    )
    said = for_confluent(tls)
    assert {key: value for key, value in said.items() if key.startswith("ssl")} == {
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "c.pem",
        "ssl.key.location": "k.pem",
    }
    systems = msgspec.structs.replace(PLAIN, security="sasl_ssl")
    context = ssl_context(systems)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    gone = msgspec.structs.replace(PLAIN, security="ssl", ssl_ca_file=str(tmp_path / "ca.pem"))
    assert refusal(for_kafka_python, gone) == (
        f"kafka.ssl_ca_file {tmp_path / 'ca.pem'} cannot be used: No such file or directory"
    )
    (tmp_path / "ca.pem").write_text("nothing")
    assert refusal(for_kafka_python, gone).startswith(
        f"kafka.ssl_ca_file {tmp_path / 'ca.pem'} cannot be used: "
    )
    ours = msgspec.structs.replace(PLAIN, security="ssl", ssl_cert_file=str(tmp_path / "ca.pem"))
    assert refusal(for_kafka_python, ours).startswith("kafka.ssl_cert_file ")


def test_a_producer_loses_and_doubles_nothing_and_a_reader_sees_what_is_committed():
    said = for_producing(PLAIN)
    assert (said["acks"], said["enable.idempotence"]) == ("all", True)
    read = for_reading(PLAIN, "rollcall.desk-0")
    assert (read["group.id"], read["isolation.level"]) == ("rollcall.desk-0", "read_committed")
    assert (read["enable.auto.commit"], read["auto.offset.reset"]) == (False, "error")


def test_every_way_to_connect_is_in_the_document():
    fields = {field.name: field.type for field in msgspec.structs.fields(KafkaSettings)}
    ways = get_args(get_args(fields["security"])[0])
    mechanisms = get_args(get_args(fields["sasl_mechanism"])[0])
    assert list(SERVERS) == list(ways)
    assert list(SCHEMES) == [*mechanisms, "X509"]
