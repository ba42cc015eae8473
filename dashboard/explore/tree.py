"""Records by cause: each under what it follows from, pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple


class Leaf(NamedTuple):
    """One record: when, what, and the records that it follows from."""

    event_id: str
    causes: tuple[str, ...]
    at: datetime
    kind: str
    about_id: str
    what: str
    who: str
    why: str
    source: str
    status: str
    facts: dict[str, Any]


def tree(leaves: Sequence[Leaf]) -> list[tuple[int, Leaf]]:
    """Return the records, each below its cause and one deeper, by time.

    Of several causes the latest of those that are here counts: it is the one
    that the record waited for. What has no cause here stands at depth 0; so
    does what would be its own cause.
    """
    by_id = {leaf.event_id: leaf for leaf in sorted(leaves, key=_order)}
    below: dict[str, list[Leaf]] = {}
    roots = []
    for leaf in by_id.values():
        cause = _cause(leaf, by_id)
        if cause is None:
            roots.append(leaf)
        else:
            below.setdefault(cause, []).append(leaf)
    found: list[tuple[int, Leaf]] = []
    waiting = [(0, leaf) for leaf in reversed(roots)]
    while waiting:
        depth, leaf = waiting.pop()
        found.append((depth, leaf))
        waiting += [(depth + 1, one) for one in reversed(below.get(leaf.event_id, []))]
    return found


def _order(leaf: Leaf) -> tuple[datetime, str]:
    return leaf.at, leaf.event_id


def _cause(leaf: Leaf, by_id: dict[str, Leaf]) -> str | None:
    """Return the cause a record stands under: here, earlier in order, the latest such."""
    earlier = [
        by_id[cause]
        for cause in leaf.causes
        if cause in by_id and _order(by_id[cause]) < _order(leaf)
    ]
    return max(earlier, key=_order).event_id if earlier else None
