"""Figures of rows: counts as bars, times as a histogram, places as points.

Pure: tables in, what ECharts and the map component take out. Colours of
buckets are those of the wall (``dashboard/static/js/basemap.mjs``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

BUCKET_COLORS = {
    "unaccounted": "#FFC533",
    "needs_help": "#FF6A5B",
    "safe": "#4FB3F6",
    "unreachable": "#b07d18",
    "left_area": "#3f8f86",
    "never_there": "#5d7085",
    "declines_to_leave": "#c98bd9",
    "evacuated": "#3ddc97",
    "no_longer_affected": "#8aa0b6",
    "duplicate": "#4a5a6b",
    "deceased": "#d7dee6",
}
"""The first three as on the wall; its "other" is all the rest."""

MARKS = {"unaccounted": "?", "needs_help": "▲", "safe": "✓"}
"""What stands before a name, so that no meaning hangs on a colour alone."""

PALETTE = (
    "#4FB3F6", "#FFC533", "#3ddc97", "#c98bd9", "#f08228", "#8aa0b6", "#e07a9b", "#86c5a8",
)  # fmt: skip
NOT_KNOWN = "#4a5a6b"
TEXT, LINES = "#c5d2e0", "#1d3044"

MOST_BARS = 30
MOST_PARTS = 12
MOST_POINTS = 20_000
BINS = 48
STEPS_S = (60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)
"""Widths that a bin of a histogram may have."""

Label = Callable[[str, Any], str]
"""Puts the value of a column in words."""


class Counted(NamedTuple):
    """Numbers by group and part, biggest group first; ``left`` are groups left out."""

    groups: list[Any]
    parts: list[Any]
    values: dict[tuple[Any, Any], float]
    left: int


def counted(table: pa.Table, group: str, part: str | None, value: str | None = None) -> Counted:
    """Count rows, or sum a column, by the values of one column or of two."""
    groups = table[group].to_pylist()
    parts = table[part].to_pylist() if part else [None] * len(groups)
    amounts = table[value].to_pylist() if value else [1] * len(groups)
    sums: Counter[Any] = Counter()
    by_part: Counter[Any] = Counter()
    values: Counter[tuple[Any, Any]] = Counter()
    for one, other, amount in zip(groups, parts, amounts, strict=True):
        sums[one] += amount or 0
        by_part[other] += amount or 0
        values[one, other] += amount or 0
    ranked = sorted(sums, key=lambda one: (-sums[one], str(one)))
    kept = _parts(part, by_part)
    for one, other in list(values):
        if other not in kept:
            values[one, OTHERS] += values.pop((one, other))
    if len(by_part) > len(kept):
        kept.append(OTHERS)
    return Counted(ranked[:MOST_BARS], kept, dict(values), max(0, len(ranked) - MOST_BARS))


OTHERS = "…"
"""The part that gathers what is beyond ``MOST_PARTS``."""


def _parts(part: str | None, by_part: Mapping[Any, float]) -> list[Any]:
    """Return the parts in their order: buckets as on the wall, else by size."""
    found = sorted(by_part, key=lambda one: (-by_part[one], str(one)))
    if part is not None and is_bucket(part):
        order = list(BUCKET_COLORS)
        found.sort(key=lambda one: order.index(one) if one in order else len(order))
    return found[:MOST_PARTS]


def is_bucket(column: str) -> bool:
    """Return whether a column holds buckets of the ledger."""
    return column == "bucket" or column.endswith("_bucket")


def colors(column: str | None, values: Sequence[Any]) -> list[str]:
    """Return a colour for each value of a column; unknown is dark."""
    if column is not None and is_bucket(column):
        return [BUCKET_COLORS.get(str(value), NOT_KNOWN) for value in values]
    palette = cycle(PALETTE)
    return [NOT_KNOWN if value is None and column else next(palette) for value in values]


def bars(found: Counted, group: str, part: str | None, label: Label, rows: str) -> dict[str, Any]:
    """Return stacked bars, biggest at the top; ``rows`` names what is counted."""
    names = [label(group, one) for one in found.groups]
    series = [
        {
            "name": _name(part, one, label, rows),
            "type": "bar",
            "stack": "all",
            "itemStyle": {"color": color},
            "data": [found.values.get((bar, one), 0) for bar in found.groups],
        }
        for one, color in zip(found.parts, colors(part, found.parts), strict=True)
    ]
    return {
        **_frame(legend=part is not None),
        "xAxis": {"type": "value", "splitLine": {"lineStyle": {"color": LINES}}},
        "yAxis": {"type": "category", "data": names, "inverse": True, "axisTick": {"show": False}},
        "series": series,
    }


def _name(part: str | None, value: Any, label: Label, rows: str) -> str:
    if part is None:
        return rows
    if value == OTHERS:
        return OTHERS
    mark = MARKS.get(str(value), "") if is_bucket(part) else ""
    return f"{mark} {label(part, value)}".strip()


def _frame(*, legend: bool) -> dict[str, Any]:
    return {
        "animation": False,
        "textStyle": {"color": TEXT},
        "grid": {"left": 8, "right": 24, "top": 12, "bottom": 44, "containLabel": True},
        "legend": {"show": legend, "bottom": 0, "type": "scroll", "textStyle": {"color": TEXT}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
    }


def step_s(first: datetime, last: datetime) -> int:
    """Return the narrowest bin with which the time fits into ``BINS``."""
    span_s = (last - first).total_seconds()
    return next((step for step in STEPS_S if span_s / step <= BINS), STEPS_S[-1])


def over_time(
    table: pa.Table, at: str, part: str | None, label: Label, rows: str
) -> dict[str, Any] | None:
    """Return a histogram of a column of time, in UTC; None without any time."""
    known = table.filter(table[at].is_valid())
    times = known[at].to_pylist()
    if not times:
        return None
    width_s = step_s(min(times), max(times))
    starts = [int(one.timestamp()) // width_s * width_s for one in times]
    bins = list(range(min(starts), max(starts) + 1, width_s))
    binned = known.append_column("_bin", pa.array(starts, pa.int64()))
    found = counted(binned, "_bin", part)
    values = found.values if found.left == 0 else _all_values(binned, part, found.parts)
    form = "%d %b %H:%M" if width_s < 86_400 else "%d %b %Y"
    named = [datetime.fromtimestamp(one, UTC).strftime(form) for one in bins]
    series = [
        {
            "name": _name(part, one, label, rows),
            "type": "bar",
            "stack": "all",
            "barCategoryGap": "8%",
            "itemStyle": {"color": color},
            "data": [values.get((start, one), 0) for start in bins],
        }
        for one, color in zip(found.parts, colors(part, found.parts), strict=True)
    ]
    return {
        **_frame(legend=part is not None),
        "xAxis": {"type": "category", "data": named},
        "yAxis": {"type": "value", "splitLine": {"lineStyle": {"color": LINES}}},
        "series": series,
    }


def _all_values(
    binned: pa.Table, part: str | None, kept: Sequence[Any]
) -> dict[tuple[Any, Any], float]:
    """Return counts of every bin: a histogram leaves no group out."""
    parts = binned[part].to_pylist() if part else [None] * binned.num_rows
    pairs = zip(binned["_bin"].to_pylist(), parts, strict=True)
    return dict(Counter((start, one if one in kept else OTHERS) for start, one in pairs))


def points(
    table: pa.Table, color_by: str | None, name: str, label: Label, most: int = MOST_POINTS
) -> dict[str, Any]:
    """Return points for the map component, as columns.

    ``without`` counts rows that have no place, ``left`` those beyond ``most``.
    """
    placed = table.filter(table["lon_deg"].is_valid())
    shown = placed.slice(0, most)
    values = shown[color_by].to_pylist() if color_by else [None] * shown.num_rows
    kinds = _parts(color_by, Counter(values))
    index = {value: number for number, value in enumerate(kinds)}
    groups = [
        {"name": _name(color_by, value, label, ""), "color": color}
        for value, color in zip(kinds, colors(color_by, kinds), strict=True)
    ]
    if len(set(values)) > len(kinds):
        groups.append({"name": OTHERS, "color": NOT_KNOWN})
    return {
        "lon": shown["lon_deg"].to_pylist(),
        "lat": shown["lat_deg"].to_pylist(),
        "group": [index.get(value, len(kinds)) for value in values],
        "name": shown[name].to_pylist(),
        "groups": groups,
        "without": table.num_rows - placed.num_rows,
        "left": placed.num_rows - shown.num_rows,
    }
