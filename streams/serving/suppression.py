"""Small cells: what a breakdown by area may show without giving a person away.

A table has a row per area and a column per bucket. The totals of its columns
are public (they are the situation's), those of its rows (``known``) stand in
it. Fewer than 5, nobody included, is withheld as "few", so that "<5" does not
tell one from none. Then more is withheld ("hidden"), in a row its total, in a
column its smallest figure, until no number of people from 1 to 4 can be
computed from what is shown in its row or column. That somebody is not there
gives nobody away.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from streams.serving.wall_answers import Cell

FEW_MAX = 4
"""Largest number of people that is withheld as "few"."""

ENDLESS = 10**9
"""More than there are people: hidden may be any number."""

Mark = Literal["exact", "few", "hidden"]
Spot = tuple[int, int]


class _Line(NamedTuple):
    """Cells of which the sum, each with its sign, is public."""

    spots: tuple[Spot, ...]
    signs: tuple[int, ...]
    total: int


@lru_cache(maxsize=256)
def suppressed(rows: tuple[tuple[int, ...], ...]) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of a table: of each row ``known``, then its buckets.

    ``rows`` are the buckets of each area. Of a single area the columns' totals
    are its figures, and they are public anyway: there only "few" is marked.
    """
    table = tuple((sum(row), *row) for row in rows)
    nobody = [not any(column) for column in zip(*table, strict=True)]
    marks: list[list[Mark]] = [
        [
            "few" if count <= FEW_MAX and not empty else "exact"
            for count, empty in zip(row, nobody, strict=True)
        ]
        for row in table
    ]
    if len(table) > 1:
        _complement(table, marks)
    return tuple(
        tuple(
            Cell(count=count) if mark == "exact" else Cell(mark=mark)
            for count, mark in zip(row, marked, strict=True)
        )
        for row, marked in zip(table, marks, strict=True)
    )


def _complement(table: tuple[tuple[int, ...], ...], marks: list[list[Mark]]) -> None:
    """Withhold more until no line of the table gives anything away."""
    lines = list(_lines(table))
    height = len(table)
    waiting = list(range(len(lines)))
    while waiting:
        line = lines[waiting.pop()]
        while gives_away(line, table, marks):
            spot = _next(line, table, marks)
            if spot is None:
                break
            marks[spot[0]][spot[1]] = "hidden"
            waiting += (spot[0], height + spot[1])


def _lines(table: tuple[tuple[int, ...], ...]) -> Iterator[_Line]:
    """Yield the rows (known minus its buckets is 0) and the columns."""
    width = len(table[0])
    for y in range(len(table)):
        yield _Line(tuple((y, x) for x in range(width)), (1, *[-1] * (width - 1)), 0)
    for x in range(width):
        spots = tuple((y, x) for y in range(len(table)))
        yield _Line(spots, (1,) * len(table), sum(row[x] for row in table))


def gives_away(line: _Line, table: tuple[tuple[int, ...], ...], marks: list[list[Mark]]) -> bool:
    """Return whether something withheld in a line can only be one number of people.

    Nobody is no such number, where "few" may be nobody; "hidden" is there to
    hold back a sum, and must not be found at all.
    """
    left = line.total
    withheld: list[tuple[int, int, int]] = []
    for (y, x), sign in zip(line.spots, line.signs, strict=True):
        mark = marks[y][x]
        if mark == "exact":
            left -= sign * table[y][x]
        else:
            low, high = (0, FEW_MAX) if mark == "few" else (0, ENDLESS)
            withheld.append((sign, low, high))
    least = sum(min(sign * low, sign * high) for sign, low, high in withheld)
    most = sum(max(sign * low, sign * high) for sign, low, high in withheld)
    for sign, low, high in withheld:
        # What the others leave for this one, and what its own mark allows.
        from_low = left - (most - max(sign * low, sign * high))
        from_high = left - (least - min(sign * low, sign * high))
        first, last = sorted((sign * from_low, sign * from_high))
        only = max(first, low)
        if only == min(last, high) and (only or high == ENDLESS):
            return True
    return False


def _next(line: _Line, table: tuple[tuple[int, ...], ...], marks: list[list[Mark]]) -> Spot | None:
    """Return the cell of a line to hide next; None if there is nothing left.

    In a row its total, which is the least that people look for; in a column
    the smallest figure. Where all is withheld already, a "few" becomes
    "hidden", which may be any number.
    """
    if line.total == 0 and line.signs[-1] == -1:
        spot = line.spots[0]
        return spot if marks[spot[0]][spot[1]] == "exact" else None
    exact = [spot for spot in line.spots if marks[spot[0]][spot[1]] == "exact"]
    few = [spot for spot in line.spots if marks[spot[0]][spot[1]] == "few"]
    return min(exact or few, key=lambda spot: (table[spot[0]][spot[1]], spot), default=None)
