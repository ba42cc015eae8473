"""Columns and values of the store in the words of the page."""

from collections.abc import Mapping
from typing import Any

from dashboard.words import Words
from streams.serving.figures import area_name

_LISTS = {
    "bucket": "bucket",
    "from_bucket": "bucket",
    "to_bucket": "bucket",
    "tier": "tier",
    "by": "by",
    "basis": "basis",
    "precision": "precision",
    "hazard": "hazard",
    "severity": "severity",
    "status": "status",
    "verb": "verb",
}
"""Columns of code lists, and how their keys begin in ``common.toml``."""

_PLACES = frozenset({"area", "admin1", "country"})
"""Columns of ISO 3166 codes."""


class Labels:
    """Puts the columns and values of tables in words of one language."""

    def __init__(self, words: Words, titles: Mapping[str, str]) -> None:
        """Keep the words, and the titles of situations by their id."""
        self._words = words
        self._titles = titles

    def column(self, name: str) -> str:
        """Return what a column means; its name where nothing is said of it."""
        return self._words.get(f"col_{name}", name)

    def value(self, column: str, value: Any) -> str:
        """Return a value in words; "unknown" for what is not known."""
        if value is None:
            return self._words["unknown"]
        if isinstance(value, bool):
            return self._words["yes" if value else "no"]
        if column == "situation_id":
            return self._titles.get(str(value), str(value))
        if column in _PLACES:
            return area_name(str(value))
        prefix = _LISTS.get(column)
        return self._words.get(f"{prefix}_{value}", str(value)) if prefix else str(value)
