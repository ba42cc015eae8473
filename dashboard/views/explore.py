"""The analyst's page: exports as table, map and chart, SQL, and causes followed.

Analysts see rows, with person ids and positions and no direct identifiers;
small cells are not withheld here, and the page says that rows are personal.
"""

import streamlit as st

from dashboard.explore import follow, query, rows
from dashboard.explore.kept import KEPT
from dashboard.explore.labels import Labels
from dashboard.pages import Around, Page

PAGE = Page(name="explore", icon="", roles=frozenset({"officer", "analyst", "admin"}), order=50)
SECTIONS = {"rows": rows.draw, "sql": query.draw, "follow": follow.draw}


def render(around: Around) -> None:
    """Draw the section that was chosen; the others do no work."""
    words = around.words
    st.header(words["title"])
    st.caption("🔒 " + words["personal_data"])
    titles = _titles(around)
    section = st.segmented_control(
        words["section"], list(SECTIONS), default="rows", key="explore_section", required=True,
        format_func=lambda one: words[f"section_{one}"], label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS[section or "rows"](around, Labels(words, titles))


def _titles(around: Around) -> dict[str, str]:
    """Return the titles of situations by their id."""
    rows = KEPT.frame(around.store(), "situations", around.deliveries).rows
    if rows is None:
        return {}
    return dict(zip(rows["situation_id"].to_pylist(), rows["title"].to_pylist(), strict=True))
