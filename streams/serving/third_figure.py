"""The third figure: rows of the ledger, counted beside what the room has summed.

Counting a big ledger takes longer than everything else on the wall. So it is
counted anew when the last count is some seconds old, when a situation has got
its first people, and at every look while it does not agree: what the wall
shows as balanced was so a few seconds ago at the most, and what it shows as
out of balance is so now.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from schemas.codelists import Bucket
from streams.serving import tables as t

RECOUNT_S = 5.0
"""How old a count may be, in seconds of the machine."""

Key = tuple[str, str]
"""A situation's id and status."""


class _Count(NamedTuple):
    counted_at_s: float
    surplus: dict[Key, int]


_last: WeakKeyDictionary[Engine, _Count] = WeakKeyDictionary()


def third_figure(connection: Connection, known: Mapping[Key, int]) -> dict[Key, int]:
    """Return, of every situation, the rows of the store minus the known.

    ``known`` is what the room says, read in the same transaction. 0 is right;
    rows of a situation that has no sum yet count as many too many.
    """
    last = _last.get(connection.engine)
    now_s = time.monotonic()
    if (
        last is not None
        and now_s - last.counted_at_s < RECOUNT_S
        and last.surplus.keys() >= known.keys()
        and not any(last.surplus.values())
    ):
        return last.surplus
    surplus = {key: -count for key, count in known.items()}
    c = t.ledger.c
    rows = connection.execute(
        select(c.situation_id, c.status, func.count())
        .where(c.bucket != Bucket.DUPLICATE)
        .group_by(c.situation_id, c.status)
    )
    for situation_id, status, count in rows:
        key = (situation_id, status)
        surplus[key] = surplus.get(key, 0) + count
    _last[connection.engine] = _Count(now_s, surplus)
    return surplus
