"""What stands around every page: language, name, navigation, failures in words."""

import logging
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.assets import assets_present
from dashboard.pages import Around, PageModule, pages_for
from dashboard.process import Process, current
from dashboard.words import LANGUAGES, Words, language_of, words
from streams.errors import StoreFailedError

ROLE = "officer"
"""Until login exists; see ``until_login`` in the catalogues."""

NAME_PX = 200
"""As wide as leaves room for the language on a phone, and for a sentence elsewhere."""

FAVICON = Path(__file__).with_name("static") / "rollcall.png"
LOG = logging.getLogger(__name__)


def draw() -> None:
    """Draw the page that the address bar names, and the navigation."""
    # Streamlit forgets a field that the last page did not show; the wall shows none.
    st.session_state["user"] = st.session_state.get("user", "")
    process, language = current(), _language()
    common = words(language, "common")
    modules = pages_for(ROLE, process.pages)
    if not modules:
        st.info(common["no_page"])
        return
    entries = [
        st.Page(
            partial(_show, module, process, language),
            title=common[f"page_{module.PAGE.name}"],
            icon=module.PAGE.icon or None,
            url_path=module.PAGE.name,
            default=index == 0,
        )
        for index, module in enumerate(modules)
    ]
    page = st.navigation(entries, position="top")
    st.set_page_config(
        page_title=f"{page.title} · {common['app']}", page_icon=str(FAVICON), layout="wide"
    )
    page.run()


def fail(error: Exception) -> bool:
    """Say in words that a page failed, and log why; nothing else is shown."""
    LOG.error("a page failed", exc_info=error)
    st.error(words(_language(), "common")["page_failed"])
    return True


def _language() -> str:
    """Return the visitor's language; once asked for it stays with the tab."""
    asked = st.query_params.get("lang")
    if asked is not None and language_of(asked, None) == asked:
        st.session_state["language"] = asked
    chosen = st.session_state.get("language")
    return language_of(chosen, st.context.headers.get("Accept-Language"))


def _show(module: PageModule, process: Process, language: str) -> None:
    """Render one page; what fails is said in words and logged."""
    page = module.PAGE
    said = words(language, page.name)
    if ROLE not in page.roles:
        st.error(said["not_allowed"])
        return
    user = "" if page.name == "wall" else _who(said)
    if not assets_present():
        st.warning(said["assets_missing"])
    around = Around(
        words=said,
        language=language,
        role=ROLE,
        user=user,
        store=process.store.engine,
        deliveries=process.deliveries,
        api=process.api,
    )
    try:
        module.render(around)
    except StoreFailedError as error:
        st.error(said("store_failed", why=f"{error}. {error.hint}"))
        st.caption(said["try_again"])


def _who(said: Words) -> str:
    """Ask for the name and the language, in one row even on a phone; return the name."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        user = st.text_input(
            said["your_name"],
            key="user",
            placeholder=said["your_name"],
            label_visibility="collapsed",
            max_chars=80,
            width=NAME_PX,
        )
        st.session_state["language_choice"] = said.language
        st.selectbox(
            said["language"],
            LANGUAGES,
            format_func=lambda code: said[f"language_{code}"],
            key="language_choice",
            label_visibility="collapsed",
            on_change=_choose,
            width=150,
        )
        st.caption(said["until_login"])
    return user.strip()


def _choose() -> None:
    """Keep the language that was chosen in the page."""
    st.session_state["language"] = st.session_state["language_choice"]
