"""`make oracle`: engine | oracle | difference, per report and tier.

Feeds real payloads and a scenario to both over the same synthetic register,
and compares after every report who is flagged, person by person; at the end
of each run every exposure and every line of the ledger. Exit code 1 on any
difference.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tests.oracle.countries import Countries
from tests.oracle.crowd import Crowd, Lines
from tests.oracle.drive import Engine, population
from tests.oracle.exposure import World
from tests.oracle.oracle import Answer, answer
from tests.oracle.presence import Person, people_of
from tests.oracle.readers import READERS
from tests.oracle.times import EPOCH, Fact, instant, iso

TIERS = ("confirmed", "probable", "possible", "country_only", "inbound")
SHORT = ("conf", "prob", "poss", "country", "inbound")
USGS = "usgs/summary_2.5_week_2016-04-12.geojson"
GDACS = "gdacs/api_eventlist_2026-04-{day}.json"
SCENARIO = Path(__file__).parents[2] / "streams" / "scenarios" / "turkiye-2023"
EVERY = 40
"""After so many reports all causes are compared, not only those concerned."""
SHOWN = 20
"""Most differences printed of one report."""
REPORTED_AFTER_MS = 20 * 60 * 1000

Cause = frozenset[str]
Flags = dict[tuple[str, Cause], str]


class Step(NamedTuple):
    """One payload, when it came, and the chains it is about (None: all)."""

    received_at: str
    feed: str
    payload: bytes
    about: frozenset[str] | None


class Story(NamedTuple):
    """A register and what came in over time."""

    title: str
    seed: int
    around: str
    steps: Sequence[Step]


def say(text: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def usgs_story(samples: Path) -> Story:
    """Return the real USGS week of 2016, report by report, by origin time."""
    summary = json.loads((samples / USGS).read_bytes())
    steps = []
    for feature in sorted(summary["features"], key=lambda f: (f["properties"]["time"], f["id"])):
        received = feature["properties"]["time"] + REPORTED_AFTER_MS
        received_at = (EPOCH + timedelta(milliseconds=received)).isoformat()
        payload = json.dumps({**summary, "features": [feature]}).encode()
        steps.append(Step(received_at, "usgs", payload, frozenset({f"usgs:{feature['id']}"})))
    return Story("USGS, the week to 12 April 2016", 7, "2016-04-10", steps)


def gdacs_story(samples: Path) -> Story:
    """Return the real GDACS lists of four days of April 2026."""
    steps = [
        Step(
            f"2026-04-{day}T12:00:00+00:00",
            "gdacs",
            (samples / GDACS.format(day=day)).read_bytes(),
            None,
        )
        for day in (17, 18, 20, 21)
    ]
    return Story("GDACS, lists of 17, 18, 20 and 21 April 2026", 7, "2026-04-19", steps)


def scenario_story() -> Story:
    """Return the replay of 6 February 2023, entry by entry."""
    told = tomllib.loads((SCENARIO / "scenario.toml").read_text(encoding="utf-8"))
    steps = [
        Step(
            entry["at"].isoformat(),
            entry.get("feed", "ndjson"),
            (SCENARIO / entry["file"]).read_bytes(),
            None,
        )
        for entry in told["entry"]
    ]
    register = told["population"]
    return Story(told["title"], register["seed"], str(register["around"]), steps)


class Register:
    """The oracle's side of a story: people and reports so far."""

    def __init__(self, world: World, facts: Sequence[Fact]) -> None:
        self._world = world
        self._of: dict[str, list[Fact]] = {}
        self._people: dict[str, Person] = {}
        self._lines: Lines = {}
        self.reports: list[Fact] = []
        self.add(facts)

    def add(self, facts: Sequence[Fact]) -> None:
        """Take facts in; whoever they are about is read anew."""
        fresh: dict[str, list[Fact]] = {}
        for fact in facts:
            if fact["type"] in {"IncidentReported", "AdvisoryIssued"}:
                self.reports.append(fact)
            else:
                self._of.setdefault(fact["person_id"], []).append(fact)
                fresh[fact["person_id"]] = self._of[fact["person_id"]]
        if fresh:
            every = (fact for of_person in fresh.values() for fact in of_person)
            self._people |= people_of(unique(every))
            self.crowd = Crowd(self._world, self._people, self._lines)

    def answer(self, now: int, about: frozenset[str] | None) -> Answer:
        """Return what holds now for the situations with one of the chains."""
        return answer(self.crowd, list(unique(self.reports)), now, only=about)


def unique(facts: Sequence[Fact] | Iterator[Fact]) -> Iterator[Fact]:
    """Yield facts of different ids: the same id twice is one event."""
    seen: set[str] = set()
    for fact in facts:
        if fact["event_id"] not in seen:
            seen.add(fact["event_id"])
            yield fact


def concerned(keys: Mapping[tuple[str, Cause], object], about: frozenset[str] | None) -> Flags:
    """Return the entries about one of the chains, each as words."""
    return {
        key: " ".join(map(str, value if isinstance(value, tuple) else (value,)))
        for key, value in keys.items()
        if about is None or key[1] & about
    }


def differing(one: Flags, other: Flags) -> list[str]:
    """Return what one side says and the other does not, in words."""
    return [
        f"    {person_id} {'+'.join(sorted(cause))}: engine {one.get((person_id, cause))},"
        f" oracle {other.get((person_id, cause))}"
        for person_id, cause in sorted(one.keys() | other.keys(), key=str)
        if one.get((person_id, cause)) != other.get((person_id, cause))
    ]


