"""Exports on the page: chosen from, as table, bars, times and map, as files."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.choices import told_apart
from dashboard.explore import figures
from dashboard.explore.kept import KEPT
from dashboard.explore.labels import Labels
from dashboard.explore.points import draw_map
from dashboard.explore.table import choose, clock, draw_bars, draw_table
from dashboard.pages import Around
from dashboard.words import Words
from streams.serving.kinds import KINDS, Kind
from streams.serving.narrow import FORMATS, Narrow, as_file, choices_of, narrowed

MIMES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}
FIRST_BARS = {
    "ledger": ("area", "bucket"),
    "exposures": ("admin1", "tier"),
    "persons": ("admin1", "basis"),
    "movements": ("to_bucket", "by"),
    "commands": ("verb", "by"),
    "zones": ("band", "corrected"),
    "alerts": ("rule", "severity"),
}
"""What is counted first of an export: the column of the bars, and of their parts."""


def draw(around: Around, labels: Labels) -> None:
    """Draw the choice of an export, its rows and its figures."""
    words = around.words
    pick, when, again = st.columns([3, 5, 1], vertical_alignment="bottom")
    name = pick.selectbox(
        words["export"], list(KINDS), index=list(KINDS).index("ledger"), key="explore_kind",
        format_func=lambda one: words[f"table_{one}"],
    )  # fmt: skip
    if again.button(words["read_again"], key="explore_again"):
        KEPT.forget()
    kind = KINDS[name]
    read = KEPT.frame(around.store(), name, around.deliveries)
    when.caption(words("read_at", time=clock(read.read_wall_at)) + " " + words[f"about_{name}"])
    if read.rows is None:
        st.info(words["no_dispatcher"])
        return
    rows = narrowed(read.rows, kind, _wanted(read.rows, kind, words, labels))
    st.markdown(words("rows_of", count=f"{rows.num_rows:,}", total=f"{read.rows.num_rows:,}"))
    left, right = st.columns([6, 5], gap="medium")
    with left:
        draw_table(_shown(rows), words, labels, key=f"rows_{name}")
        _downloads(rows, kind, words)
    with right:
        _figure(rows, kind, words, labels)


def _wanted(rows: pa.Table, kind: Kind, words: Words, labels: Labels) -> Narrow:
    """Ask which rows are wanted."""
    text_column, *columns = st.columns(5)
    text = text_column.text_input(
        words["search"], key=f"text_{kind.name}", placeholder=words["search_hint"]
    )
    choices = {}
    offered = list(choices_of(rows, kind).items())
    with st.expander(words["filters"], expanded=False):
        places = st.columns(3)
        start, end = places[0], places[1]
        from_at = start.datetime_input(
            words("from_at", column=kind.at), value=None, key=f"from_{kind.name}"
        )
        to_at = end.datetime_input(
            words("to_at", column=kind.at), value=None, key=f"to_{kind.name}"
        )
        for number, (column, values) in enumerate(offered[4:]):
            choices[column] = _chosen(places[(number + 2) % 3], column, values, kind, labels)
    for place, (column, values) in zip(columns, offered[:4], strict=False):
        choices[column] = _chosen(place, column, values, kind, labels)
    return Narrow(choices, text, _utc(from_at), _utc(to_at))


def _chosen(
    place: DeltaGenerator, column: str, values: list[Any], kind: Kind, labels: Labels
) -> list[Any]:
    """Ask for values of one column."""
    names = told_apart({value: labels.value(column, value) for value in values})
    return place.multiselect(
        column,
        values,
        key=f"choice_{kind.name}_{column}",
        format_func=lambda one: names.get(one, str(one)),
    )


def _utc(at: datetime | None) -> datetime | None:
    """Return what was typed as UTC: the page knows no other time."""
    return None if at is None else at.replace(tzinfo=UTC)


def _shown(rows: pa.Table) -> pa.Table:
    return rows.drop_columns(["areas"]) if "areas" in rows.column_names else rows


def _downloads(rows: pa.Table, kind: Kind, words: Words) -> None:
    geo = bool(kind.place)
    forms = [form for form in FORMATS if geo or form != "geojson"]
    for place, form in zip(st.columns(len(forms) + 1), forms, strict=False):
        place.download_button(
            words["download_geoparquet" if geo and form == "parquet" else f"download_{form}"],
            data=partial(as_file, rows, kind, form),
            file_name=f"{kind.name}.{form}",
            mime=MIMES[form],
            key=f"download_{kind.name}_{form}",
            on_click="ignore",
        )  # fmt: skip


def _figure(rows: pa.Table, kind: Kind, words: Words, labels: Labels) -> None:
    """Draw one figure: the others cost nothing while nobody looks at them."""
    figures_ = ["bars", "times", *(["map"] if kind.place else [])]
    shown = st.segmented_control(
        words["figure"], figures_, default="bars", key=f"figure_{kind.name}", required=True,
        format_func=lambda one: words[f"figure_{one}"], label_visibility="collapsed",
    )  # fmt: skip
    group, part = FIRST_BARS.get(kind.name, (kind.choices[-1], None))
    first, second = st.columns(2)
    if shown == "bars":
        with first:
            chosen = choose(words["group_by"], kind.choices, words, f"group_{kind.name}", group)
        part = _part(second, kind, words, part)
        draw_bars(rows, words, labels, (chosen or group, part, None))
        return
    part = _part(first, kind, words, part)
    if shown == "map":
        draw_map(rows, kind, part, words, labels)
        return
    option = figures.over_time(rows, kind.at, part, labels.value, words["rows"])
    if option is None:
        st.info(words["no_rows"])
    else:
        st.echarts_chart(option, height=560, alt=words("times_alt", column=kind.at))


def _part(place: DeltaGenerator, kind: Kind, words: Words, default: str | None) -> str | None:
    with place:
        return choose(
            words["colour_by"], [None, *kind.choices], words, f"part_{kind.name}", default
        )
