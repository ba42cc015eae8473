"""The officer's page: who of ours is there, the list behind every number, acts."""

from typing import Any

import streamlit as st

from dashboard import officer_acts, people_list, person_panel, selection
from dashboard.figures import completeness, kpis
from dashboard.furniture import (
    STYLE,
    pick_situation,
    plain,
    show_banners,
    show_kpis,
    status_line,
    watched,
    with_staff_words,
)
from dashboard.pages import Around, Page
from dashboard.people_map import people_map
from dashboard.selection import MAP, key
from streams.serving.wall import snapshot
from streams.serving.wall_answers import WallNow, WallSituation

PAGE = Page(name="officer", icon="", roles=frozenset({"officer", "admin"}), order=20)

MAP_PX = 520


def render(around: Around) -> None:
    """Draw the page."""
    around = with_staff_words(around)
    say = around.words
    st.html(STYLE)
    now = snapshot(around.store())
    situation = pick_situation(now, say, key=key("situation"))
    _forget_another(situation)
    _live(around, None if situation is None else situation.situation_id)
    if situation is None:
        st.info(say["no_situation"])
        officer_acts.panel(around, now, None)
        return
    people_list.filter_row(situation, say)
    found = people_list.load(around.store(), situation)
    left, right = st.columns([1.08, 1], gap="small")
    with right:
        opened = _pane(around, now, situation, found)
    with left:
        _map(around, situation, found, opened)


def _forget_another(situation: WallSituation | None) -> None:
    """Drop what was chosen in another situation: its people are not these."""
    now_id = None if situation is None else situation.situation_id
    if st.session_state.get(key("of")) != now_id:
        st.session_state[key("of")] = now_id
        selection.clear_filters()
        selection.choose(())
        st.session_state[key("person")] = None


@st.fragment(run_every=5.0)
def _live(around: Around, situation_id: str | None) -> None:
    """Show banners, numbers and feeds; read anew every five seconds."""
    with watched(around):
        say = around.words
        now = snapshot(around.store())
        show_banners(now, say)
        one = next((s for s in now.situations if s.situation_id == situation_id), None)
        if one is not None:
            show_kpis(kpis(one, say), _open_list)
        status_line(now, "" if one is None else completeness(one, say), say)


def _open_list(buckets: tuple[str, ...]) -> None:
    selection.open_list(buckets)
    st.rerun(scope="app")


def _pane(
    around: Around, now: WallNow, situation: WallSituation, found: people_list.Found
) -> dict[str, Any] | None:
    """Show list, person or act; return where the open person is, for the map."""
    say = around.words
    selection.only({row.person_id for row in found.rows})
    wanted = st.session_state.pop(key("pane_next"), None)
    if wanted is not None or st.session_state.get(key("pane")) is None:
        st.session_state[key("pane")] = wanted or "list"
    pane = st.segmented_control(
        say["pane"],
        selection.PANES,
        format_func=lambda name: say[f"pane_{name}"],
        key=key("pane"),
        label_visibility="collapsed",
        width="stretch",
    )
    if pane == "person":
        return person_panel.panel(around, situation)
    if pane == "act":
        officer_acts.panel(around, now, situation)
    else:
        people_list.panel(around, situation, found, as_of=now.as_of)
    return None


def _outlined(opened: dict[str, Any] | None) -> tuple[str, ...]:
    """Return whom the map outlines: the open person, the ticked, or the picked."""
    person_id = selection.person()
    if opened is not None and person_id is not None:
        return (person_id,)
    return selection.chosen() or selection.picked()


def _map(
    around: Around,
    situation: WallSituation,
    found: people_list.Found,
    opened: dict[str, Any] | None,
) -> None:
    say = around.words
    people_map(
        found.rows,
        say,
        key=MAP,
        situation_id=situation.situation_id,
        zones_key=situation.zones_key,
        chosen=_outlined(opened),
        person=opened,
        outline=selection.outline(),
        drawing=bool(st.session_state.get(key("drawing"))),
        height_px=MAP_PX,
        on_picked=selection.on_picked,
        on_person=selection.on_person,
        on_area=selection.on_area,
    )
    notes = [say["map_how"]]
    if found.unplaced:
        notes.insert(0, say("list_unplaced", n=found.unplaced))
    if len(found.rows) < found.total:
        notes.insert(0, say("map_part", n=len(found.rows)))
    st.caption(plain(" ".join(notes)))
