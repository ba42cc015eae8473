"""The wall: one component under which people stand; no rerun ever draws it.

This page only mounts it and hands it words, language and scale. What it shows
comes by the stream of ``/api/live/wall``, straight into the browser.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, cast

import streamlit as st

from dashboard.pages import Around, Page
from dashboard.words import LANGUAGES, words

PAGE = Page(name="wall", icon="", roles=frozenset({"officer", "wall"}), order=10)

LIVE = Path(__file__).resolve().parents[1] / "live"
ECHOED = ("unaccounted", "needs_help", "safe", "exercise", "test")
"""Keys the wall also shows in the languages that it does not speak."""

SMALLEST, LARGEST = 0.5, 1.6
CHROME = """<style>
/* The wall says itself that no data comes, and since when: Streamlit's dialogue would cover it. */
[data-testid="stDialog"], [data-testid="stConnectionStatus"] { display: none !important; }
[data-baseweb="modal"], [data-testid="stStatusWidget"] { display: none !important; }
body { overflow: hidden; }
</style>"""


class Mount(Protocol):
    """What draws the component."""

    def __call__(self, *, key: str, data: dict[str, Any]) -> object:
        """Draw it once a page; ``data`` goes to its script."""


@lru_cache
def component() -> Mount:
    """Return the component, declared once a process."""
    html, css, js = (
        (LIVE / f"wall.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return cast("Mount", st.components.v2.component("rollcall_wall", html=html, css=css, js=js))


def scale_of(asked: str | None) -> float:
    """Return the scale somebody asked for in the address, within what fits."""
    try:
        return min(max(float(asked or 1), SMALLEST), LARGEST)
    except ValueError:
        return 1.0


def echoes(language: str) -> dict[str, list[str]]:
    """Return the words of a few keys in the other languages."""
    others = [words(other, "wall") for other in LANGUAGES if other != language]
    return {key: list(dict.fromkeys(other[key] for other in others)) for key in ECHOED}


def render(around: Around) -> None:
    """Mount the wall over everything else of the page."""
    st.html(CHROME)
    data = {
        "words": dict(around.words),
        "language": around.language,
        "scale": scale_of(st.query_params.get("scale")),
        "echo": echoes(around.language),
    }
    component()(key="wall", data=data)
