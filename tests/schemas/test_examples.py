"""Every message has examples; the good ones pass, the bad ones say why not."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from schemas import codec, export

EXAMPLES = Path(export.__file__).with_name("examples")
VALID = sorted(EXAMPLES.glob("*/valid/*.json"))
INVALID = sorted(EXAMPLES.glob("*/invalid/*.json"))
REFUSALS = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


@pytest.mark.parametrize("message", sorted(codec.BY_NAME))
def test_every_message_has_one_valid_and_two_invalid_examples(message: str) -> None:
    assert len(list(EXAMPLES.glob(f"{message}/valid/*.json"))) >= 1
    assert len(list(EXAMPLES.glob(f"{message}/invalid/*.json"))) >= 2


def test_no_example_belongs_to_an_unknown_message() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(codec.BY_NAME)


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_a_valid_example_decodes_and_comes_back_as_it_was(path: Path) -> None:
    body = path.read_bytes()
    event = codec.decode(path.parts[-3], body)
    assert json.loads(codec.encode(event)) == json.loads(body)
    assert codec.decode(path.parts[-3], codec.encode(event)) == event


@pytest.mark.parametrize("path", VALID, ids=name_of)
def test_a_valid_example_satisfies_the_published_schema(path: Path) -> None:
    message = path.parts[-3]
    schema = json.loads((export.PUBLISHED / f"{message}.v{codec.VERSION}.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_an_invalid_example_is_refused_and_the_reason_names_the_fault(path: Path) -> None:
    with pytest.raises(codec.UndecodableError) as refusal:
        codec.decode(path.parts[-3], path.read_bytes())
    assert REFUSALS[name_of(path)] in str(refusal.value)


def test_every_refusal_has_its_example() -> None:
    assert sorted(REFUSALS) == sorted(map(name_of, INVALID))
