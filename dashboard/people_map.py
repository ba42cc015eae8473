"""The officer's map as a page mounts it, and what it says back."""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.figures import KINDS
from dashboard.tables import marks
from dashboard.words import Words
from streams.serving.people_answers import Member

LIVE = Path(__file__).with_name("live")
NAME = "rollcall_people_map"
WORDS = (
    "map_label map_tools map_fit map_box map_draw map_undo map_done map_clear "
    "map_failed bands_failed hint_box hint_draw"
).split()


@lru_cache(maxsize=1)
def _mount() -> Callable[..., Any]:
    """Return the component; registered once, at the first page that shows it."""
    return st.components.v2.component(NAME, html=_read("html"), css=_read("css"), js=_read("js"))


def _read(kind: str) -> str:
    return (LIVE / f"people_map.{kind}").read_text(encoding="utf-8")


def people_map(
    rows: Sequence[Member],
    say: Words,
    *,
    key: str,
    situation_id: str,
    zones_key: str,
    chosen: Collection[str],
    person: dict[str, float] | None,
    outline: Sequence[tuple[float, float]],
    drawing: bool,
    height_px: int,
    on_picked: Callable[[], None],
    on_person: Callable[[], None],
    on_area: Callable[[], None],
) -> None:
    """Draw the people of a situation, its bands and an outline being drawn.

    The bands come straight from the zones' address, once per change. The map
    answers by three triggers: ``picked`` (ids in a box or under a mark),
    ``person`` (one mark was clicked) and ``area`` (an outline was closed).
    """
    words = {name: say[name] for name in WORDS}
    words |= {kind: say[f"bucket_{kind}"] for kind in KINDS}
    _mount()(
        key=key,
        data={
            "language": say.language,
            "words": words,
            "people": marks(rows, chosen),
            "person": person,
            "draft": [list(point) for point in outline],
            "drawing": drawing,
            "bands_url": f"/api/live/wall/zones/{situation_id}?v={zones_key}",
            "view_key": situation_id,
            "height_px": height_px,
        },
        height="content",
        on_picked_change=on_picked,
        on_person_change=on_person,
        on_area_change=on_area,
    )
