"""What stands around every page, run by Streamlit's own test harness."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard.views
from dashboard.app import SCRIPT
from dashboard.pages import Page, pages_for
from dashboard.process import install
from dashboard.shell import fail
from dashboard.views import PAGES
from dashboard.words import COMMON, LANGUAGES, Words, words
from streams.serving.store import STORE_FILE, open_store
from tests.dashboard.pages import fails, made, says_what_it_got
from tests.support import screens

EN = words("en", COMMON)


@pytest.fixture(autouse=True)
def no_catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give pages of a test the common words; they have no catalogue of their own."""
    names = {path.stem for path in Path(dashboard.words.TEXT / "en").glob("*.toml")}

    def found(language: str, page: str) -> Words:
        return words(language, page if page in names else COMMON)

    monkeypatch.setattr("dashboard.shell.words", found)


def opened(data: Path, *pages: Any, query: dict[str, str] | None = None) -> AppTest:
    install(screens.process(data, pages))
    app = AppTest.from_file(str(SCRIPT), default_timeout=30)
    for key, value in (query or {}).items():
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.text]


def test_a_page_gets_its_words_role_name_and_store(data: Path) -> None:
    app = opened(data, made("officer", 1, says_what_it_got))
    assert texts(app) == ["en officer [] http://127.0.0.1:9"]
    assert [element.value for element in app.error] == []
    app.text_input(key="user").set_value(" An Peeters ").run()
    assert texts(app) == ["en officer [An Peeters] http://127.0.0.1:9"]


def test_the_language_is_asked_for_in_the_address_and_stays(data: Path) -> None:
    app = opened(data, made("officer", 1, says_what_it_got), query={"lang": "nl"})
    assert texts(app) == ["nl officer [] http://127.0.0.1:9"]
    assert app.caption[0].value == words("nl", COMMON)["until_login"]
    del app.query_params["lang"]
    assert texts(app.run()) == ["nl officer [] http://127.0.0.1:9"]
    app.selectbox(key="language_choice").set_value("fr").run()
    assert texts(app) == ["fr officer [] http://127.0.0.1:9"]


def test_the_lowest_order_opens_first_and_the_wall_has_no_form(data: Path) -> None:
    app = opened(data, made("officer", 5, says_what_it_got), made("wall", 1, says_what_it_got))
    assert len(app.text_input) == 0
    assert texts(app) == ["en officer [] http://127.0.0.1:9"]


def test_the_name_is_still_known_after_a_page_that_does_not_ask(data: Path) -> None:
    app = opened(data, made("wall", 1, says_what_it_got), made("officer", 2, says_what_it_got))
    app.session_state["user"] = "An"
    app.run().run()
    assert app.session_state["user"] == "An"


def test_a_missing_store_is_a_sentence_and_no_empty_page(tmp_path: Path) -> None:
    app = opened(tmp_path, made("officer", 1, says_what_it_got))
    assert len(app.error) == 1
    assert app.error[0].value.startswith("The serving store cannot be read: there is no serving")
    assert app.caption[-1].value == EN["try_again"]
    assert not app.exception


def test_a_role_without_pages_is_told(data: Path) -> None:
    app = opened(data, made("officer", 1, fails, frozenset({"analyst"})))
    assert [element.value for element in app.info] == [EN["no_page"]]


def test_pages_are_those_of_the_role_in_their_order() -> None:
    one, two = made("one", 2, fails), made("two", 1, fails)
    other = made("three", 0, fails, frozenset({"admin"}))
    assert pages_for("officer", [one, two, other]) == (two, one)
    assert pages_for("admin", [one, two, other]) == (other,)
    assert pages_for("nobody", [one, two, other]) == ()


def test_every_page_module_is_in_the_registry() -> None:
    there = {
        f"dashboard.views.{found.name}" for found in pkgutil.iter_modules(dashboard.views.__path__)
    }
    modules = {name for name in there if hasattr(importlib.import_module(name), "PAGE")}
    assert modules == {module.__name__ for module in PAGES}  # type: ignore[attr-defined] # modules have one, the protocol of pages need not


def test_every_page_is_named_like_its_module_and_has_no_icon_from_outside() -> None:
    for module in PAGES:
        assert isinstance(module.PAGE, Page)
        assert module.__name__ == f"dashboard.views.{module.PAGE.name}"  # type: ignore[attr-defined] # as above
        assert not module.PAGE.icon.startswith(":material")
    assert len({module.PAGE.order for module in PAGES}) == len(PAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("module", PAGES, ids=lambda module: module.PAGE.name)
def test_every_page_draws_itself_over_a_store(data: Path, module: Any, language: str) -> None:
    app = opened(data, module, query={"lang": language})
    assert not app.exception
    assert words(language, COMMON)["page_failed"] not in [e.value for e in app.error]


@pytest.mark.parametrize("module", PAGES, ids=lambda module: module.PAGE.name)
def test_every_page_draws_itself_over_an_empty_store(tmp_path: Path, module: Any) -> None:
    open_store(tmp_path / STORE_FILE).dispose()
    app = opened(tmp_path, module)
    assert not app.exception
    assert EN["page_failed"] not in [element.value for element in app.error]


@pytest.mark.parametrize("module", PAGES, ids=lambda module: module.PAGE.name)
def test_every_page_says_so_where_there_is_no_store(tmp_path: Path, module: Any) -> None:
    app = opened(tmp_path, module)
    assert not app.exception
    assert EN["page_failed"] not in [element.value for element in app.error]


def test_a_bug_in_a_page_is_an_exception_and_no_empty_page(data: Path) -> None:
    app = opened(data, made("officer", 1, fails))
    assert len(app.exception) == 1


def test_what_failed_is_logged_and_said_in_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("dashboard.shell.st.error", said.append)
    monkeypatch.setattr("dashboard.shell._language", lambda: "fr")
    assert fail(ZeroDivisionError("a bug")) is True
    assert said == [words("fr", COMMON)["page_failed"]]
    assert "a page failed" in caplog.text
