"""Small cells: nothing withheld can be computed from what is shown."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.serving.suppression import suppressed

TABLES = st.integers(2, 7).flatmap(
    lambda n: st.lists(
        st.tuples(*[st.one_of(st.integers(0, 6), st.integers(0, 300))] * 4), min_size=n, max_size=n
    )
)


def shown(rows):
    """Return the cells as the screen writes them."""
    words = {"few": "<5", "hidden": "-"}
    return [
        " ".join(str(cell.count) if cell.mark == "exact" else words[cell.mark] for cell in row)
        for row in suppressed(tuple(map(tuple, rows)))
    ]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        # Five and more, or a bucket in which nobody is at all: nothing is withheld.
        ([(40, 0, 9, 5), (6, 0, 7, 5)], ["54 40 0 9 5", "18 6 0 7 5"]),
        # None and three look alike. The row's total would tell them, and one alone can be told.
        (
            [(40, 3, 9, 5), (30, 0, 7, 5), (50, 30, 8, 6)],
            ["- 40 <5 9 5", "- 30 <5 7 5", "94 50 30 8 6"],
        ),
        # The only small one of a column takes the smallest beside it.
        (
            [(40, 3, 9, 5), (30, 20, 7, 5), (50, 30, 8, 6)],
            ["- 40 <5 9 5", "- 30 - 7 5", "94 50 30 8 6"],
        ),
        # A crisis's first hour: what people look for stays, one call for help is nowhere.
        (
            [(267, 0, 0, 30), (127, 1, 0, 20), (28, 0, 0, 9)],
            ["297 267 <5 0 30", "- 127 <5 0 20", "- 28 <5 0 9"],
        ),
        # A row of fewer than five has no total either.
        (
            [(2, 0, 0, 0), (40, 0, 0, 9), (50, 0, 0, 9)],
            ["<5 <5 0 0 <5", "- - 0 0 9", "59 50 0 0 9"],
        ),
        # One area: the situation's own numbers, public as they are.
        ([(9, 2, 0, 0)], ["11 9 <5 0 0"]),
    ],
)
def test_what_is_shown_of_a_table(rows, wanted):
    assert shown(rows) == wanted


def subtractions(rows, cells):
    """Yield of every row and column what is withheld there, and its sum."""
    table = [(sum(row), *row) for row in rows]
    for y, row in enumerate(table):
        yield [(cells[y][x], row[x], 1 if x == 0 else -1) for x in range(5)]
    for x in range(5):
        yield [(cells[y][x], table[y][x], 1) for y in range(len(table))]


@given(TABLES)
@example([(1, 1, 1, 1), (9, 9, 9, 9)])
@example([(1, 0, 0, 0), (0, 0, 0, 0)])
@example([(4, 4, 0, 0), (30, 30, 30, 30)])
def test_no_withheld_value_can_be_computed_in_its_row_or_column(rows):
    cells = suppressed(tuple(rows))
    for line in subtractions(rows, cells):
        withheld = [(cell, value, sign) for cell, value, sign in line if cell.count is None]
        if any(cell.mark == "hidden" for cell, _, _ in withheld):
            assert len(withheld) > 1 or line[0][1] == 0
            continue
        for n, (_, value, _) in enumerate(withheld):
            others = withheld[:n] + withheld[n + 1 :]
            found = possible([withheld[n][1:], *(one[1:] for one in others)])
            assert value in found
            assert len(found) > 1 or value == 0


def possible(few):
    """Return what the first of some numbers from 0 to 4 may be, given their sum."""
    total = sum(sign * value for value, sign in few)
    sums = {0}
    for _, sign in few[1:]:
        sums = {at + sign * n for at in sums for n in range(5)}
    return [n for n in range(5) if total - few[0][1] * n in sums]


@given(TABLES)
def test_what_is_shown_is_true_and_small_numbers_are_never_shown(rows):
    for row, cells in zip(rows, suppressed(tuple(rows)), strict=True):
        for value, cell in zip((sum(row), *row), cells, strict=True):
            assert cell.count in {None, value}
            assert cell.count not in {1, 2, 3, 4}
            assert cell.mark != "few" or value < 5
