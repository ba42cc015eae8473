"""What every peer does with a record, and how it is timed: from the first to the last."""

import argparse
import json
import os
import time

import msgspec


class CheckIn(msgspec.Struct):
    """What the peers read of a check-in."""

    person_id: str
    occurred_at: str
    position: dict[str, float] | None = None


class Count:
    """Counts records by person until it has seen so many."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._seen = 0
        self._of: dict[str, int] = {}
        self._decode = msgspec.json.Decoder(CheckIn).decode
        self._began = self._ended = (0.0, 0.0)

    @property
    def complete(self) -> bool:
        return self._seen >= self._wanted

    def add(self, body: bytes) -> None:
        if self._seen == 0:
            self._began = _now()
        person_id = self._decode(body).person_id
        self._of[person_id] = self._of.get(person_id, 0) + 1
        self._seen += 1
        if self._seen == self._wanted:
            self._ended = _now()

    def tell(self) -> None:
        """Print what it took, as the last line; all threads' CPU counts."""
        wall_s, cpu_s = (b - a for a, b in zip(self._began, self._ended, strict=True))
        said = {"records": self._seen, "people": len(self._of), "wall_s": wall_s, "cpu_s": cpu_s}
        print(json.dumps(said), flush=True)


def _now() -> tuple[float, float]:
    times = os.times()
    return time.monotonic(), times.user + times.system


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap", "topic", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--records", type=int, required=True)
    return parser.parse_args()
