"""``python -m tests.kills``: kill replays, print each, compare at the end."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.kills.replays import replays, summary


def main() -> int:
    """Return 1 if any killed replay ended otherwise than the undisturbed one."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder in which what differs is left")
    said = parser.parse_args()
    began_s = time.monotonic()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for result in replays(said.keep or Path(scratch), said.seed, said.kills):
            results.append(result)
            words = ", ".join((*result.different, *result.complaints)) or "equal"
            print(f"seed {result.seed}: {'; '.join(result.hits)} -> {words}", flush=True)
    print(f"{summary(results)}; {time.monotonic() - began_s:.0f} s")
    return any(not result.equal for result in results)


if __name__ == "__main__":
    sys.exit(main())
