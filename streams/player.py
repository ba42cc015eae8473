"""Scenarios: past crises as data, and the plan by which they are replayed.

A scenario is a folder with a ``scenario.toml`` and payload files; none exists
as Python. ``load_scenario`` reads it from disk and refuses it as a whole if
anything about it is wrong. ``plan`` is pure: the records that a replay puts
into the log, in order. The scenario is the clock: ``received_at`` of an entry
is its ``at``, and a ``Tick`` follows it, with others in between so that what
time alone brings about happens at its time. How fast the steps are taken is
the caller's affair and changes none of them.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from schemas.codelists import Status
from schemas.envelope import Event
from streams.errors import BadInputError
from streams.feeds import feed_named
from streams.feeds.base import ItemReject
from streams.population import TRAVELLERS_SHARE, generate
from streams.replayed_feeds import Poll, healths
from streams.ticks import tick_of

SCENARIO_FILE = "scenario.toml"

TICK_EVERY = timedelta(minutes=10)
"""Longest wait for a tick; also the longest jump that needs no ``resume``."""

BATCH_EVENTS = 1000
"""Most events of the register in one step."""


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The synthetic register that a scenario starts with."""

    seed: int
    people: int
    around: date
    travellers_share: float = TRAVELLERS_SHARE


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes in at ``at``: the payload of a feed, or events of one type.

    Of ``feed`` and ``type`` exactly one stands. ``type`` names the message
    that every line of an NDJSON file is; a line that is not makes the whole
    scenario invalid, while what a feed refuses is part of the story.
    ``invented`` says that time or content is made up, ``note`` which of it.
    """

    at: datetime
    file: str
    feed: str | None = None
    type: str | None = None
    invented: bool = False
    note: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    start: datetime
    end: datetime
    status: Literal["Actual", "Exercise"]
    fast_until: datetime | None = None
    population: Population | None = None
    poll: tuple[Poll, ...] = ()
    entry: tuple[Entry, ...] = ()


class Scenario(NamedTuple):
    """A valid scenario; ``payloads`` are the bytes of ``entries``, in order.

    Until ``fast_until`` nothing happens yet that anybody waits to see: a paced
    replay may take that stretch faster.
    """

    name: str
    title: str
    start: datetime
    end: datetime
    status: Status
    population: Population | None
    entries: tuple[Entry, ...]
    payloads: tuple[bytes, ...]
    polls: tuple[Poll, ...] = ()
    fast_until: datetime | None = None


class Step(NamedTuple):
    """One act of a replay: events to take in, or one tick to append.

    ``what`` is "register", "feeds", "tick" or the name of the entry's file. ``refused``
    is what the entry's feed could not read. All of a step's events may be
    taken in twice: their ids are the same every time.
    """

    at: datetime
    what: str
    events: tuple[Event, ...]
    refused: tuple[ItemReject, ...] = ()


def load_scenario(folder: Path) -> Scenario:
    """Return the scenario in ``folder``; ``BadInputError`` says what is wrong."""
    path = folder / SCENARIO_FILE
    try:
        said = msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise _bad(folder, f"cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise _bad(folder, str(error)) from error
    start = _whole_second(folder, said.start, "start")
    end = _whole_second(folder, said.end, "end")
    if end <= start:
        raise _bad(folder, f"end {_iso(end)} is not after start {_iso(start)}")
    entries: list[Entry] = []
    payloads: list[bytes] = []
    before = start
    for number, entry in enumerate(said.entry, start=1):
        where = f"entry {number} ({entry.file})"
        at = _whole_second(folder, entry.at, f"{where}: at")
        if not before <= at <= end:
            limit = "after the end" if at > end else f"before {_iso(before)}, out of order"
            raise _bad(folder, f"{where}: at {_iso(at)} is {limit}")
        before = at
        entries.append(msgspec.structs.replace(entry, at=at))
        payloads.append(_payload(folder, entry, where))
    scenario = Scenario(
        name=folder.name,
        title=said.title,
        start=start,
        end=end,
        status=Status(said.status),
        population=said.population,
        entries=tuple(entries),
        payloads=tuple(payloads),
        polls=_polls(folder, said.poll, entries),
        fast_until=_fast_until(folder, said.fast_until, start, end),
    )
    _check_types(folder, scenario)
    return scenario


def plan(
    scenario: Scenario,
    resume_after: datetime | None = None,
    *,
    tick_every: timedelta = TICK_EVERY,
) -> Iterator[Step]:
    """Yield the steps of a replay, in order; all of them end with a tick.

    The register comes first and has been received before the start. With
    ``resume_after``, the log's last tick, everything up to it is left out and
    the step after it begins: what stood between that tick and the next may be
    in the log already and is given again. Ticks more than 10 minutes apart
    (``tick_every``) are marked ``resume``, as the stages ask.
    """
    last = resume_after
    at_once = {entry.at for entry in scenario.entries} | {scenario.end}
    if scenario.population is not None and last is None:
        yield from _register(scenario, scenario.population)
    for at in _moments(scenario, at_once, tick_every):
        if resume_after is not None and at <= resume_after:
            continue
        for entry, payload in zip(scenario.entries, scenario.payloads, strict=True):
            if entry.at == at:
                yield _step(scenario, entry, payload)
        if said := tuple(healths(scenario.polls, scenario.start, last, at)):
            yield Step(at, "feeds", said)
        yield Step(at, "tick", (tick_of(at, last, "scenario"),))
        last = at


def _moments(
    scenario: Scenario, at_once: set[datetime], tick_every: timedelta
) -> Iterator[datetime]:
    """Yield the times of all ticks: every ``tick_every``, every entry, the end."""
    regular = range(int((scenario.end - scenario.start) / tick_every) + 1)
    yield from sorted(at_once | {scenario.start + n * tick_every for n in regular})


def _register(scenario: Scenario, population: Population) -> Iterator[Step]:
    events = generate(
        population.seed, population.people, population.around, population.travellers_share
    )
    while batch := tuple(islice(events, BATCH_EVENTS)):
        yield Step(scenario.start, "register", tuple(_marked(scenario, event) for event in batch))


def _step(scenario: Scenario, entry: Entry, payload: bytes) -> Step:
    parsed = feed_named(entry.feed or "ndjson").parse(payload, entry.at)
    return Step(
        at=entry.at,
        what=entry.file,
        events=tuple(_marked(scenario, item) for item in parsed if isinstance(item, Event)),
        refused=tuple(item for item in parsed if isinstance(item, ItemReject)),
    )


def _marked(scenario: Scenario, event: Event) -> Event:
    """Return the event with the scenario's status; a drill's are never Actual."""
    if scenario.status is Status.ACTUAL:
        return event
    return msgspec.structs.replace(event, status=scenario.status)


def _check_types(folder: Path, scenario: Scenario) -> None:
    """Refuse a file whose lines are not what its ``type`` says they are."""
    for number, (entry, payload) in enumerate(
        zip(scenario.entries, scenario.payloads, strict=True), start=1
    ):
        if entry.type is None:
            continue
        where = f"entry {number} ({entry.file})"
        step = _step(scenario, entry, payload)
        for item in step.refused:
            raise _bad(folder, f"{where}: {item.item}: {item.reason}")
        for event in step.events:
            if type(event).__name__ != entry.type:
                found = f"{event.event_id} is {type(event).__name__}, not {entry.type}"
                raise _bad(folder, f"{where}: {found}")


def _polls(folder: Path, polls: tuple[Poll, ...], entries: list[Entry]) -> tuple[Poll, ...]:
    """Return the polls; refuse unknown feeds, and one that speaks while it is silent."""
    for poll in polls:
        where = f"poll of {poll.feed}"
        try:
            feed_named(poll.feed)
        except KeyError as error:
            raise _bad(folder, f"{where}: {error.args[0]}") from error
        if sum(one.feed == poll.feed for one in polls) > 1:
            raise _bad(folder, f"{where}: stands twice")
        for entry in entries:
            if entry.feed == poll.feed and poll.silence_at(entry.at):
                raise _bad(
                    folder, f"{where}: is silent at {_iso(entry.at)}, yet gives {entry.file}"
                )
    return polls


def _fast_until(
    folder: Path, said: datetime | None, start: datetime, end: datetime
) -> datetime | None:
    if said is None:
        return None
    at = _whole_second(folder, said, "fast_until")
    if not start <= at <= end:
        raise _bad(folder, f"fast_until {_iso(at)} is not between start and end")
    return at


def _payload(folder: Path, entry: Entry, where: str) -> bytes:
    if (entry.feed is None) == (entry.type is None):
        raise _bad(folder, f"{where}: exactly one of feed and type must stand")
    if entry.feed is not None:
        try:
            feed_named(entry.feed)
        except KeyError as error:
            raise _bad(folder, f"{where}: {error.args[0]}") from error
    path = folder / entry.file
    if folder.resolve() not in path.resolve().parents:
        raise _bad(folder, f"{where}: the file is outside of the scenario's folder")
    try:
        return path.read_bytes()
    except OSError as error:
        raise _bad(folder, f"{where}: cannot be read: {error.strerror}") from error


def _whole_second(folder: Path, at: datetime, field: str) -> datetime:
    """Return ``at`` in UTC; ticks are named by the second."""
    if at.tzinfo is None:
        raise _bad(folder, f"{field} has no time zone; write it as 2023-02-06T01:17:34Z")
    if at.microsecond:
        raise _bad(folder, f"{field} {at.isoformat()} is not a whole second")
    return at.astimezone(UTC)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bad(folder: Path, what: str) -> BadInputError:
    return BadInputError(
        f"{folder.name}/{SCENARIO_FILE}: {what}",
        hint="streams/scenarios/README.md shows the format, its folders have three that work",
    )
