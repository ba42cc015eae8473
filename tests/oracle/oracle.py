"""The oracle: what the core must say, from the facts and the clock alone.

An independent second writing of docs/semantics.md: it imports nothing of
Rollcall, evaluates at every instant at which anything can change, and trades
every speed for being obviously right. People of whose places none is within
reach of any zone of a cause are left out of that cause before; nothing else
is skipped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.oracle.advisories import advisories_of
from tests.oracle.crowd import Crowd
from tests.oracle.exposure import TIERS, Run, World, inbound, runs, since
from tests.oracle.incidents import Incident, Version, incidents_of
from tests.oracle.ledger import Input, bucket, statements_of
from tests.oracle.presence import Person
from tests.oracle.times import DAY, Fact


class Exposure(NamedTuple):
    """An open exposure, or an inbound one, at ``now``."""

    tier: str
    band: str
    since: int


class Member(NamedTuple):
    """A member of a situation."""

    held: bool
    first_at: int
    tier: str
    bucket: str


class Standing(NamedTuple):
    """One person and one incident: exposed now, and ever, by held or corrected zones.

    ``onset`` is that of the held version that matched last, else the earliest
    of the corrected ones; calls for help count from the earliest of all.
    """

    incident: Incident
    exposure: Exposure | None
    held: list[Run]
    corrected: list[Run]
    onset: int
    calls_from: int


class Answer(NamedTuple):
    """What holds at ``now``.

    A cause is the members (chain ids) of an incident or an advisory's id
    alone, a situation the members of the incident it is named after.
    """

    incidents: Sequence[Incident]
    exposures: Mapping[tuple[str, frozenset[str]], Exposure]
    members: Mapping[tuple[str, frozenset[str]], Member]


def exposure_of(
    world: World, person: Person, held: Sequence[Run], versions: Sequence[Version], now: int
) -> Exposure | None:
    """Return the exposure of a person to one cause at now; ``versions`` are held."""
    if held and held[-1].end > now:
        match = held[-1].match
        return Exposure(match.tier, match.band, since(held))
    coming = inbound(world, person, versions, now)
    return Exposure("inbound", coming[1].band, coming[0] - 3 * DAY) if coming else None


def last_tier(found: Iterable[Run], now: int) -> str:
    """Return the best tier at the last instant of any of the runs."""
    ends = [(min(run.end, now + 1), run.match.tier) for run in found]
    last = max(end for end, _ in ends)
    return min((tier for end, tier in ends if end == last), key=TIERS.index)


def member_of(standings: Sequence[Standing], said: Sequence[Input], now: int) -> Member | None:
    """Return a person's line in the ledger of one situation; None: not a member."""
    held = any(s.held for s in standings)
    counted = [(s.incident, s.held if held else s.corrected) for s in standings]
    counted = [(incident, found) for incident, found in counted if found]
    if not counted:
        return None
    tiers = [s.exposure.tier for s in standings if s.exposure and s.exposure.tier in TIERS]
    every = [run for _, found in counted for run in found]
    tier = min(tiers, key=TIERS.index) if tiers else last_tier(every, now)
    counting = [incident for incident, _ in counted]
    onsets = [s.onset for s in standings if s.incident in counting]
    calls_from = min(s.calls_from for s in standings if s.held or s.corrected)
    name = bucket(onsets, said, now, held=held, calls_from=calls_from)
    return Member(held, min(run.start for run in every), tier, name)


def standing_of(crowd: Crowd, person: Person, incident: Incident, tick: int) -> Standing:
    """Return how one person stands to one incident; each corrected version apart."""
    now = person.now(tick)
    line = crowd.line(person, now)
    lasting = [v for v in incident.versions if not v.corrected]
    held = runs(crowd.world, line, lasting, now)
    corrected: list[Run] = []
    for number in sorted({v.number for v in incident.versions if v.corrected}):
        version = [v for v in incident.versions if v.corrected and v.number == number]
        corrected += runs(crowd.world, line, version, now)
    exposure = exposure_of(crowd.world, person, held, lasting, now)
    alone = [(v, runs(crowd.world, line, [v], now)) for v in incident.versions]
    matched = [(v, found[-1].end) for v, found in alone if found]
    lately = [(end, v.onset) for v, end in matched if not v.corrected]
    calls_from = min((v.onset for v, _ in matched), default=0)
    onset = max(lately)[1] if lately else calls_from
    return Standing(incident, exposure, held, corrected, onset, calls_from)


def answer(
    crowd: Crowd,
    facts: Sequence[Fact],
    tick: int,
    *,
    only: frozenset[str] | None = None,
    situation_ids: Mapping[str, str] | None = None,
) -> Answer:
    """Return what holds at a tick, given all facts about incidents and advice.

    ``only``: answer for the situations with one of these chains alone, and for
    no advice. ``situation_ids``: which chain's own incident the situation id
    in an override stands for.
    """
    incidents = incidents_of(facts)
    wanted = incidents
    if only is not None:
        concerned = {i.situation or i.key for i in incidents if i.members & only}
        wanted = [i for i in incidents if (i.situation or i.key) in concerned]
    exposures: dict[tuple[str, frozenset[str]], Exposure] = {}
    standings: dict[tuple[str, str], list[Standing]] = {}
    for incident in wanted:
        for person in crowd.near(incident.versions):
            standing = standing_of(crowd, person, incident, tick)
            if standing.exposure:
                exposures[person.person_id, incident.members] = standing.exposure
            if incident.situation is not None:
                standings.setdefault((person.person_id, incident.situation), []).append(standing)
    for advisory_id, versions in advisories_of(facts).items() if only is None else ():
        for person in crowd.near(versions):
            now = person.now(tick)
            held = runs(crowd.world, crowd.line(person, now), versions, now)
            exposure = exposure_of(crowd.world, person, held, versions, now)
            if exposure:
                exposures[person.person_id, frozenset({advisory_id})] = exposure
    named = {incident.key: incident.members for incident in incidents}
    members: dict[tuple[str, frozenset[str]], Member] = {}
    for (person_id, situation), standing_in in standings.items():
        person = crowd.people[person_id]
        said = statements_of(
            person,
            (
                order
                for order in person.overrides
                if situation_of(order, incidents, situation_ids or {}) == situation
            ),
        )
        member = member_of(standing_in, said, person.now(tick))
        if member:
            members[person_id, named[situation]] = member
    return Answer(incidents, exposures, members)


def situation_of(
    override: Fact, incidents: Iterable[Incident], situation_ids: Mapping[str, str]
) -> str | None:
    """Return the situation an override is about."""
    chain = situation_ids.get(override["situation_id"])
    return next((i.situation for i in incidents if chain in i.members), None)
