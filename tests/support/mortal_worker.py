"""A worker that dies (-9) inside a transaction: after what it wrote is at the brokers.

    python -m tests.support.mortal_worker DIRECTORY STAGE NTH

In the NTH transaction in which the desk's, a shard's or the room's lane is about to
commit. What it had written stands in the topics by then, and is not committed.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from streams.cluster import run_worker
from streams.settings import load

AT_THE_BROKERS_S = 0.5
"""Far longer than a client on the same machine keeps back what it was given."""


def main(directory, stage, nth):
    seen = 0
    never = threading.Event()

    def abort(point):
        nonlocal seen
        # Lanes are threads, named by the stage and partition they work on.
        if point == "writing" and stage in threading.current_thread().name:
            seen += 1
            if seen == int(nth):
                never.wait(AT_THE_BROKERS_S)
                os.kill(os.getpid(), signal.SIGKILL)

    run_worker(
        Path(directory),
        load(),
        say=lambda line: print(line, flush=True),  # noqa: T201 - as the command does
        stopped=never.is_set,
        abort=abort,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