def table_rows(engine: Flags, oracle: Flags, titles: Mapping[Cause, str]) -> Iterator[str]:
    """Yield a line per incident or advisory that flags anybody, on either side."""
    ours, theirs = Counter[tuple[Cause, str]](), Counter[tuple[Cause, str]]()
    for count, flags in ((ours, engine), (theirs, oracle)):
        count.update((cause, said.split()[0]) for (_, cause), said in flags.items())
    for cause in sorted({cause for cause, _ in ours | theirs}, key=sorted):
        cells = [
            f"{ours[cause, tier]:>6}|{theirs[cause, tier]:>6}|"
            f"{ours[cause, tier] - theirs[cause, tier]:>3}"
            for tier in TIERS
        ]
        yield f"{titles.get(cause, '+'.join(sorted(cause)))[:44]:<44} " + "  ".join(cells)


def titles_of(reports: Sequence[Fact], answered: Answer) -> dict[Cause, str]:
    """Return what to call each cause in the table."""
    titles = {
        frozenset({str(fact["advisory_id"])}): f"{fact['advisory_id']} {fact['title']}"
        for fact in reports
        if fact["type"] == "AdvisoryIssued"
    }
    for incident in answered.incidents:
        titles[incident.members] = f"{incident.key.split(':')[1]} {incident.headline['title']}"
    return titles


def compared(
    engine: Engine, register: Register, now: int, about: frozenset[str] | None
) -> tuple[Flags, Flags, list[str], Answer]:
    """Return who is flagged by either side, what differs, and the oracle's answer."""
    answered, told = register.answer(now, about), engine.told()
    ours, theirs = concerned(told.exposures, about), concerned(answered.exposures, about)
    found = differing(ours, theirs)
    found += differing(concerned(told.members, about), concerned(answered.members, about))
    if told.incidents != {incident.members for incident in answered.incidents}:
        found.append("    the two sides join reports to different incidents")
    return ours, theirs, found, answered


def run(story: Story, world: World, people: int) -> int:
    """Play a story to both sides and print the table; return the differences."""
    began = time.perf_counter()
    say(f"\n== {story.title}: {people} people, seed {story.seed}, around {story.around}")
    with tempfile.TemporaryDirectory() as folder:
        facts = population(story.seed, people, story.around, Path(folder) / "people.ndjson")
    register = Register(world, facts)
    engine = Engine(facts, instant(story.steps[0].received_at))
    say(f"   {len(facts)} events taken in by both sides, {time.perf_counter() - began:.0f} s")
    say(" " * 61 + "  ".join(f"{name:^17}" for name in SHORT))
    say(f"{'received':<16} {'report':<44}" + " engine|oracle|dif" * len(TIERS))
    flagging = differences = refused = pairs = 0
    for number, step in enumerate(story.steps, start=1):
        now = instant(step.received_at)
        refused += engine.take(step.feed, step.payload, step.received_at, now)
        register.add(list(READERS[step.feed](step.payload, step.received_at)))
        ours, theirs, found, answered = compared(engine, register, now, step.about)
        for row in table_rows(ours, theirs, titles_of(register.reports, answered)):
            flagging += 1
            say(f"{iso(now)[:16]} {row}")
        pairs += len(theirs)
        if step.about and (number % EVERY == 0 or number >= len(story.steps) - 1):
            ours, theirs, all_found, _ = compared(engine, register, now, None)
            found += all_found
            pairs += len(theirs)
            say(
                f"   {number} of {len(story.steps)} reports: all causes at once,"
                f" {len(ours)} | {len(theirs)} exposures, {time.perf_counter() - began:.0f} s"
            )
        differences += len(found)
        for line in found[:SHOWN]:
            say(line)
    say_buckets(engine, register, now)
    spent = time.perf_counter() - began
    say(
        f"   {len(story.steps)} reports, {flagging} lines, {pairs} (person, cause) pairs compared,"
        f" {refused} refused, {differences} differences, {spent:.0f} s"
    )
    return differences


def say_buckets(engine: Engine, register: Register, now: int) -> None:
    """Print the ledger of both sides at the end, all situations together."""
    books = engine.told().members, register.answer(now, None).members
    buckets = [Counter(said[3] for said in book.values()) for book in books]
    say("   the ledger at the end, engine | oracle:")
    for name in sorted(buckets[0] | buckets[1]):
        say(f"     {name:<20} {buckets[0][name]:>6} | {buckets[1][name]:>6}")


def main() -> int:
    """Run the stories asked for; 0 if engine and oracle agree throughout."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.report", description=__doc__)
    parser.add_argument("--samples", default=os.environ.get("ROLLCALL_SAMPLES"))
    parser.add_argument("--people", type=int, default=43_000)
    parser.add_argument("--only", choices=("usgs", "gdacs", "r1"))
    asked = parser.parse_args()
    stories = []
    if asked.only in {None, "usgs", "gdacs"} and not asked.samples:
        say("The recorded payloads are missing: set ROLLCALL_SAMPLES, or pass --samples FOLDER.")
        say("Without them only the scenario can be compared: --only r1.")
        return 2
    if asked.only in {None, "usgs"}:
        stories.append(usgs_story(Path(asked.samples)))
    if asked.only in {None, "gdacs"}:
        stories.append(gdacs_story(Path(asked.samples)))
    if asked.only in {None, "r1"}:
        stories.append(scenario_story())
    world = World(Countries.load())
    reports = differences = 0
    for story in stories:
        differences += run(story, world, asked.people)
        reports += len(story.steps)
    say(f"\n{reports} reports, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
