"""Published schemas are what the types say, and are never lost."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas import codec, export


def published(message: str) -> dict[str, Any]:
    path = export.PUBLISHED / f"{message}.v{codec.VERSION}.json"
    schema: dict[str, Any] = json.loads(path.read_bytes())
    return schema


def test_the_committed_schemas_are_those_of_the_types() -> None:
    assert export.check() == []


@pytest.mark.parametrize("message", sorted(codec.BY_NAME))
def test_a_published_schema_is_valid_and_closed(message: str) -> None:
    schema = published(message)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:rollcall:message:{message}:v1"
    assert schema["$defs"][message]["additionalProperties"] is False
    assert schema["$defs"][message]["properties"]["occurred_at"]["format"] == "date-time"


def test_export_writes_one_file_a_message_and_check_then_finds_nothing(tmp_path: Path) -> None:
    written = export.export(tmp_path / "published")
    assert [path.name for path in written] == [f"{name}.v1.json" for name in sorted(codec.BY_NAME)]
    assert export.check(tmp_path / "published") == []


def test_check_names_what_is_missing_changed_or_foreign(tmp_path: Path) -> None:
    export.export(tmp_path)
    (tmp_path / "CheckedIn.v1.json").unlink()
    tick = tmp_path / "Tick.v1.json"
    tick.write_text(tick.read_text(encoding="utf-8").replace('"resume"', '"resumed"'), "utf-8")
    (tmp_path / "Gone.v1.json").write_text("{}", "utf-8")
    drift = export.check(tmp_path)
    assert [line.split()[0] for line in drift] == [
        "CheckedIn.v1.json",
        "Tick.v1.json",
        "Gone.v1.json",
    ]
    assert "is missing" in drift[0]
    assert "differs from the type" in drift[1]
    assert "belongs to no message" in drift[2]


def test_an_earlier_version_must_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "VERSION", 2)
    export.export(tmp_path)
    assert "Tick.v1.json was published; restore it" in export.check(tmp_path)
    (tmp_path / "Tick.v1.json").write_text("{}", "utf-8")
    assert "Tick.v1.json was published; restore it" not in export.check(tmp_path)
