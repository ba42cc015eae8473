"""``make bench``: the figures of design 9, as they are on this machine.

Process CPU time, medians of five runs where a run is short; the load average
is printed, for a busy machine inflates even CPU time. ``--people`` sets how
many people the footprint and the restart are measured with.
"""

import argparse
import os
import platform
import sys

from tests.bench import embedded, stages


def main() -> None:
    """Print one line a figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=1_000_000)
    options.add_argument("--seconds", type=int, default=20, help="of check-ins at 500/s")
    given = options.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"load average at the start: {os.getloadavg()[0]:.1f}")
    quiet = stages.shard_check_ins(20_000, affected=False)
    print(f"shard, check-ins quiet, decoded      {quiet:12,.0f} /s CPU  (goal 100,000)")
    hit = stages.shard_check_ins(5_000, affected=True)
    print(f"shard, check-ins all affected        {hit:12,.0f} /s CPU  (goal 30,000)")
    print(f"desk, reports of separate quakes     {stages.desk_reports(300):12,.0f} /s CPU")
    print(f"room, tallies and Reached, 8 shards  {stages.room_ticks(8, 300):12,.0f} /s CPU")
    took = embedded.latency(500, given.seconds)
    print(
        f"check-in to flag in the store, 500/s  p50 {took['p50_ms']:.1f} ms, p99"
        f" {took['p99_ms']:.1f} ms, max {took['max_ms']:.1f} ms  (goal 50 / 250 ms)"
    )
    sys.stdout.flush()
    inside = given.people * 15 // 100
    big = stages.million(given.people, inside)
    print(
        f"new footprint over {given.people:,} people, {inside:,} inside: {big['footprint_s']:.2f} s"
        f" CPU, known {big['known']:,.0f}  (goal 1 s)"
    )
    print(
        f"restart with {given.people:,} people: {big['restore_s']:.2f} s to serve again"
        f" (goal 10 s); snapshot {big['snapshot_mb']:.0f} MB in {big['snapshot_s']:.2f} s"
    )
    print(f"load average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
