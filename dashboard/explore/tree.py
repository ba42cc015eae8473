"""Records by cause: each under what it follows from, pure."""

from collections.abc import Mapping, Sequence

from streams.serving.trail import TrailRecord, in_time


def tree(records: Sequence[TrailRecord]) -> list[tuple[int, TrailRecord]]:
    """Return the records, each below its cause and one deeper, by time.

    Of several causes the latest of those that are here counts: it is the one
    that the record waited for. What has no cause here stands at depth 0. A
    circle, which the engine never makes, is cut at its first record.
    """
    by_id = {record.event_id: record for record in sorted(records, key=in_time)}
    below: dict[str | None, list[TrailRecord]] = {}
    for record in by_id.values():
        below.setdefault(_cause(record, by_id), []).append(record)
    found: list[tuple[int, TrailRecord]] = []
    seen: set[str] = set()
    for record in (*below.get(None, ()), *by_id.values()):
        waiting = [(0, record)]
        while waiting:
            depth, one = waiting.pop()
            if one.event_id in seen:
                continue
            seen.add(one.event_id)
            found.append((depth, one))
            waiting += [(depth + 1, other) for other in reversed(below.get(one.event_id, []))]
    return found


def _cause(record: TrailRecord, by_id: Mapping[str, TrailRecord]) -> str | None:
    """Return the id of the cause a record stands under, None where none is here."""
    here = [by_id[cause] for cause in record.cause_ids if cause in by_id]
    others = [one for one in here if one is not record]
    return max(others, key=in_time).event_id if others else None
