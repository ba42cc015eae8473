"""The documents that are made from code say what the code says."""

import re
from pathlib import Path

from streams.ingest.api import KINDS
from streams.metrics import as_markdown

API = Path(__file__).parents[2] / "docs" / "api"


def test_the_document_of_the_metrics_is_that_of_the_list():
    assert (API / "metrics.md").read_text(encoding="utf-8") == as_markdown()


def test_every_address_of_the_api_is_described_with_its_message():
    text = (API / "http.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"`POST /v1/([a-z-]+)` \| `(\w+)` \|", text))
    assert described == KINDS
