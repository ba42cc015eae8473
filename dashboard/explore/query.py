"""SQL on the page: a query, examples, what can be asked, and what it came to."""

from functools import partial

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import streamlit as st

from dashboard.explore.figures import is_bucket
from dashboard.explore.kept import KEPT, Said
from dashboard.explore.labels import Labels
from dashboard.explore.table import choose, clock, draw_bars, draw_table
from dashboard.furniture import plain
from dashboard.pages import Around
from dashboard.words import Words
from streams.serving.kinds import asked_columns
from streams.serving.narrow import table_as_file
from streams.serving.sql_answers import Refusal

EXAMPLES = {
    "areas": (
        "SELECT area, bucket, count(*) AS people\nFROM ledger\nGROUP BY ALL\nORDER BY people DESC"
    ),
    "found": (
        'SELECT time_bucket(INTERVAL 15 minutes, "at") AS quarter, to_bucket, count(*) AS people\n'
        "FROM movements\nGROUP BY ALL\nORDER BY quarter"
    ),
    "silent": (
        "SELECT l.person_id, l.area, l.tier, l.place, l.as_of, e.distance_m\n"
        "FROM ledger l LEFT JOIN exposures e USING (person_id, situation_id, status)\n"
        "WHERE l.bucket = 'unaccounted' AND l.status = 'Actual'\nORDER BY e.distance_m"
    ),
    "precision": (
        "SELECT basis, precision, count(*) AS people, median(radius_m) AS radius_m\n"
        "FROM persons\nGROUP BY ALL\nORDER BY people DESC"
    ),
    "contacts": (
        "SELECT what, count(*) AS contacts\nFROM inputs\nWHERE name = 'ContactRecorded'\n"
        "GROUP BY ALL\nORDER BY contacts DESC"
    ),
    "moved": (
        'SELECT from_bucket, to_bucket, "by", count(*) AS movements\n'
        "FROM movements\nGROUP BY ALL\nORDER BY movements DESC"
    ),
}
"""What the buttons write into the box; a test runs every one of them."""

NUMBERS = (pa.types.is_integer, pa.types.is_floating)


def draw(around: Around, labels: Labels) -> None:
    """Draw the box, the examples and the last answer."""
    words = around.words
    st.session_state.setdefault("explore_sql", EXAMPLES["areas"])
    st.caption(words["sql_about"])
    for place, name in zip(st.columns(len(EXAMPLES)), EXAMPLES, strict=True):
        place.button(
            words[f"example_{name}"], key=f"example_{name}", width="stretch",
            on_click=partial(_fill, EXAMPLES[name]),
        )  # fmt: skip
    sql = st.text_area(words["query"], key="explore_sql", height=150)
    run, schema, _ = st.columns([1, 1, 6])
    if run.button(words["run"], key="explore_run", type="primary", shortcut="Ctrl+Enter"):
        st.session_state["explore_said"] = KEPT.ask(around.store(), around.deliveries, sql)
    with schema.popover(words["schema"], width="stretch"):
        _schema(words, labels)
    said = st.session_state.get("explore_said")
    if said is not None:
        _answer(said, words, labels)


def _fill(sql: str) -> None:
    st.session_state["explore_sql"] = sql


def refused(refusal: Refusal, words: Words) -> str:
    """Return why a query was refused, in the words of the page."""
    return words(f"refused_{refusal.code}", **refusal.facts)


def _schema(words: Words, labels: Labels) -> None:
    """Draw what can be asked: tables, their columns, and what they mean."""
    columns = asked_columns()
    name = st.selectbox(words["table"], list(columns), key="explore_table", index=2)
    st.caption(words[f"about_{name}"])
    st.dataframe(
        {
            words["column"]: list(columns[name]),
            words["type"]: [_type(kind) for kind in columns[name].values()],
            words["meaning"]: [labels.column(column) for column in columns[name]],
        },
        key="explore_schema",
        hide_index=True,
        width=720,
    )


def _type(kind: pa.DataType) -> str:
    """Return the name of a type as DuckDB has it."""
    names = {"string": "VARCHAR", "double": "DOUBLE", "int64": "BIGINT", "bool": "BOOLEAN",
             "date32[day]": "DATE"}  # fmt: skip
    return names.get(str(kind), "TIMESTAMP WITH TIME ZONE")


def _answer(said: Said, words: Words, labels: Labels) -> None:
    answer = said.answer
    if isinstance(answer, Refusal):
        st.error(plain(refused(answer, words)))
        return
    rows = answer.table
    told = words(
        "answered", count=f"{rows.num_rows:,}", seconds=f"{answer.elapsed_s:.2f}",
        time=clock(said.read_wall_at),
    )  # fmt: skip
    st.caption(told)
    if answer.more:
        st.warning(words("answered_more", count=f"{rows.num_rows:,}"))
    left, right = st.columns([6, 5], gap="medium")
    with left:
        draw_table(rows, words, labels, key="explore_answer")
        for place, form in zip(st.columns(3), ("csv", "parquet"), strict=False):
            place.download_button(
                words[f"download_{form}"], data=partial(table_as_file, rows, form),
                file_name=f"query.{form}", key=f"download_query_{form}", on_click="ignore",
            )  # fmt: skip
    with right:
        _chart(rows, words, labels)


def columns_for_bars(rows: pa.Table) -> tuple[list[str], list[str]]:
    """Return the columns that name bars, and those that can be their length."""
    types = dict(zip(rows.column_names, rows.schema.types, strict=True))
    amounts = [name for name, kind in types.items() if any(is_(kind) for is_ in NUMBERS)]
    return [name for name in types if name not in amounts], amounts


def _chart(rows: pa.Table, words: Words, labels: Labels) -> None:
    names, amounts = columns_for_bars(rows)
    if not names or not rows.num_rows:
        st.caption(words["no_chart"])
        return
    part = next((name for name in names if is_bucket(name)), None)
    first = next((name for name in names if name != part), names[0])
    places = st.columns(3)
    with places[0]:
        group = choose(words["group_by"], names, words, "sql_group", first)
    with places[1]:
        part = choose(words["colour_by"], [None, *names], words, "sql_part", part)
    with places[2]:
        longest = amounts[0] if amounts else None
        value = choose(words["length"], [*amounts, None], words, "sql_value", longest)
    draw_bars(rows, words, labels, (group or first, part if part != group else None, value))
