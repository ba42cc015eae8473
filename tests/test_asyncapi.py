"""The AsyncAPI document: current, valid, and complete."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from schemas.export import PUBLISHED
from streams import asyncapi
from streams.topology import CLUSTER, KEPT, PUBLIC

ROOT = Path(__file__).parents[1]
OFFICIAL = Path(sys.prefix) / "assets/npm/node_modules/@asyncapi/specs/schemas/3.0.0.json"


@pytest.fixture
def published():
    return json.loads((PUBLISHED / asyncapi.FILE).read_bytes())


def test_the_committed_document_is_that_of_the_topics():
    assert asyncapi.check() == []


def test_a_missing_or_changed_document_is_told_of(tmp_path):
    assert asyncapi.check(tmp_path) == ["asyncapi.json is missing; run `rollcall schemas export`"]
    file = asyncapi.export(tmp_path)
    assert asyncapi.check(tmp_path) == []
    file.write_text(file.read_text("utf-8").replace("check-ins", "checkins"), "utf-8")
    assert asyncapi.check(tmp_path) == [
        "asyncapi.json differs from the topics; run `rollcall schemas export`"
    ]


@pytest.mark.assets
def test_it_is_valid_by_the_official_schema(published):
    if not OFFICIAL.is_file():
        pytest.skip("the schema of AsyncAPI is not there; `make assets` installs it")
    schema = json.loads(OFFICIAL.read_bytes())
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(published)] == []
    published["channels"]["check-ins"]["bindings"]["kafka"]["partitions"] = "many"
    assert not validator.is_valid(published)


def test_every_reference_leads_somewhere(published):
    def refs(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            for value in node.values():
                yield from refs(value)
        elif isinstance(node, list):
            for value in node:
                yield from refs(value)

    found = set(refs(published))
    assert len(found) > 50
    for ref in found:
        if ref.startswith("./"):
            assert (PUBLISHED / ref).is_file(), ref
            continue
        node = published
        for step in ref.removeprefix("#/").split("/"):
            node = node[step]
        assert node


def test_what_is_public_is_received_and_the_rest_is_sent(published):
    topics = [topic for topic in CLUSTER if topic not in KEPT]
    assert list(published["channels"]) == [topic.name for topic in topics]
    actions = {
        one["channel"]["$ref"].rpartition("/")[2]: (one["action"], one["x-owner"])
        for one in published["operations"].values()
    }
    assert actions == {
        topic.name: ("receive" if topic in PUBLIC else "send", topic.owner) for topic in topics
    }
    channel = published["channels"]["check-ins"]
    assert channel["address"] == "{prefix}check-ins"
    assert channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["delete"]
    assert published["components"]["messages"]["CheckedIn"]["payload"] == {
        "$ref": "./CheckedIn.v1.json"
    }


def test_the_table_of_topics_in_the_documentation_is_current():
    text = (ROOT / "docs/kafka.md").read_text(encoding="utf-8")
    assert asyncapi.as_markdown() in text
