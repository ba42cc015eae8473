"""Catalogues: nothing missing, nothing surplus, the right language for a visitor."""

import string
from pathlib import Path

import pytest

from dashboard.views import PAGES
from dashboard.words import COMMON, LANGUAGES, TEXT, Words, language_of, read, words
from schemas import codelists

FILES = sorted({path.stem for path in TEXT.glob("*/*.toml")})


def placeholders(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


def test_every_language_has_every_file() -> None:
    assert {path.name for path in TEXT.iterdir()} == set(LANGUAGES)
    held = {code: sorted(path.stem for path in (TEXT / code).glob("*.toml")) for code in LANGUAGES}
    assert held == dict.fromkeys(LANGUAGES, FILES)
    assert COMMON in FILES


@pytest.mark.parametrize("page", FILES)
@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_every_language_says_the_same_with_the_same_values(page: str, code: str) -> None:
    wanted = {key: placeholders(text) for key, text in read(LANGUAGES[0], page).items()}
    assert {key: placeholders(text) for key, text in read(code, page).items()} == wanted


@pytest.mark.parametrize("page", FILES)
@pytest.mark.parametrize("code", LANGUAGES)
def test_no_sentence_is_empty_or_used_up(page: str, code: str) -> None:
    assert [key for key, text in read(code, page).items() if not text.strip()] == []
    assert words(code, page).language == code


@pytest.mark.parametrize(
    ("prefix", "codes"),
    [
        ("bucket", codelists.Bucket),
        ("tier", codelists.Tier),
        ("basis", codelists.Basis),
        ("precision", codelists.Precision),
        ("by", codelists.StatementBy),
        ("contact", codelists.ContactOutcome),
        ("channel", codelists.ContactChannel),
        ("verb", codelists.Verb),
        ("hazard", codelists.Hazard),
        ("severity", codelists.Severity),
        ("feed", codelists.FeedState),
        ("status", codelists.Status),
    ],
)
def test_every_value_of_a_code_list_has_a_word(prefix: str, codes: list[str]) -> None:
    missing = [code for code in codes if f"{prefix}_{code}" not in words("en", COMMON)]
    assert missing == []


def test_every_page_has_a_title_and_a_catalogue() -> None:
    for module in PAGES:
        assert f"page_{module.PAGE.name}" in words("en", COMMON)
        assert module.PAGE.name in FILES


def test_words_are_a_mapping_that_fills_in() -> None:
    found = words("fr", COMMON)
    assert found["few"] == "moins de 5"
    assert found("unit_km", n=3) == "3 km"
    assert dict(found) == read("fr", COMMON)
    assert len(found) == len(read("fr", COMMON))
    with pytest.raises(KeyError, match="no_such_key"):
        found("no_such_key")


def test_a_page_cannot_shadow_a_common_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/common.toml").write_text('yes = "yes"\n')
    (tmp_path / "en/one.toml").write_text('yes = "aye"\n')
    (tmp_path / "en/two.toml").write_text("five = 5\n")
    monkeypatch.setattr("dashboard.words.TEXT", tmp_path)
    with pytest.raises(ValueError, match=r"one.toml \(en\) repeats keys of common.toml: yes"):
        words.__wrapped__("en", "one")
    with pytest.raises(TypeError, match=r"two.toml \(en\): five is no text"):
        words.__wrapped__("en", "two")


@pytest.mark.parametrize(
    ("query", "header", "wanted"),
    [
        (None, None, "en"),
        ("nl", "fr-BE,fr;q=0.9", "nl"),
        ("nl-BE", None, "nl"),
        ("DE", None, "de"),
        ("tlh", "fr-BE,fr;q=0.9", "fr"),
        (None, "es-ES, nl-BE;q=0.8, fr;q=0.9", "fr"),
        (None, "es-ES,es;q=0.9", "en"),
        (None, "nl;q=0, fr;q=0.1", "fr"),
        (None, "de;q=much, nl;q=0.2", "nl"),
        (None, "fr,de,nl", "fr"),
        ("", "", "en"),
    ],
)
def test_the_language_asked_for_comes_before_the_browsers(
    query: str | None, header: str | None, wanted: str
) -> None:
    assert language_of(query, header) == wanted


def test_words_never_change() -> None:
    sentences = {"a": "one"}
    found = Words("en", sentences)
    sentences["a"] = "two"
    assert found["a"] == "one"
