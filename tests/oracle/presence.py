"""Where a person is believed to be at an instant: semantics.md section 2.

``presence_at`` is the rules read aloud; ``changes`` lists every instant at
which its answer can change, so that a timeline is the answers at all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from tests.oracle.countries import Countries
from tests.oracle.shapes import distance_m
from tests.oracle.times import ALWAYS, DAY, HOUR, NEVER, Fact, happened, local_start

FRESH, KEPT = 6 * HOUR, 72 * HOUR
MARGIN = DAY
GROWTH_M_PER_HOUR, GROWN_AT_MOST_M = 5_000.0, 200_000.0
STAY_AREA_AT_LEAST_M = 25_000.0
SUSPECT_FROM_M, SWAPPED_TO_M = 500_000.0, 100_000.0
DEFAULT_RADIUS_M = {"point": 100.0, "address": 200.0, "city": 5_000.0, "admin1": 75_000.0}


class Place(NamedTuple):
    """What a belief rests on; no point (None) is known by its country only."""

    precision: str
    lon: float | None
    lat: float | None
    radius_m: float
    country: str | None


class Presence(NamedTuple):
    """A belief, and what it rests on."""

    basis: str
    place: Place


class Fix(NamedTuple):
    at: int
    event_id: str
    lon: float
    lat: float
    accuracy_m: float


class Contact(NamedTuple):
    at: int
    event_id: str
    place: Place


class Stay(NamedTuple):
    begin: int
    end: int
    registration_id: str
    stay_id: str
    place: Place
    residence: bool

    def covers(self, t: int) -> bool:
        return self.begin - MARGIN <= t < self.end + MARGIN


@dataclass
class Person:
    """All facts about one person that presence and the ledger need."""

    person_id: str
    fixes: list[Fix] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    statements: list[tuple[int, str, Fact]] = field(default_factory=list)
    overrides: list[Fact] = field(default_factory=list)
    latest: int = ALWAYS

    def now(self, tick: int) -> int:
        """The later of the last tick and the latest fact about this person."""
        return max(tick, self.latest)


def filed_place(place: Fact) -> Place:
    """Return a place as filed, with the default radius of its precision."""
    precision = place["precision"]
    lon, lat = place.get("lon_deg"), place.get("lat_deg")
    if precision == "country":
        lon = lat = None
    radius_m = place.get("radius_m") or DEFAULT_RADIUS_M.get(precision, 0.0)
    return Place(precision, lon, lat, max(1.0, radius_m), place["country"])


def stay_of(registration_id: str, stay: Fact) -> Stay:
    """Return a stay with its dates as instants."""
    place = filed_place(stay["place"])
    begin = ALWAYS
    if stay.get("from_date"):
        begin = local_start(date.fromisoformat(stay["from_date"]), place.lon)
    end = NEVER
    if stay.get("to_date"):
        end = local_start(date.fromisoformat(stay["to_date"]) + timedelta(days=1), place.lon)
    residence = bool(stay.get("residence"))
    return Stay(begin, end, registration_id, stay["stay_id"], place, residence)


def people_of(facts: Iterable[Fact]) -> dict[str, Person]:
    """Return every person named in the facts, with their facts in order."""
    people: dict[str, Person] = {}
    filed: dict[tuple[str, str], tuple[int, str, Fact]] = {}
    for fact in facts:
        kind = fact["type"]
        about_a_person = kind in {"RegistrationFiled", "CheckedIn", "ContactRecorded"}
        if not about_a_person and fact.get("verb") != "override":
            continue
        person = people.setdefault(fact["person_id"], Person(fact["person_id"]))
        version = (happened(fact), fact["event_id"], fact)
        person.latest = max(person.latest, version[0])
        if kind == "RegistrationFiled":
            key = (fact["person_id"], fact["registration_id"])
            filed[key] = max(filed.get(key, version), version, key=lambda v: v[:2])
        elif kind == "CommandIssued":
            person.overrides.append(fact)
        else:
            person.statements.append(version)
            take_place(person, version[0], fact)
    for (person_id, registration_id), (_, _, fact) in filed.items():
        if not fact.get("cancelled"):
            stays = [stay_of(registration_id, stay) for stay in fact.get("stays", ())]
            people[person_id].stays += stays
    for person in people.values():
        person.fixes.sort()
        person.contacts.sort(key=lambda contact: contact[:2])
        person.statements.sort(key=lambda statement: statement[:2])
        person.fixes = [fix for fix in person.fixes if not suspect(person, fix)]
    return people


def take_place(person: Person, at: int, fact: Fact) -> None:
    """Add the fix of a check-in, or the place a contact stated."""
    position, where = fact.get("position"), fact.get("place")
    if fact["type"] == "CheckedIn" and position:
        accuracy_m = position.get("accuracy_m")
        accuracy_m = max(1.0, 100.0 if accuracy_m is None else accuracy_m)
        lon, lat = position["lon_deg"], position["lat_deg"]
        person.fixes.append(Fix(at, fact["event_id"], lon, lat, accuracy_m))
    if fact["type"] == "ContactRecorded" and where:
        person.contacts.append(Contact(at, fact["event_id"], filed_place(where)))


def suspect(person: Person, fix: Fix) -> bool:
    """Return whether longitude and latitude of a fix look exchanged."""
    if abs(fix.lon) > 90.0:
        return False
    for stay in person.stays:
        if stay.residence or not stay.covers(fix.at):
            continue
        lon, lat = stay.place.lon, stay.place.lat
        if lon is None or lat is None:
            continue
        if (
            distance_m(lon, lat, fix.lon, fix.lat) > SUSPECT_FROM_M
            and distance_m(lon, lat, fix.lat, fix.lon) <= SWAPPED_TO_M
        ):
            return True
    return False


def covering(person: Person, t: int, *, residence: bool) -> Stay | None:
    """Return the stay (or the residence) covering ``t`` that begins last."""
    found = [s for s in person.stays if s.residence is residence and s.covers(t)]
    return max(found, key=lambda s: (s.begin, s.registration_id, s.stay_id), default=None)


def grown_m(fix: Fix, t: int) -> float:
    """Return accuracy + 5 km for each whole hour of age beyond 6 h, at most 200 km."""
    hours = max(0, (t - fix.at - FRESH) // HOUR)
    return fix.accuracy_m + min(GROWN_AT_MOST_M, GROWTH_M_PER_HOUR * hours)


def fix_beats_stay(fix: Fix, stay: Stay, countries: Countries) -> bool:
    """Return whether an older fix says more than the stay (rule 3, a and b)."""
    country = countries.at(fix.lon, fix.lat)
    place = stay.place
    if place.lon is None or place.lat is None:
        inside = country is not None and country == place.country
    else:
        away_m = distance_m(place.lon, place.lat, fix.lon, fix.lat)
        inside = away_m <= max(place.radius_m, STAY_AREA_AT_LEAST_M)
    elsewhere = country is not None and country != place.country
    return inside or (elsewhere and fix.at > stay.begin - MARGIN)


def presence_at(person: Person, t: int, countries: Countries) -> Presence | None:
    """Return the best belief where a person is at ``t``; None if there is none."""
    fix = max((f for f in person.fixes if f.at <= t), default=None)
    contact = max((c for c in person.contacts if c.at <= t), default=None, key=lambda c: c[:2])
    if fix and t - fix.at <= FRESH:
        return Presence("fresh_fix", Place("point", fix.lon, fix.lat, fix.accuracy_m, None))
    if contact and t - contact.at <= KEPT:
        begun = [s for s in person.stays if not s.residence and s.covers(t)]
        if all(s.begin - MARGIN <= contact.at for s in begun):
            return Presence("stated_place", contact.place)
    old = None
    if fix and t - fix.at <= KEPT:
        old = Presence("old_fix", Place("point", fix.lon, fix.lat, grown_m(fix, t), None))
    stay = covering(person, t, residence=False)
    if stay:
        if fix and old and fix_beats_stay(fix, stay, countries):
            return old
        return Presence("stay", stay.place)
    if old:
        return old
    home = covering(person, t, residence=True)
    return Presence("residence", home.place) if home else None


def changes(person: Person) -> set[int]:
    """Return every instant at which the presence of a person can change.

    An age limit still holds at the limit itself, hence the microsecond.
    """
    instants = {ALWAYS}
    for fix in person.fixes:
        instants |= {fix.at, fix.at + FRESH + 1, fix.at + KEPT + 1}
        instants |= {fix.at + FRESH + hour * HOUR for hour in range(1, 67)}
    for contact in person.contacts:
        instants |= {contact.at, contact.at + KEPT + 1}
    for stay in person.stays:
        instants |= {stay.begin - MARGIN, stay.end + MARGIN}
    return instants
