"""What the staff pages share on screen: banners, badges, numbers, choices."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.choices import told_apart
from dashboard.figures import Badge, Kpi, badges, banners
from dashboard.pages import Around
from dashboard.words import Words, words
from streams.errors import RollcallError
from streams.serving.wall_answers import WallNow, WallSituation

STYLE = """
<style>
.stMainBlockContainer { padding: 4.3rem 1.4rem 1.5rem; }
.stMainBlockContainer > .stVerticalBlock { gap: .6rem; }
/* A page that is being read anew stays readable: old numbers carry their time. */
[data-stale="true"] { opacity: .8 !important; }
.stAlert [data-testid="stAlertContainer"] { padding: .45rem .9rem; font-weight: 600; }
[class*="st-key-kpi_"] button {
  justify-content: flex-start; min-height: 4.7rem; padding: .2rem .8rem;
  border: 1px solid #1d3044; border-left: 6px solid #8aa0b6; border-radius: 10px;
  background: #0c1826; text-align: left;
}
[class*="st-key-kpi_"] button > div, [class*="st-key-kpi_"] button > div > span,
[class*="st-key-kpi_"] button [data-testid="stMarkdownContainer"] {
  justify-content: flex-start; width: 100%; min-width: 0;
}
[class*="st-key-kpi_"] button:hover:enabled { border-color: #4fb3f6; }
[class*="st-key-kpi_"] button:focus-visible { outline: 3px solid #ffffff; outline-offset: 1px; }
[class*="st-key-kpi_"] button:disabled { cursor: default; opacity: 1; }
[class*="st-key-kpi_"] button p {
  color: #c5d2df; font-size: .84rem; line-height: 1.15; text-align: left; white-space: normal;
}
[class*="st-key-kpi_"] button strong {
  display: block; margin: .05rem 0; color: #ffffff; font-size: 1.75rem; font-weight: 700;
  font-variant-numeric: tabular-nums;
}
[class*="st-key-kpi_"] button em {
  display: block; overflow: hidden; color: #9fb1c2; font-size: .74rem; font-style: normal;
  text-overflow: ellipsis; white-space: nowrap;
}
.st-key-officer_filter { row-gap: .5rem; }
.st-key-officer_buckets div:has(> button) { flex-wrap: wrap; }
.st-key-officer_buckets button { min-height: 1.75rem; padding: .1rem .6rem; }
.st-key-officer_buckets button p { font-size: .84rem; }
.st-key-kpi_unaccounted button { border-left-color: #ffc533; }
.st-key-kpi_unaccounted button strong { color: #ffc533; }
.st-key-kpi_needs_help button { border-left-color: #ff6a5b; }
.st-key-kpi_needs_help button strong { color: #ff8a7d; }
.st-key-kpi_safe button { border-left-color: #4fb3f6; }
.st-key-kpi_safe button strong { color: #4fb3f6; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4.3rem .7rem 1rem; }
  .st-key-kpis [data-testid="stHorizontalBlock"] { flex-flow: row wrap; gap: .5rem; }
  .st-key-kpis [data-testid="stColumn"] {
    flex: 1 1 calc(50% - .5rem); min-width: calc(50% - .5rem);
  }
  [class*="st-key-kpi_"] button { min-height: 4.4rem; }
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
    columns: Collection[str],
    say: Words,
    *,
    instants: Collection[str] = (),
    prefix: str = "col",
) -> dict[str, Any]:
    """Return the headings of a table; instants are shown in UTC, as they are."""
    return {
        name: st.column_config.DatetimeColumn(
            say[f"{prefix}_{name}"], format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
        )
        if name in instants
        else st.column_config.Column(say[f"{prefix}_{name}"])
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


def status_line(now: WallNow, first: str, say: Words) -> None:
    """Show in one line: a sentence, the last update, every feed by sign and colour."""
    found = badges(now.feeds, now.as_of, say)
    parts = [plain(first)] if first else []
    parts.append(plain(say("last_update", time=clock(now.as_of, say))))
    if found:
        parts.append(" ".join(map(_badge, found)))
    else:
        parts.append(plain(say["feeds_unknown" if found is None else "feeds_none"]))
    st.markdown(f":small[{' · '.join(parts)}]")


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

    def title(one: WallSituation) -> str:
        marks = [say[f"status_{one.status}"]] if one.status != "Actual" else []
        marks += [say["closed"]] if one.closed else []
        return " · ".join([one.title, f"{one.onset_at:%Y-%m-%d %H:%M} UTC", *marks])

    titles = told_apart({one.situation_id: title(one) for one in now.situations})
    chosen = st.selectbox(
        say["situation"],
        list(by_id),
        format_func=lambda one: titles[one],
        key=key,
        label_visibility="collapsed",
    )
    return by_id[chosen]
