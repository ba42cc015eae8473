"""Following a person or a cause: every record, each under what it follows from."""

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import streamlit as st
from sqlalchemy import Engine

from dashboard.explore.labels import Labels
from dashboard.explore.table import clock
from dashboard.explore.tree import tree
from dashboard.pages import Around
from dashboard.words import Words
from streams.serving.seek import Found, candidates, raw
from streams.serving.trail import TrailRecord, trail_of_cause, trail_of_person

STEP = "\N{NO-BREAK SPACE}" * 4
BRANCH = "└ "


def draw(around: Around, labels: Labels) -> None:
    """Draw the search, and what was found of the one that was picked."""
    words = around.words
    search, pick = st.columns([2, 3])
    text = search.text_input(
        words["follow_search"], key="follow_search", placeholder=words["follow_hint"]
    )
    found = candidates(around.store(), text)
    if not found:
        st.info(words("follow_nothing", text=text))
        return
    one = pick.selectbox(
        words["follow_pick"], found, key="follow_pick", format_func=lambda one: named(one, words)
    )
    follow = trail_of_person if one.kind == "person" else trail_of_cause
    trail = follow(around.store(), one.key)
    if not trail.records:
        st.info(words["follow_none"])
        return
    if not trail.whole:
        st.warning(words("follow_more", count=f"{len(trail.records):,}"))
    st.caption(words("follow_about", count=f"{len(trail.records):,}"))
    branches = tree(trail.records)
    picked = st.dataframe(
        as_table(branches, words, labels),
        key=f"follow_{one.kind}_{one.key}",
        height=560,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            words["follow_at"]: st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            ),
            words["follow_what"]: st.column_config.Column(width="large"),
        },
    )
    rows = picked["selection"]["rows"]
    if rows and rows[0] < len(branches):
        _draw_raw(around.store(), branches[rows[0]][1], words)
    else:
        st.caption(words["follow_select"])


def named(one: Found, words: Words) -> str:
    """Return what can be followed as the list names it."""
    kind = words[f"follow_kind_{one.kind}"]
    return f"{kind} · {one.title} ({one.key})" if one.title else f"{kind} · {one.key}"


def as_table(branches: list[tuple[int, TrailRecord]], words: Words, labels: Labels) -> pa.Table:
    """Return the tree as a table, what happened indented by its depth."""
    records = [record for _, record in branches]
    return pa.table(
        {
            words["follow_what"]: [
                STEP * (depth - 1) + (BRANCH if depth else "") + told(record, words)
                for depth, record in branches
            ],
            words["follow_at"]: pa.array(
                [record.at for record in records], pa.timestamp("us", "UTC")
            ),
            words["follow_who"]: [labels.value("by", record.who) for record in records],
            words["follow_why"]: [record.why for record in records],
            words["follow_status"]: [labels.value("status", record.status) for record in records],
            words["follow_record"]: [record.event_id for record in records],
        }
    )


_OUTCOMES = {
    "exposure": "tier",
    "movement": "bucket",
    "ContactRecorded": "contact",
    "CommandIssued": "verb",
    "CheckedIn": "bucket",
}
"""How the keys of outcomes begin in the catalogue, by the kind of record."""


def told(record: TrailRecord, words: Words) -> str:
    """Return what a record says in words: its kind, and its outcome."""
    kind = words.get(f"follow_kind_{record.kind}", record.kind)
    if record.kind in {"exposure", "movement"}:
        kind = f"{kind} {record.about_id}"
    prefix = _OUTCOMES.get(record.kind)
    outcome = words.get(f"{prefix}_{record.what}") or words.get(f"follow_was_{record.what}")
    outcome = outcome or record.what
    return f"{kind}: {outcome}" if outcome else kind


def _draw_raw(engine: Engine, record: TrailRecord, words: Words) -> None:
    """Draw one record as JSON: as it came, or as the store has it now."""
    st.caption(words("follow_raw", event_id=record.event_id, time=clock(record.at)))
    found = raw(engine, record.kind, record.event_id, record.about_id)
    st.json(found if found is not None else {**record._asdict(), "at": record.at.isoformat()})
