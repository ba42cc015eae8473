"""Catalogues of the screens: one flat TOML file per language and page.

A sentence is found by its key and filled with ``str.format`` names. The file
``common`` is part of every page's words. What is missing or surplus in one
language fails a test, so a screen never falls back to another language.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES = ("en", "fr", "nl", "de")
"""The languages of the screens; the first is used where none is wanted."""

COMMON = "common"
TEXT = Path(__file__).with_name("text")


class Words(Mapping[str, str]):
    """Sentences of one page in one language: a mapping that also fills in."""

    def __init__(self, language: str, sentences: Mapping[str, str]) -> None:
        """Keep the sentences as they are; they never change."""
        self.language = language
        self._sentences = MappingProxyType(dict(sentences))

    def __getitem__(self, key: str) -> str:
        """Return the sentence as it stands in the catalogue."""
        return self._sentences[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self._sentences)

    def __len__(self) -> int:
        """Return how many sentences there are."""
        return len(self._sentences)

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence with its ``{names}`` filled in."""
        return self._sentences[key].format(**values)


def read(language: str, page: str) -> dict[str, str]:
    """Return one catalogue file; a value that is no text is refused."""
    path = TEXT / language / f"{page}.toml"
    sentences = tomllib.loads(path.read_text(encoding="utf-8"))
    for key, sentence in sentences.items():
        if not isinstance(sentence, str):
            msg = f"{page}.toml ({language}): {key} is no text"
            raise TypeError(msg)
    return sentences


@lru_cache
def words(language: str, page: str) -> Words:
    """Return a page's words, those of ``common`` included."""
    common = read(language, COMMON)
    own = {} if page == COMMON else read(language, page)
    both = sorted(common.keys() & own.keys())
    if both:
        msg = f"{page}.toml ({language}) repeats keys of common.toml: {', '.join(both)}"
        raise ValueError(msg)
    return Words(language, {**common, **own})


def language_of(query: str | None, accept_language: str | None) -> str:
    """Return the language to speak: the one asked for, else the browser's.

    ``query`` is the value of ``?lang=``; ``accept_language`` the header, of
    which the best-weighted language that we have wins.
    """
    asked = _primary(query or "")
    if asked in LANGUAGES:
        return asked
    wishes = [_wish(part) for part in (accept_language or "").split(",")]
    wishes = [(weight, name) for weight, name in wishes if weight > 0 and name in LANGUAGES]
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else LANGUAGES[0]


def _primary(tag: str) -> str:
    """Return the language of a tag: "nl" of "nl-BE"."""
    return tag.strip().lower().replace("_", "-").partition("-")[0]


def _wish(part: str) -> tuple[float, str]:
    """Return weight and language of one part of the header; 0 if unreadable."""
    tag, _, parameters = part.partition(";")
    name, _, value = parameters.strip().partition("=")
    if not parameters.strip():
        return 1.0, _primary(tag)
    try:
        return (float(value) if name.strip() == "q" else 0.0), _primary(tag)
    except ValueError:
        return 0.0, _primary(tag)
