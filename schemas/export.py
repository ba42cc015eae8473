"""JSON Schemas of the messages: written from the types, and checked for drift.

One file per message and version, ``<Message>.v<version>.json``. A published
file never changes its meaning and is never removed: a message that changes
shape gets a new version beside the old one. The schema says what JSON can say
(types, required and unknown fields, code lists); what needs arithmetic (times
with a zone, coordinates on Earth, a stay that ends after it begins) is checked
by the types alone.
"""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from schemas import codec
from schemas.envelope import Event

PUBLISHED = Path(__file__).with_name("published")
"""Where the committed schemas stand."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(message: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a message at its current version."""
    identity = {
        "$schema": DIALECT,
        "$id": f"urn:rollcall:message:{message.__name__}:v{codec.VERSION}",
    }
    schema: dict[str, Any] = _tidied(msgspec.json.schema(message))
    return identity | schema


def export(directory: Path = PUBLISHED) -> list[Path]:
    """Write every message's schema; return the files, sorted.

    Schemas of earlier versions are left as they are.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for path, text in _wanted(directory).items():
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return sorted(written)


def check(directory: Path = PUBLISHED) -> list[str]:
    """Return what differs between the published schemas and the types.

    An empty list means no drift. Each entry is a sentence that names the file
    and what to do about it.
    """
    wanted = _wanted(directory)
    drift = []
    for path, text in sorted(wanted.items()):
        if not path.is_file():
            drift.append(f"{path.name} is missing; run `rollcall schemas export`")
        elif path.read_text(encoding="utf-8") != text:
            drift.append(
                f"{path.name} differs from the type; a compatible change: run `rollcall schemas"
                " export`; any other needs a new version"
            )
    kept = {
        directory / _file_name(name, version)
        for name in codec.BY_NAME
        for version in range(1, codec.VERSION)
    }
    drift += [f"{path.name} was published; restore it" for path in kept if not path.is_file()]
    drift += [
        f"{path.name} belongs to no message; restore the message or say why it was never used"
        for path in sorted(directory.glob("*.v*.json"))
        if path not in wanted and path not in kept
    ]
    return drift


def _tidied(node: Any) -> Any:
    """Return a schema whose descriptions have lost the code's indentation."""
    if isinstance(node, dict):
        return {key: _tidied(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_tidied(value) for value in node]
    return inspect.cleandoc(node) if isinstance(node, str) else node


def _wanted(directory: Path) -> dict[Path, str]:
    """Return the text that each current schema file must have."""
    return {
        directory / _file_name(name, codec.VERSION): json.dumps(
            schema_of(message), indent=2, sort_keys=True, ensure_ascii=False
        )
        + "\n"
        for name, message in codec.BY_NAME.items()
    }


def _file_name(name: str, version: int) -> str:
    """Return the name of the file that holds one version of a message."""
    return f"{name}.v{version}.json"
