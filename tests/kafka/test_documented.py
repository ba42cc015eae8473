"""What docs/kafka.md shows to a stranger, done to the letter."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from streams.backends.kafka.admin import Admin
from streams.core.partition import murmur2

DOCUMENT = Path(__file__).parents[2] / "docs/kafka.md"


def block(language, containing):
    """Return the one block of code of the document with these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


@pytest.fixture
def topics(cluster):
    with Admin.connect(cluster) as admin:
        admin.create(4, asked=None, clock=None)
    return cluster


def on(cluster, text):
    return text.replace("broker1:9092", cluster.bootstrap).replace("rollcall.", cluster.prefix)


@pytest.mark.kafka
def test_a_program_with_kafka_python_publishes(on_kafka, topics):
    exec(compile(on(topics, block("python", "KafkaProducer")), DOCUMENT, "exec"), {})  # noqa: S102 - our own documentation
    (row,) = on_kafka("tail", "check-ins").rows
    assert (row["key"], row["type"], row["version"]) == ("h3f9a.1", "CheckedIn", 1)
    assert row["body"]["event_id"] == "post-ankara-17"
    assert row["partition"] == (murmur2(b"h3f9a.1") & 0x7FFFFFFF) % 4


@pytest.mark.kafka
def test_the_console_producer_publishes(on_kafka, topics, kafka_jars):
    shown = on(topics, block("sh", "kafka-console-producer.sh")).replace("\\\n", " ")
    said = re.search(r"echo '(.*)' \|", shown)
    options = re.search(r"kafka-console-producer.sh (.*)", shown)
    assert said
    assert options
    words = [word.strip("'") for word in options[1].split()]
    call = ["java", "-cp", f"{kafka_jars}/*", "org.apache.kafka.tools.ConsoleProducer", *words]
    subprocess.run(call, input=f"{said[1]}\n", text=True, check=True, timeout=60)
    (row,) = on_kafka("tail", "check-ins").rows
    assert (row["key"], row["body"]) == ("h3f9a.1", json.loads(said[1].partition("|")[2]))
