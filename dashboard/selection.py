"""What an officer has chosen on the page: filters, people, an outline.

One place for the names in Streamlit's session state; the callbacks of map,
table and numbers write here, the page only reads.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import streamlit as st

from dashboard.acts import OutlineError, checked

MAP = "officer_map"
PANES = ("list", "person", "act")
FILTERS = ("buckets", "tiers", "areas", "post", "bases", "precisions", "search")
LISTS = frozenset({"buckets", "tiers", "areas", "bases", "precisions"})
"""Filters of which several values can be chosen."""


class Filters(NamedTuple):
    """What narrows the list; an empty choice is everybody."""

    buckets: tuple[str, ...]
    tiers: tuple[str, ...]
    areas: tuple[str, ...]
    post: str | None
    bases: tuple[str, ...]
    precisions: tuple[str, ...]
    search: str


def key(name: str) -> str:
    """Return the key in the session state of something on the officer's page."""
    return f"officer_{name}"


def filters() -> Filters:
    """Return the filters as they are set now."""
    get = st.session_state.get
    many = {name: tuple(get(key(name)) or ()) for name in LISTS}
    return Filters(post=get(key("post")), search=(get(key("search")) or "").strip(), **many)


def clear_filters(buckets: Sequence[str] = ()) -> None:
    """Drop every filter and the map's selection, but for these buckets."""
    for name in FILTERS:
        st.session_state[key(name)] = [] if name in LISTS else None
    st.session_state[key("search")] = ""
    st.session_state[key("buckets")] = list(buckets)
    st.session_state[key("page")] = 1
    drop_picked()


def open_list(buckets: Sequence[str]) -> None:
    """Show the list behind a number: its buckets and nothing else that narrows."""
    clear_filters(buckets)
    st.session_state[key("pane_next")] = "list"


def first_page() -> None:
    """Go back to the first page: another filter has other pages."""
    st.session_state[key("page")] = 1


def picked() -> tuple[str, ...]:
    """Return the people selected on the map."""
    return tuple(st.session_state.get(key("picked"), ()))


def drop_picked() -> None:
    """Forget the selection on the map."""
    st.session_state[key("picked")] = ()


def chosen() -> tuple[str, ...]:
    """Return the people whose rows are ticked."""
    return tuple(st.session_state.get(key("chosen"), ()))


def choose(person_ids: Sequence[str]) -> None:
    """Keep the people whose rows are ticked."""
    st.session_state[key("chosen")] = tuple(person_ids)


def only(person_ids: Collection[str]) -> None:
    """Forget who is ticked but not among these: nobody acts on what no list shows."""
    choose([one for one in chosen() if one in person_ids])


def person() -> str | None:
    """Return the person whose panel is open."""
    opened: str | None = st.session_state.get(key("person"))
    return opened


def open_person(person_id: str | None) -> None:
    """Open somebody's panel, or close it."""
    st.session_state[key("person")] = person_id
    st.session_state[key("pane_next")] = "list" if person_id is None else "person"


def outline() -> tuple[tuple[float, float], ...]:
    """Return the area that was drawn or typed, empty where there is none."""
    return tuple(st.session_state.get(key("outline"), ()))


def set_outline(points: Sequence[tuple[float, float]]) -> None:
    """Keep a drawn or typed area."""
    st.session_state[key("outline")] = tuple(points)


def on_picked() -> None:
    """Take the ids that the map has selected."""
    said = st.session_state[MAP].get("picked")
    if said:
        st.session_state[key("picked")] = tuple(said["ids"])
        st.session_state[key("pane_next")] = "list"
        first_page()


def on_person() -> None:
    """Open the person whose mark was clicked."""
    said = st.session_state[MAP].get("person")
    if said:
        open_person(said["id"])


def on_area() -> None:
    """Take the area that was drawn, or say why it is none."""
    said = st.session_state[MAP].get("area")
    if said is None:
        return
    points = [(float(lon), float(lat)) for lon, lat in said["points"]]
    st.session_state[key("outline_error")] = None
    try:
        set_outline(checked(points) if points else ())
    except OutlineError as error:
        set_outline(())
        st.session_state[key("outline_error")] = (error.key, error.at)
    if points:
        st.session_state[key("pane_next")] = "act"
        if st.session_state.get(key("verb")) not in {"declare", "polygon"}:
            st.session_state[key("verb")] = "declare"
