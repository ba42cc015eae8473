"""Tables, charts and files of rows, drawn the same for exports and for queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import streamlit as st

from dashboard.explore import figures
from dashboard.explore.labels import Labels
from dashboard.words import Words

TABLE_PX = 560
MOST_SHOWN = 100_000
"""More rows than this are not sent to a browser; files hold all of them."""


def draw_table(rows: pa.Table, words: Words, labels: Labels, key: str) -> None:
    """Draw rows as a table that only draws what is in view."""
    if rows.num_rows > MOST_SHOWN:
        st.caption(words("shown_first", most=f"{MOST_SHOWN:,}"))
    st.dataframe(
        rows.slice(0, MOST_SHOWN),
        key=key,
        height=TABLE_PX,
        hide_index=True,
        column_config={
            name: _configured(name, rows.schema.field(name).type, labels)
            for name in rows.column_names
        },
    )


def _configured(name: str, kind: pa.DataType, labels: Labels) -> Any:
    meaning = labels.column(name)
    help_ = None if meaning == name else meaning
    if pa.types.is_timestamp(kind):
        return st.column_config.DatetimeColumn(
            name, help=help_, format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
        )
    if name.endswith("_deg"):
        return st.column_config.NumberColumn(name, help=help_, format="%.5f")
    if pa.types.is_integer(kind):
        return st.column_config.NumberColumn(name, help=help_, format="%d")
    if pa.types.is_floating(kind):
        return st.column_config.NumberColumn(name, help=help_, format="plain")
    return st.column_config.Column(name, help=help_)


def draw_bars(
    rows: pa.Table,
    words: Words,
    labels: Labels,
    columns: tuple[str, str | None, str | None],
) -> None:
    """Draw counts of rows, or sums, by one or two columns."""
    group, part, value = columns
    if rows.num_rows == 0:
        st.info(words["no_rows"])
        return
    found = figures.counted(rows, group, part, value)
    option = figures.bars(found, group, part, labels.value, value or words["rows"])
    st.echarts_chart(option, height=max(220, min(640, 64 + 26 * len(found.groups))),
                     alt=words("bars_alt", group=group, count=len(found.groups)))  # fmt: skip
    if found.left:
        st.caption(words("groups_left", left=found.left, most=figures.MOST_BARS))


def choose(
    label: str,
    options: Sequence[str | None],
    words: Words,
    key: str,
    default: str | None = None,
) -> str | None:
    """Ask for a column; None stands for none where it is among the options."""
    index = options.index(default) if default in options else 0
    chosen: str | None = st.selectbox(
        label,
        options,
        index=index,
        key=key,
        format_func=lambda one: words["no_column"] if one is None else one,
    )
    return chosen


def clock(at: datetime) -> str:
    """Return an instant as the screens show it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
