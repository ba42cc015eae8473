"""The list of the officer's page: filters, table, pages, files."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple

import streamlit as st
from sqlalchemy import Engine

from dashboard import selection, tables
from dashboard.choices import told_apart
from dashboard.figures import glyph, number
from dashboard.furniture import clock, columns_of, plain
from dashboard.pages import Around
from dashboard.selection import Filters, key
from dashboard.words import Words
from schemas.codelists import Basis, Bucket, Precision, Tier
from streams.serving.people import members
from streams.serving.people_answers import Member, Members
from streams.serving.wall_answers import WallSituation

PAGE_SIZE = 10_000
"""Rows of one page of the table, and marks of the map at most."""

EVERYBODY = 2**31
"""More people than there are."""

TABLE_PX = 432
FILTER_PX = 175
"""Two beside each other on a phone."""


class Found(NamedTuple):
    """One page of the people who match, and how many match in all."""

    rows: Sequence[Member]
    total: int
    unplaced: int
    pages: int
    filters: Filters


def load(engine: Engine, situation: WallSituation) -> Found:
    """Return the page of the list that is wanted, as the store has it now."""
    wanted = selection.filters()
    page = max(1, int(st.session_state.get(key("page")) or 1))
    said = _ask(engine, situation, wanted, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    pages = max(1, -(-said.total // PAGE_SIZE))
    if page > pages:
        st.session_state[key("page")] = page = pages
        said = _ask(engine, situation, wanted, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    unplaced = sum(row.lon_deg is None for row in said.rows)
    return Found(said.rows, said.total, unplaced, pages, wanted)


def _ask(
    engine: Engine, situation: WallSituation, wanted: Filters, *, limit: int, offset: int
) -> Members:
    return members(
        engine,
        situation.situation_id,
        status=situation.status,
        buckets=wanted.buckets,
        tiers=wanted.tiers,
        areas=wanted.areas,
        post=wanted.post,
        bases=wanted.bases,
        precisions=wanted.precisions,
        person_ids=selection.picked(),
        search=wanted.search,
        limit=limit,
        offset=offset,
    )


def filter_row(situation: WallSituation, say: Words) -> None:
    """Show the filters; each change begins at the first page again."""
    counts = {
        bucket: getattr(situation, bucket) for bucket in ("unaccounted", "needs_help", "safe")
    }
    counts |= situation.other_parts or {}
    chosen = selection.filters().buckets
    buckets = [b.value for b in Bucket if counts.get(b.value) or b.value in chosen]
    many = partial(_many, say)
    names = {area.code: area.name or say["area_nowhere"] for area in situation.areas}
    areas = told_apart(names)
    # One row where there is room for it: what is left of the screen is the map's.
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=key("filter")):
        st.pills(
            say["filter_bucket"],
            buckets,
            selection_mode="multi",
            format_func=lambda b: f"{glyph(b)} {say['bucket_' + b]} {number(counts.get(b), say)}",
            key=key("buckets"),
            on_change=selection.first_page,
            label_visibility="collapsed",
            width="content",
        )
        many("tiers", [tier.value for tier in Tier if tier is not Tier.INBOUND], "tier")
        st.multiselect(
            say["filter_area"],
            sorted(areas, key=lambda code: areas[code]),
            format_func=lambda code: areas.get(code, code),
            placeholder=f"{say['filter_area']}: {say['every']}",
            key=key("areas"),
            on_change=selection.first_page,
            label_visibility="collapsed",
            width=FILTER_PX,
        )
        st.text_input(
            say["filter_search"],
            key=key("search"),
            placeholder=say["filter_search_short"],
            help=say["filter_search_help"],
            on_change=selection.first_page,
            label_visibility="collapsed",
            width=FILTER_PX,
        )
        with st.popover(say["filter_more"], width="content"):
            st.text_input(
                say["filter_post"],
                placeholder=f"{say['filter_post']}: {say['every']}",
                key=key("post"),
                on_change=selection.first_page,
                label_visibility="collapsed",
            )
            many("bases", [basis.value for basis in Basis], "basis", "stretch")
            many("precisions", [one.value for one in Precision], "precision", "stretch")
            st.button(say["filter_clear"], key=key("clear"), on_click=selection.clear_filters)


def _many(
    say: Words,
    name: str,
    values: list[str],
    prefix: str,
    width: int | Literal["stretch"] = FILTER_PX,
) -> None:
    """Show one filter of which several values can be chosen."""
    st.multiselect(
        say[f"filter_{prefix}"],
        values,
        format_func=lambda value: say[f"{prefix}_{value}"],
        placeholder=f"{say['filter_' + prefix]}: {say['every']}",
        key=key(name),
        on_change=selection.first_page,
        label_visibility="collapsed",
        width=width,
    )


def panel(
    around: Around, situation: WallSituation, found: Found, *, as_of: datetime | None
) -> None:
    """Show the table, what can be done with it, and how many there are in all."""
    say = around.words
    _head(found, as_of, say)
    if not found.rows:
        st.info(say["list_empty"])
        return
    _table(found, say)
    _below(around, situation, found, as_of)


def _head(found: Found, as_of: datetime | None, say: Words) -> None:
    shown, total = number(len(found.rows), say), number(found.total, say)
    key_ = "list_total" if len(found.rows) < found.total else "list_total_one"
    parts = [say(key_, shown=shown, total=total)]
    if selection.picked():
        parts = [say("list_picked", n=total)]
        parts += [
            f":{_color(bucket)}-badge[{glyph(bucket)} {n} {plain(say['bucket_' + bucket])}]"
            for bucket, n in tables.count_by_bucket(found.rows).items()
        ]
    left, right = st.columns([4, 1.2], vertical_alignment="center")
    parts.append(f":gray[:small[{plain(say('list_as_of', time=clock(as_of, say)))}]]")
    left.markdown(" ".join(parts))
    if selection.picked():
        right.button(
            say["list_pick_clear"], key=key("drop"), on_click=selection.drop_picked, width="stretch"
        )
    else:
        right.button(say["refresh"], key=key("refresh"), width="stretch")


def _color(bucket: str) -> str:
    return {"unaccounted": "yellow", "needs_help": "red", "safe": "blue"}.get(bucket, "gray")


def _table(found: Found, say: Words) -> None:
    ids = [row.person_id for row in found.rows]
    columns = tables.table(found.rows, say)
    # A table whose rows have changed is another one: ticks of the old one would
    # fall on other people. It begins with the ticks of those who are in it still.
    ticked = set(selection.chosen())
    rows = [row for row, person_id in enumerate(ids) if person_id in ticked]
    name = key(f"table_{hash(tuple(ids)) & 0xFFFFFFFF:08x}")
    said = st.dataframe(
        columns,
        hide_index=True,
        width="stretch",
        height=TABLE_PX,
        key=name,
        column_config=columns_of(columns, say, instants=("at", "since")),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": rows}},
    )
    selection.choose([ids[row] for row in said.selection.rows if row < len(ids)])


def _below(around: Around, situation: WallSituation, found: Found, as_of: datetime | None) -> None:
    say, ids = around.words, selection.chosen()
    if found.pages > 1:
        st.number_input(say["list_page"], 1, found.pages, key=key("page"))
    one, act, csv, geojson = st.columns([1.3, 1.5, 0.8, 1], gap="small")
    one.button(
        say["list_open"],
        key=key("open"),
        disabled=len(ids) != 1,
        help=say["list_choose_help"],
        on_click=selection.open_person,
        args=(ids[0] if ids else None,),
        width="stretch",
    )
    act.button(
        say("list_act", n=len(ids)),
        key=key("act"),
        disabled=not ids,
        on_click=_to_act,
        width="stretch",
    )
    help_ = say("download_help", n=number(found.total, say))

    def listed() -> Sequence[Member]:
        return everybody(around.store(), situation, found.filters)

    stem = f"rollcall-{situation.situation_id}"
    csv.download_button(
        say["csv"],
        data=lambda: tables.as_csv(listed()),
        file_name=f"{stem}.csv",
        mime="text/csv",
        on_click="ignore",
        help=help_,
        width="stretch",
    )
    geojson.download_button(
        say["geojson"],
        data=lambda: tables.as_geojson(listed(), status=situation.status, as_of=as_of),
        file_name=f"{stem}.geojson",
        mime="application/geo+json",
        on_click="ignore",
        help=help_,
        width="stretch",
    )


def _to_act() -> None:
    st.session_state[key("pane_next")] = "act"
    st.session_state[key("verb")] = "override"


def everybody(engine: Engine, situation: WallSituation, wanted: Filters) -> Sequence[Member]:
    """Return everybody who matches, as the store has them now.

    Read at once: between two pages somebody may move to the other one, and a
    list to telephone by must not leave them out.
    """
    return _ask(engine, situation, wanted, limit=EVERYBODY, offset=0).rows
