"""A process that pumps toys over a log and kills itself at a given moment.

`python -m tests.support.toy_worker DIRECTORY DEATH_AT`: at the DEATH_AT-th
crash point it ends by SIGKILL, as if the power had gone; 0 means never.
"""

import os
import signal
import sys
from pathlib import Path

from streams.backends.sqlite import SqliteLog
from streams.pump import Pump
from tests.support.toy import Hand, toys

SHARDS = 3


def main(directory, death_at):
    points = 0

    def abort(_point):
        nonlocal points
        points += 1
        if points == death_at:
            os.kill(os.getpid(), signal.SIGKILL)

    log = SqliteLog.open(Path(directory), shards=SHARDS, wall=Hand(), abort=abort)
    with Pump(
        log, toys(SHARDS), "v1", log.clock, batch_records=7, snapshot_every=10, abort=abort
    ) as pump:
        pump.run_until_idle()
    log.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
