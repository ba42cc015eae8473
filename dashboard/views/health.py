"""Health: feeds, shards, lag, faults and refused records of Rollcall itself."""

import streamlit as st
from sqlalchemy import Engine

from dashboard import health_tables as tables
from dashboard.figures import number
from dashboard.furniture import (
    STYLE,
    clock,
    columns_of,
    show_banners,
    watched,
    with_staff_words,
)
from dashboard.pages import Around, Page
from dashboard.words import Words
from streams.serving.answers import DeadLetter
from streams.serving.deliveries import (
    counts,
    oldest_pending,
    reading_deliveries,
    uncertain_count,
)
from streams.serving.place import Place
from streams.serving.queries import dead_letters, status
from streams.serving.wall import snapshot
from streams.serving.wall_answers import WallNow

PAGE = Page(name="health", icon="", roles=frozenset({"officer", "admin"}), order=40)

SHOWN_LETTERS = 500
"""Newest refused records in the table; the total always stands beside it."""


def render(around: Around) -> None:
    """Draw the page."""
    around = with_staff_words(around)
    st.html(STYLE)
    st.subheader(around.words["title"])
    _live(around)
    _letters(around)


@st.fragment(run_every=5.0)
def _live(around: Around) -> None:
    """Show what changes by itself, every five seconds."""
    with watched(around):
        say, engine = around.words, around.store()
        now = snapshot(engine)
        show_banners(now, say)
        _runtime(now, say)
        for (label, (value, why)), column in zip(
            tables.figures(now, say).items(), st.columns(6), strict=True
        ):
            column.metric(label, value, help=why or None)
        _feeds(now, say)
        left, right = st.columns(2)
        with left:
            _inputs(now, say)
            _deliveries(around.deliveries, say)
        with right:
            _faults(engine, say)


def _runtime(now: WallNow, say: Words) -> None:
    told = now.clock
    mode = (
        say("mode_replay", title=told.title or "?") if told.mode == "replay" else say["mode_live"]
    )
    speed = say["speed_real"] if told.speed is None else say("speed_times", n=f"{told.speed:g}")
    beat = say["beat_never"] if told.beat_wall_at is None else clock(told.beat_wall_at, say)
    parts = {
        say["mode"]: mode,
        say["phase"]: say[f"phase_{told.phase}"],
        say["speed"]: speed,
        say["beat"]: beat,
        say["as_of_label"]: clock(now.as_of, say),
    }
    st.text(" · ".join(f"{label}: {value}" for label, value in parts.items()))


def _feeds(now: WallNow, say: Words) -> None:
    st.markdown(f"##### {say['feeds']}")
    if not now.feeds:
        st.info(say["feeds_unknown" if now.feeds is None else "feeds_none"])
        return
    found = tables.feeds(now.feeds, now.as_of, say)
    st.dataframe(
        found,
        hide_index=True,
        width="stretch",
        column_config=columns_of(found, say, instants=("last_success",)),
        key="health_feeds",
    )


def _inputs(now: WallNow, say: Words) -> None:
    st.markdown(f"##### {say['inputs']}")
    found = tables.inputs(now.inputs, now.as_of, say)
    if not found:
        st.caption(say["inputs_unknown"])
    for label, value in found.items():
        st.text(f"{label}: {value}")


def _deliveries(place: Place, say: Words) -> None:
    st.markdown(f"##### {say['deliveries']}")
    with reading_deliveries(place) as engine:
        if engine is None:
            st.caption(say["deliveries_unknown"])
            return
        found = tables.deliveries(counts(engine), say)
        oldest_at, uncertain = oldest_pending(engine), uncertain_count(engine)
    if not found["count"]:
        st.caption(say["deliveries_none"])
        return
    st.dataframe(
        found,
        hide_index=True,
        width="stretch",
        column_config=columns_of(found, say),
        key="health_deliveries",
    )
    waiting = say["deliveries_waiting_none"]
    if oldest_at is not None:
        waiting = say("deliveries_waiting", time=clock(oldest_at, say))
    st.text(waiting)
    st.text(say("deliveries_uncertain", n=number(uncertain, say)))


def _faults(engine: Engine, say: Words) -> None:
    st.markdown(f"##### {say['faults']}")
    found = tables.faults(status(engine).faults)
    if not found["fault"]:
        st.caption(say["faults_none"])
        return
    st.dataframe(
        found,
        hide_index=True,
        width="stretch",
        column_config=columns_of(found, say, instants=("since",)),
        key="health_faults",
    )


def _letters(around: Around) -> None:
    """Show refused records; their content only when it is asked for."""
    say = around.words
    st.markdown(f"##### {say['letters']}")
    found = dead_letters(around.store())
    if not found:
        st.caption(say["letters_none"])
        return
    open_ = sum(one.retried_at is None for one in found)
    st.text(say("letters_open", n=number(open_, say)))
    newest = found[::-1][:SHOWN_LETTERS]
    if len(newest) < len(found):
        st.caption(say("letters_more", n=len(newest), total=number(len(found), say)))
    columns = tables.letters(newest, say)
    st.dataframe(
        columns,
        hide_index=True,
        width="stretch",
        height=min(320, 38 + 35 * len(newest)),
        column_config=columns_of(columns, say, instants=("at", "retried")),
        key="health_letters",
    )
    st.caption(say["retry_how"])
    _content(newest, say)


def _content(newest: list[DeadLetter], say: Words) -> None:
    by_id = {one.event_id: one for one in newest}
    with st.expander(say["letter_show"]):
        st.warning(say["letter_warning"])
        chosen = st.selectbox(
            say["letter_pick"], list(by_id), index=None, placeholder=say["letter_nothing"]
        )
        if chosen is not None:
            st.code(by_id[chosen].body, language="json")
            if by_id[chosen].traceback:
                st.code(by_id[chosen].traceback)
