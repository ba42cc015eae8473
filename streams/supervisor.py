"""When a child that has died is started again: decisions, no processes.

At once the first time. One that dies twice within ten seconds is a fault that
the wall shows; it is started again all the same, after a pause that doubles
with every such death. Once it has run for a minute all is forgotten.

Times are seconds of any clock that never goes back.
"""

from typing import NamedTuple

TWICE_S = 10.0
"""Two deaths within this are a fault."""

WELL_S = 60.0
"""A child that has run this long is well."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class Watch(NamedTuple):
    """What is remembered of one child.

    ``deaths`` counts all of them; ``pause_s`` is the pause before the latest
    restart. ``start_at_s`` is when to start it, None while it runs.
    """

    started_at_s: float | None = None
    start_at_s: float | None = 0.0
    died_at_s: float | None = None
    deaths: int = 0
    pause_s: float = 0.0
    faulty: bool = False


def started(watch: Watch, now_s: float) -> Watch:
    """Return the watch of a child that was started just now."""
    return watch._replace(started_at_s=now_s, start_at_s=None)


def died(watch: Watch, now_s: float) -> Watch:
    """Return what a death means: when to start again, and whether it is a fault."""
    again = watch.died_at_s is not None and now_s - watch.died_at_s <= TWICE_S + watch.pause_s
    pause_s = 0.0
    if again:
        pause_s = min(max(2 * watch.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
    return watch._replace(
        started_at_s=None,
        start_at_s=now_s + pause_s,
        died_at_s=now_s,
        deaths=watch.deaths + 1,
        pause_s=pause_s,
        faulty=watch.faulty or again,
    )


def looked_at(watch: Watch, now_s: float) -> Watch:
    """Return the watch of a child that runs: well once it has run for a minute."""
    if watch.started_at_s is None or now_s - watch.started_at_s < WELL_S:
        return watch
    return watch._replace(died_at_s=None, pause_s=0.0, faulty=False)


def may_start(watch: Watch, now_s: float) -> bool:
    """Tell whether a child that does not run is to be started now."""
    return watch.start_at_s is not None and now_s >= watch.start_at_s
