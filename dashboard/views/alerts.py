"""Alerts: open, acknowledged and silenced ones, deliveries, silences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import streamlit as st

from dashboard import alert_acts, alert_rows
from dashboard.alert_rows import Sorted
from dashboard.choices import told_apart
from dashboard.figures import number
from dashboard.furniture import (
    STYLE,
    columns_of,
    plain,
    show_banners,
    status_line,
    watched,
    with_staff_words,
)
from dashboard.pages import Around, Page
from dashboard.words import Words
from streams.serving.alert_lists import AlertLine, SilenceLine, alerts, silences
from streams.serving.deliveries import (
    DeliveryNow,
    by_alert,
    reading_deliveries,
)
from streams.serving.wall import snapshot
from streams.serving.wall_answers import WallNow

PAGE = Page(name="alerts", icon="", roles=frozenset({"officer", "admin"}), order=30)

LISTS = ("open", "acknowledged", "silenced", "silences")
SHOWN = 1_000
"""Newest alerts in a table; how many there are in all always stands on its tab."""


class Everything(NamedTuple):
    """What the page shows, read at one time."""

    now: WallNow
    alerts: Sorted
    silences: tuple[SilenceLine, ...]
    titles: Mapping[str, str]
    sent: Mapping[str, Sequence[DeliveryNow]] | None


def render(around: Around) -> None:
    """Draw the page."""
    around = with_staff_words(around)
    say = around.words
    st.html(STYLE)
    _live(around)
    situations = snapshot(around.store()).situations
    titles = told_apart({one.situation_id: one.title for one in situations})
    chosen = st.selectbox(
        say["only_situation"],
        [None, *titles],
        format_func=lambda one: say["all_situations"] if one is None else titles[one],
        key="alerts_situation",
        label_visibility="collapsed",
    )
    found = _read(around, chosen)
    counts = {
        "open": len(found.alerts.open),
        "acknowledged": len(found.alerts.acknowledged),
        "silenced": len(found.alerts.silenced),
        "silences": len(found.silences),
    }
    shown = st.segmented_control(
        say["list"],
        LISTS,
        default="open",
        format_func=lambda name: say(f"{name}_tab", n=number(counts[name], say)),
        key="alerts_list",
        label_visibility="collapsed",
        width="stretch",
    )
    if shown == "silences":
        alert_acts.silences(around, found.silences, found.now, found.titles)
        return
    _list(around, found, shown or "open")


@st.fragment(run_every=5.0)
def _live(around: Around) -> None:
    """Show banners and freshness; draw the lists anew when there is another alert."""
    with watched(around):
        now = snapshot(around.store())
        show_banners(now, around.words)
        status_line(now, "", around.words)
        seen = (now.alerts.open, now.alerts.acknowledged, now.alerts.silenced)
        if st.session_state.setdefault("alerts_seen", seen) != seen:
            st.session_state["alerts_seen"] = seen
            st.rerun(scope="app")


def _read(around: Around, situation_id: str | None) -> Everything:
    engine = around.store()
    now = snapshot(engine)
    with reading_deliveries(around.deliveries) as deliveries:
        sent = None if deliveries is None else by_alert(deliveries)
    return Everything(
        now=now,
        alerts=alert_rows.sort(alerts(engine), situation_id),
        silences=tuple(one for one in silences(engine) if one.in_force),
        titles=told_apart({one.situation_id: one.title for one in now.situations}),
        sent=sent,
    )


def _list(around: Around, found: Everything, shown: str) -> None:
    say = around.words
    everything: tuple[AlertLine, ...] = getattr(found.alerts, shown)
    rows = everything[:SHOWN]
    chosen: tuple[AlertLine, ...] = ()
    if not rows:
        st.info(say[f"none_{shown}"])
    else:
        chosen = _table(rows, found, shown, say)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        alert_acts.panel(around, chosen, found.titles, found.now)
    with right:
        _deliveries(chosen, found.sent, say)


def _table(
    rows: tuple[AlertLine, ...], found: Everything, shown: str, say: Words
) -> tuple[AlertLine, ...]:
    """Show a list; return the alerts that are ticked."""
    as_of: datetime | None = found.now.as_of
    columns = alert_rows.table(
        rows, as_of, found.titles, found.sent, say, acknowledged=shown == "acknowledged"
    )
    ids = tuple(row.alert_id for row in rows)
    # Another list is another table: ticks of the old one would fall on other alerts.
    # It begins with the ticks of those that are in it still.
    name = f"alerts_table_{hash((shown, ids)) & 0xFFFFFFFF:08x}"
    kept = st.session_state.get("alerts_chosen", ())
    said = st.dataframe(
        columns,
        hide_index=True,
        width="stretch",
        height=min(430, 38 + 35 * len(rows)),
        key=name,
        column_config=columns_of(columns, say, instants=("raised", "acknowledged")),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [n for n, one in enumerate(ids) if one in kept]}},
    )
    st.caption(say["choose"])
    ticked = tuple(rows[n] for n in said.selection.rows if n < len(rows))
    st.session_state["alerts_chosen"] = tuple(row.alert_id for row in ticked)
    return ticked


def _deliveries(
    chosen: tuple[AlertLine, ...], sent: Mapping[str, Sequence[DeliveryNow]] | None, say: Words
) -> None:
    st.markdown(f"##### {say['deliveries']}")
    if sent is None:
        st.caption(say["deliveries_unknown"])
        return
    if not chosen:
        st.caption(say["choose"])
    for row in chosen:
        st.markdown(f"**{plain(row.title)}**")
        columns = alert_rows.deliveries(sent.get(row.alert_id, ()), say)
        if not columns["channel"]:
            st.caption(say["deliveries_none"])
            continue
        st.dataframe(
            columns,
            hide_index=True,
            width="stretch",
            key=f"alerts_sent_{row.alert_id}",
            column_config=columns_of(columns, say, instants=("at",), prefix="delivery"),
        )
