"""What the staff pages share on screen: banners, badges, numbers, choices."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.figures import Badge, Kpi, badges, banners
from dashboard.pages import Around
from dashboard.words import Words, words
from streams.errors import RollcallError
from streams.serving.wall_answers import WallNow, WallSituation

STYLE = """
<style>
.stMainBlockContainer { padding: 3.6rem 1.4rem 1.5rem; }
[class*="st-key-kpi_"] button {
  align-items: flex-start; justify-content: flex-start; min-height: 5.6rem;
  padding: .45rem .8rem; border: 1px solid #1d3044; border-left: 6px solid #8aa0b6;
  border-radius: 10px; background: #0c1826; text-align: left;
}
[class*="st-key-kpi_"] button:hover:enabled { border-color: #4fb3f6; }
[class*="st-key-kpi_"] button:focus-visible { outline: 3px solid #ffffff; outline-offset: 1px; }
[class*="st-key-kpi_"] button:disabled { opacity: 1; cursor: default; }
[class*="st-key-kpi_"] button p { line-height: 1.2; color: #c5d2df; font-size: .84rem; }
[class*="st-key-kpi_"] button strong {
  display: block; margin: .1rem 0; color: #ffffff; font-size: 1.75rem; font-weight: 700;
  font-variant-numeric: tabular-nums;
}
[class*="st-key-kpi_"] button em { display: block; color: #9fb1c2; font-style: normal; font-size: .74rem; }
.st-key-kpi_unaccounted button { border-left-color: #ffc533; }
.st-key-kpi_unaccounted button strong { color: #ffc533; }
.st-key-kpi_needs_help button { border-left-color: #ff6a5b; }
.st-key-kpi_needs_help button strong { color: #ff8a7d; }
.st-key-kpi_safe button { border-left-color: #4fb3f6; }
.st-key-kpi_safe button strong { color: #4fb3f6; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 3.6rem .7rem 1rem; }
  .st-key-kpis [data-testid="stHorizontalBlock"] { flex-flow: row wrap; gap: .5rem; }
  .st-key-kpis [data-testid="stColumn"] { flex: 1 1 calc(50% - .5rem); min-width: calc(50% - .5rem); }
  [class*="st-key-kpi_"] button { min-height: 4.6rem; }
  [class*="st-key-kpi_"] button strong { font-size: 1.35rem; }
}
</style>
"""


def with_staff_words(around: Around) -> Around:
    """Return the surroundings with the words that the staff's pages share."""
    shared = words(around.language, "staff")
    return around._replace(words=Words(around.language, {**shared, **around.words}))


@contextmanager
def watched(around: Around) -> Iterator[None]:
    """Say in words what fails in a fragment: its reruns have no page around them."""
    try:
        yield
    except RollcallError as error:
        st.error(plain(around.words("store_failed", why=f"{error}. {error.hint}")))
        st.caption(around.words["try_again"])


def columns_of(
    columns: Collection[str], say: Words, *, instants: Collection[str] = ()
) -> dict[str, Any]:
    """Return the headings of a table; instants are shown in UTC, as they are."""
    return {
        name: st.column_config.DatetimeColumn(
            say[f"col_{name}"], format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
        )
        if name in instants
        else st.column_config.Column(say[f"col_{name}"])
        for name in columns
    }


def clock(at: datetime | None, say: Words) -> str:
    """Return an instant as shown: date and time, always UTC."""
    return say["unknown"] if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def show_banners(now: WallNow, say: Words) -> None:
    """Show what must stand over every number of a page."""
    show = {"error": st.error, "warning": st.warning, "info": st.info}
    for banner in banners(now, datetime.now(UTC), say):
        show[banner.kind](plain(banner.text))


def show_badges(now: WallNow, say: Words) -> None:
    """Show every feed's state and age, by sign as well as by colour."""
    found = badges(now.feeds, now.as_of, say)
    if not found:
        st.caption(say["feeds_unknown" if found is None else "feeds_none"])
        return
    st.markdown(" ".join(map(_badge, found)))


def _badge(badge: Badge) -> str:
    return f":{badge.color}-badge[{badge.glyph} {plain(badge.text)}]"


def show_kpis(numbers: Iterable[Kpi], open_list: Callable[[tuple[str, ...]], None]) -> None:
    """Show each number as the button that opens the list behind it."""
    numbers = tuple(numbers)
    with st.container(key="kpis"):
        for kpi, column in zip(numbers, st.columns(len(numbers), gap="small"), strict=True):
            pressed = column.button(
                f"{plain(kpi.label)} **{plain(kpi.value)}** *{plain(kpi.note)}*",
                key=f"kpi_{kpi.key}",
                width="stretch",
                disabled=kpi.buckets is None,
            )
            if pressed and kpi.buckets is not None:
                open_list(kpi.buckets)


def plain(text: str) -> str:
    """Return a text in which Markdown finds nothing to interpret."""
    return "".join(f"\\{one}" if one in r"\`*_{}[]()#+!|<>~$:" else one for one in text)


def pick_situation(now: WallNow, say: Words, *, key: str) -> WallSituation | None:
    """Let the reader choose a situation; the first is the newest open one."""
    by_id = {one.situation_id: one for one in now.situations}
    if not by_id:
        return None
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = next(iter(by_id))

    def title(situation_id: str) -> str:
        one = by_id[situation_id]
        marks = [say[f"status_{one.status}"]] if one.status != "Actual" else []
        marks += [say["closed"]] if one.closed else []
        return " · ".join([one.title, f"{one.onset_at:%Y-%m-%d %H:%M} UTC", *marks])

    chosen = st.selectbox(say["situation"], list(by_id), format_func=title, key=key)
    return by_id[chosen]
