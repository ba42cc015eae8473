"""Pages of our own making, to test what stands around every page."""

from types import SimpleNamespace
from typing import Any

import streamlit as st

from dashboard.pages import Around, Page

OFFICER = frozenset({"officer"})


def made(name: str, order: int, render: Any, roles: frozenset[str] = OFFICER) -> Any:
    """Return what a page module is."""
    return SimpleNamespace(PAGE=Page(name, "", roles, order), render=render)


def says_what_it_got(around: Around) -> None:
    """Show what a page is given, where a test can read it."""
    with around.store().connect():
        st.title(around.words["app"])
    st.text(f"{around.language} {around.role} [{around.user}] {around.api}")


def fails(_: Around) -> None:
    """Fail as a bug would."""
    msg = "a bug in a page"
    raise ZeroDivisionError(msg)
