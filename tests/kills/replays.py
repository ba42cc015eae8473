"""Replays that are killed again and again, and what came of them."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.kills.looks import (
    NOTHING,
    called,
    complaints,
    differences,
    hit,
    journal,
    log_rows,
    look,
    state,
)
from tests.kills.mortal import ROOT, command, deaths, of_a_replay, timed

SCENARIO = ROOT / "streams" / "scenarios" / "turkiye-2023"
PEOPLE = 600
SNAPSHOT_EVERY = 20

UNDISTURBED = {"ROLLCALL_LOG_SHARDS": "4"}
"""The settings of the undisturbed run: those of every installation, but 4 shards."""

KILLED = UNDISTURBED | {
    "ROLLCALL_PUMP_BATCH": "40",
    "ROLLCALL_PUMP_SNAPSHOT_EVERY": str(SNAPSHOT_EVERY),
    "ROLLCALL_WRITER_BATCH": "25",
}
"""Those of the killed runs: many small commits and snapshots, so that kills meet them."""


class Result(NamedTuple):
    """One killed replay: what it died at each time, and what differs at its end."""

    seed: str
    hits: tuple[str, ...]
    different: tuple[str, ...]
    complaints: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether it ended as the undisturbed run did, and says so itself."""
        return not self.different and not self.complaints


def small_scenario(folder: Path) -> Path:
    """Write the Türkiye scenario with fewer people into ``folder``; return it."""
    shutil.copytree(SCENARIO, folder)
    file = folder / "scenario.toml"
    text = file.read_text(encoding="utf-8")
    small = text.replace("people = 43000", f"people = {PEOPLE}")
    assert small != text
    file.write_text(small, encoding="utf-8")
    return folder


class Replays:
    """The undisturbed run of a scenario, and killed ones to hold against it."""

    def __init__(self, folder: Path) -> None:
        """Replay once, undisturbed."""
        self._folder = folder
        self._scenario = small_scenario(folder / "scenario")
        whole = folder / "whole"
        self.whole_s = timed(self._words(whole), UNDISTURBED)
        assert complaints(whole) == []
        self._state = state(whole)
        self._journal = journal(whole)
        self._log = log_rows(whole)
        assert self._state["ledger"]

    def killed(self, seed: str, at_most: int) -> Result:
        """Replay with at most so many kills, until a run ends by itself."""
        chance = random.Random(seed)
        data, scratch = self._folder / f"killed-{seed}", self._folder / "scratch"
        hits: list[str] = []
        before = NOTHING
        for life in deaths(
            self._words(data), KILLED, lambda: of_a_replay(chance, self.whole_s), at_most
        ):
            after = look(data, scratch, SNAPSHOT_EVERY)
            hits.append(hit(before, after, life.pid))
            before = after
            if after is not NOTHING:
                called(scratch, "status")
        found = self._different(data)
        result = Result(seed, tuple(hits), tuple(found), tuple(complaints(data)))
        if result.equal:
            shutil.rmtree(data)
        return result

    def _different(self, data: Path) -> Iterator[str]:
        yield from differences(self._state, state(data))
        yield from differences(self._journal, journal(data))
        if log_rows(data) != self._log:
            yield "log"

    def _words(self, data: Path) -> list[str]:
        return command(data, "replay", self._scenario)


def replays(folder: Path, seed: int, kills: int) -> Iterator[Result]:
    """Yield killed replays until there have been so many kills in all."""
    undisturbed = Replays(folder)
    done = 0
    number = 0
    while done < kills:
        result = undisturbed.killed(f"{seed}-{number}", kills - done)
        done += len(result.hits)
        number += 1
        yield result


def summary(results: list[Result]) -> str:
    """Return in words how many kills there were, at what, and what came of them."""
    hits = Counter(place for result in results for place in result.hits)
    places = ", ".join(f"{place} {count}" for place, count in hits.most_common())
    wrong = sum(not result.equal for result in results)
    kills = f"{hits.total()} kills in {len(results)} replays ({places})"
    return f"{kills}; different at the end: {wrong}"
