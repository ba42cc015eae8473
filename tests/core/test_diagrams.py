"""The diagrams in the docs are those of the tables."""

from pathlib import Path

from streams.core.diagrams import page

DIAGRAMS = Path(__file__).parents[2] / "docs" / "diagrams.md"


def test_the_page_is_drawn_from_the_tables() -> None:
    assert DIAGRAMS.read_text() == page(), (
        "write it anew: python -c 'from streams.core.diagrams import page; print(page(), end=\"\")'"
        " > docs/diagrams.md"
    )
