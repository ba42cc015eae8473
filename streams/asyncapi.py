"""What is told of the topics: the AsyncAPI 3.0 document, and the table in docs/kafka.md.

Both are made from ``streams.topology`` and ``schemas``; the document stands
beside the JSON Schemas of the messages, which it refers to.
"""

import inspect
import json
from pathlib import Path
from typing import Any

from schemas import codec
from schemas.export import PUBLISHED
from streams.sections import KafkaSettings
from streams.topology import CLUSTER, KEPT, MAX_MESSAGE_BYTES, PUBLIC, Topic, settings_of

FILE = "asyncapi.json"

SCHEMES: dict[str, dict[str, Any]] = {
    "PLAIN": {"type": "plain", "description": "SASL PLAIN; over TLS only."},
    "SCRAM-SHA-256": {"type": "scramSha256", "description": "SASL SCRAM with SHA-256."},
    "SCRAM-SHA-512": {"type": "scramSha512", "description": "SASL SCRAM with SHA-512."},
    "X509": {"type": "X509", "description": "A client certificate, where the brokers ask for one."},
}
"""Ways to say who one is: the mechanisms of kafka.sasl_mechanism, and a certificate."""

_SASL = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

SERVERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "plaintext": ("kafka", "Without encryption; inside one machine or one closed network.", ()),
    "ssl": ("kafka-secure", "TLS.", ("X509",)),
    "sasl_plaintext": ("kafka", "A user and no encryption.", _SASL),
    "sasl_ssl": ("kafka-secure", "A user, over TLS.", _SASL),
}
"""For every value of kafka.security: protocol, description, schemes."""

ABOUT = """\
Topics of a Rollcall system on Apache Kafka. Anyone with the right to may publish to the public
ones; the others are written by the system alone. The value of a record is JSON of the schema
named here; type and version of the message stand in the headers `type` and `version`. On a public
topic a missing header means the first message of that topic, version 1. Whatever cannot be read,
or may not enter, is put in `dead-letters` with its reason. An event counts once, by its
`event_id`. Names, telephone numbers and addresses are refused everywhere.
"""


def document() -> dict[str, Any]:
    """Return the AsyncAPI document: Rollcall receives what is public and sends the rest."""
    topics = [topic for topic in CLUSTER if topic.messages]
    names = sorted({name for topic in topics for name in topic.messages})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rollcall",
            "version": f"{codec.VERSION}.0.0",
            "description": ABOUT,
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/json",
        "servers": {name: _server(name) for name in SERVERS},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operation(topic) for topic in topics),
        "components": {
            "messages": {name: _message(name) for name in names},
            "parameters": {
                "prefix": {
                    "description": "The setting kafka.prefix, put before every topic.",
                    "default": KafkaSettings().prefix,
                }
            },
            "securitySchemes": SCHEMES,
        },
    }


def _server(name: str) -> dict[str, Any]:
    protocol, about, schemes = SERVERS[name]
    server: dict[str, Any] = {
        "host": "{host}:{port}",
        "protocol": protocol,
        "title": f"kafka.security = {name}",
        "description": about,
        "variables": {
            "host": {"default": "localhost", "description": "A broker to ask first."},
            "port": {"default": "9092"},
        },
    }
    if schemes:
        server["security"] = [_ref("components", "securitySchemes", one) for one in schemes]
    return server


def _channel(topic: Topic) -> dict[str, Any]:
    spread = (
        "One partition a shard: murmur2 of the home (`person_id` up to its last full stop) modulo"
        " their number; another partition is no fault."
        if topic.sharded
        else "One partition."
    )
    known: dict[str, Any] = {} if topic.sharded else {"partitions": 1}
    return {
        "address": f"{{prefix}}{topic.name}",
        "title": topic.name,
        "description": f"{topic.about}. {spread} Written by {topic.owner}.",
        "parameters": {"prefix": _ref("components", "parameters", "prefix")},
        "messages": {name: _ref("components", "messages", name) for name in topic.messages},
        "tags": [{"name": "public" if topic in PUBLIC else "internal"}],
        "bindings": {
            "kafka": known
            | {"topicConfiguration": _configuration(topic), "bindingVersion": "0.5.0"}
        },
    }


def _configuration(topic: Topic) -> dict[str, Any]:
    """Return the settings of a topic with the types that the binding gives them."""
    typed: dict[str, Any] = {}
    for key, value in settings_of(topic).items():
        typed[key] = int(value) if value.isdigit() else value
    return typed | {"cleanup.policy": [topic.keeps.value]}


def _operation(topic: Topic) -> tuple[str, dict[str, Any]]:
    public = topic in PUBLIC
    words = f"{topic.name.replace('-', ' ').title().replace(' ', '')}"
    return f"{'receive' if public else 'send'}{words}", {
        "action": "receive" if public else "send",
        "channel": _ref("channels", topic.name),
        "title": f"{topic.owner} writes {topic.name}",
        "messages": [_ref("channels", topic.name, "messages", name) for name in topic.messages],
        "x-owner": topic.owner,
    }


def _message(name: str) -> dict[str, Any]:
    about = inspect.cleandoc(codec.BY_NAME[name].__doc__ or "").splitlines()[0]
    return {
        "name": name,
        "title": name,
        "summary": about,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "const": name},
                "version": {"type": "string", "const": str(codec.VERSION)},
            },
        },
        "payload": {"$ref": f"./{name}.v{codec.VERSION}.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "What it is about, as a person_id."},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": f"#/{'/'.join(path)}"}


def text() -> str:
    """Return the document as it is published."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def export(directory: Path = PUBLISHED) -> Path:
    """Write the document; return its file."""
    path = directory / FILE
    path.write_text(text(), encoding="utf-8")
    return path


def check(directory: Path = PUBLISHED) -> list[str]:
    """Return what is wrong with the published document; empty if nothing is."""
    path = directory / FILE
    if not path.is_file():
        return [f"{FILE} is missing; run `rollcall schemas export`"]
    if path.read_text(encoding="utf-8") != text():
        return [f"{FILE} differs from the topics; run `rollcall schemas export`"]
    return []


def as_markdown() -> str:
    """Return the table of topics in docs/kafka.md."""
    lines = [
        "| topic | partitions | written by | keeps | holds |",
        "|---|---|---|---|---|",
    ]
    for topic in CLUSTER:
        kept = "of every key the newest" if topic in KEPT else _days(topic)
        messages = f": {', '.join(f'`{name}`' for name in topic.messages)}"
        lines.append(
            f"| `{topic.name}` | {'one a shard' if topic.sharded else '1'} | {topic.owner} |"
            f" {kept} | {topic.about}{messages if topic.messages else ''} |"
        )
    lines += ["", f"Largest message: {MAX_MESSAGE_BYTES} bytes."]
    return "\n".join(lines) + "\n"


def _days(topic: Topic) -> str:
    return f"{int(settings_of(topic)['retention.ms']) // 86_400_000} days"
