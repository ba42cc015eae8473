"""A dispatcher that kills itself (-9) at a point: ``python -m tests.channels.mortal``.

Arguments: data directory, point, and at which time there. Otherwise it is the
dispatcher of the command line, ``--until-idle``.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from streams.backends.sqlite import SqliteLog
from streams.compose import dispatching, settings_of


def main(data: Path, point: str, times: int) -> None:
    """Dispatch until idle, or until the point is reached for the n-th time."""
    left = [times]

    def abort(at: str) -> None:
        if at == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with (
        closing(SqliteLog.open_read_only(data)) as log,
        dispatching(log, data, settings_of(data), show=print, say=_say, abort=abort) as dispatcher,
    ):
        while True:
            dispatcher.step()
            if dispatcher.idle:
                return
            dispatcher.wait(0.2)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
