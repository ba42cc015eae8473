"""A synthetic register: people who do not exist, in places that do.

Pure and reproducible. All chance comes from the raw 64-bit stream of PCG64,
which NumPy guarantees to be the same for a seed on every platform and in every
version (its ``Generator`` methods are not covered by that promise, NEP 19);
all arithmetic on the draws is on integers.

What is wrong on purpose: 3 % duplicates (half are exact repeats of an event,
half the same person registered again under another home, see ``twins``) and
2 % of the fixes with longitude and latitude exchanged. A fix whose exchanged
coordinates would not be on Earth is never exchanged (an invalid record belongs
in a test of intake, not in a register); the next fix that can be is taken
instead, so that the share holds.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import BinaryIO, Generic, NamedTuple, TypeVar

from numpy.random import PCG64

from schemas.codec import encode
from schemas.codelists import Precision
from schemas.person import CheckedIn, RegistrationFiled, Stay
from schemas.place import Position
from streams.cities import City, cities, place_of
from streams.core.stage import derive_id

T = TypeVar("T")
Filed = RegistrationFiled | CheckedIn

TRAVELLERS_SHARE = 30 / 43
"""Of 43,000 people 30,000 travel and 13,000 live abroad (scenarios, seed A)."""

TWINS_PER_MILLE = REPEATS_PER_MILLE = 15
SWAPPED_EVERY = 50
BLOCK = 8192
SPREAD_UDEG = 27_000
"""Fixes lie within 0.027 degrees, 3 km at most, of the city's centre."""


class Draws:
    """Uniform whole numbers from the raw stream of PCG64."""

    def __init__(self, seed: int) -> None:
        """Start the stream of ``seed``."""
        self._bits = PCG64(seed)
        self._block: Iterator[int] = iter(())

    def below(self, bound: int) -> int:
        """Return a whole number in [0, bound); the bias is below bound / 2**64."""
        raw = next(self._block, None)
        if raw is None:
            self._block = iter(self._bits.random_raw(BLOCK).tolist())
            raw = next(self._block)
        return raw % bound

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return low + self.below(high - low + 1)


class Weighted(Generic[T]):
    """Values to choose from by whole weights; a weight of 0 is never chosen."""

    def __init__(self, choices: Iterable[tuple[T, int]]) -> None:
        """Keep the values with the running sum of their weights."""
        pairs = tuple(choices)
        self.values = tuple(value for value, _ in pairs)
        self.sums = tuple(accumulate(weight for _, weight in pairs))

    def pick(self, draws: Draws) -> T:
        """Return one value."""
        return self.values[bisect_right(self.sums, draws.below(self.sums[-1]))]


PRECISIONS = Weighted(
    (
        (Precision.POINT, 10),
        (Precision.CITY, 55),
        (Precision.ADMIN1, 20),
        (Precision.COUNTRY, 15),
    )
)
PARTY_SIZES = Weighted(((1, 30), (2, 38), (3, 12), (4, 14), (5, 4), (6, 2)))
LANGUAGES = Weighted((("nl", 54), ("fr", 38), ("en", 6), ("de", 2)))
NATIONALITIES = Weighted((("BE", 93), ("FR", 2), ("NL", 2), ("DE", 1), ("LU", 1), ("MA", 1)))
WHEN = Weighted((("there", 60), ("ended", 10), ("soon", 12), ("later", 6), ("open", 12)))
WHEN_DAYS: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "there": ((-14, -1), (1, 14)),
    "ended": ((-30, -16), (-15, -1)),
    "soon": ((1, 3), (5, 17)),
    "later": ((4, 20), (21, 40)),
    "open": ((-60, -1), None),
}
"""Where a journey stands: first and last day, counted from the day, from the lowest to the
highest. "Soon" begins within three days, "open" has no return."""


class _Party(NamedTuple):
    """What those who share a home have in common."""

    home: str
    size: int
    stays: tuple[Stay, ...]
    filed_at: datetime
    language: str
    nationality: str
    fix_city: City | None
    at_stay: bool


class _Register:
    """One pass over the draws of a seed."""

    def __init__(self, seed: int, around: date) -> None:
        self.seed = seed
        self.around = around
        self.midnight = datetime.combine(around, time(), UTC)
        self.draws = Draws(seed)
        self.homes = self.events = self.fixes = self.owed_swaps = 0
        season = "summer" if 4 <= around.month <= 9 else "winter"
        self.to_travel = Weighted((city, getattr(city, season)) for city in cities())
        self.to_live = Weighted((city, city.resident) for city in cities())
        self.in_belgium = Weighted((city, 1) for city in cities() if city.country == "BE")

    def people(self, count: int, *, resident: bool) -> Iterator[tuple[Filed, str | None]]:
        """Yield (event, whose twin this is) for ``count`` people, twins included."""
        twins = count * TWINS_PER_MILLE // 1000
        originals = count - twins
        done = made = 0
        while done < originals:
            party = self.party(resident=resident, most=originals - done)
            for n in range(1, party.size + 1):
                for event in self.member(party, n):
                    yield event, None
                done += 1
                if done * twins // originals > made:
                    made += 1
                    yield self.twin(party, n), f"{party.home}.{n}"

    def home(self) -> str:
        """Return a new home id; distinct for 2**32 homes of a seed (a bijection)."""
        start = int.from_bytes(hashlib.blake2b(str(self.seed).encode(), digest_size=4).digest())
        mixed = (start + self.homes) & 0xFFFFFFFF
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
            mixed = ((mixed ^ (mixed >> shift)) * factor) & 0xFFFFFFFF
        self.homes += 1
        return f"h{mixed:08x}"

    def event_id(self) -> str:
        """Return the id of the next event of this seed."""
        self.events += 1
        return derive_id("pop", self.seed, self.events)

    def party(self, *, resident: bool, most: int) -> _Party:
        """Return a party of at most ``most`` people."""
        draws = self.draws
        precision = PRECISIONS.pick(draws)
        if resident:
            city = self.to_live.pick(draws)
            stays: tuple[Stay, ...] = (self.residence(city, precision),)
            there = True
            filed_days = draws.between(4, 1000)
        else:
            city = self.to_travel.pick(draws)
            when = WHEN.pick(draws)
            stays = self.journey(city, precision, when)
            there = when in {"there", "open"}
            filed_days = draws.between(4, 60)
        at_fix = city if there else self.in_belgium.pick(draws)
        return _Party(
            home=self.home(),
            size=min(PARTY_SIZES.pick(draws), most),
            stays=stays,
            filed_at=self.midnight - timedelta(days=filed_days, seconds=draws.below(86_400)),
            language=LANGUAGES.pick(draws),
            nationality=NATIONALITIES.pick(draws),
            fix_city=at_fix if precision is Precision.POINT else None,
            at_stay=there,
        )

    def residence(self, city: City, precision: Precision) -> Stay:
        """Return a residence, three in four of known beginning."""
        since = self.around - timedelta(days=self.draws.between(1000, 7000))
        return Stay(
            stay_id="home",
            place=place_of(city, precision),
            from_date=since if self.draws.below(4) else None,
            residence=True,
        )

    def journey(self, city: City, precision: Precision, when: str) -> tuple[Stay, ...]:
        """Return the stays of a journey; one in five of those with an end goes on."""
        draws = self.draws
        begins, ends = WHEN_DAYS[when]
        first = draws.between(*begins)
        last = draws.between(*ends) if ends else None
        stays = [self.stay("1", city, precision, first, last)]
        if last is not None and draws.below(5) == 0:
            onward = self.to_travel.pick(draws)
            stays.append(self.stay("2", onward, precision, last, last + draws.between(2, 7)))
        return tuple(stays)

    def stay(
        self, stay_id: str, city: City, precision: Precision, first: int, last: int | None
    ) -> Stay:
        """Return a stay from ``first`` to ``last``, in days from the day."""
        return Stay(
            stay_id=stay_id,
            place=place_of(city, precision),
            from_date=self.around + timedelta(days=first),
            to_date=None if last is None else self.around + timedelta(days=last),
        )

    def member(self, party: _Party, n: int) -> Iterator[Filed]:
        """Yield the registration of one member, and a fix where the party has them."""
        yield self.registration(party, f"{party.home}.{n}", "r1", minor=n > 2)
        if party.fix_city is not None:
            yield self.fix(party.fix_city, f"{party.home}.{n}", may_swap=party.at_stay)

    def registration(
        self, party: _Party, person_id: str, registration_id: str, *, minor: bool
    ) -> RegistrationFiled:
        """Return the registration of one person."""
        return RegistrationFiled(
            event_id=self.event_id(),
            source="synthetic",
            occurred_at=party.filed_at,
            received_at=party.filed_at,
            person_id=person_id,
            registration_id=registration_id,
            stays=party.stays,
            party_id=person_id.rpartition(".")[0] if party.size > 1 else None,
            minor=minor,
            nationality=party.nationality,
            language=party.language,
        )

    def twin(self, party: _Party, n: int) -> RegistrationFiled:
        """Return the same person, registered again an hour later and alone."""
        again = party._replace(size=1, filed_at=party.filed_at + timedelta(hours=1))
        return self.registration(again, f"{self.home()}.1", "r1", minor=n > 2)

    def fix(self, city: City, person_id: str, *, may_swap: bool) -> CheckedIn:
        """Return a fix near the centre of ``city``, every fiftieth one exchanged."""
        draws = self.draws
        lon = city.lon_udeg + draws.between(-SPREAD_UDEG, SPREAD_UDEG)
        lat = city.lat_udeg + draws.between(-SPREAD_UDEG, SPREAD_UDEG)
        self.fixes += 1
        self.owed_swaps += self.fixes % SWAPPED_EVERY == 0
        if self.owed_swaps and may_swap and abs(lon) <= 90_000_000:
            self.owed_swaps -= 1
            lon, lat = lat, lon
        lon = (lon + 180_000_000) % 360_000_000 - 180_000_000
        at = self.midnight - timedelta(seconds=draws.between(1, 3 * 86_400))
        return CheckedIn(
            event_id=self.event_id(),
            source="synthetic",
            occurred_at=at,
            received_at=at,
            person_id=person_id,
            position=Position(
                lon_deg=lon / 1_000_000,
                lat_deg=lat / 1_000_000,
                accuracy_m=float(draws.between(10, 100)),
            ),
        )


def _filed(
    seed: int, people: int, around: date, travellers_share: float
) -> Iterator[tuple[Filed, str | None]]:
    """Yield (event, whose twin this is); no event twice yet."""
    if people < 0 or not 0.0 <= travellers_share <= 1.0:
        msg = f"people {people} must be 0 or more, travellers_share {travellers_share} 0 to 1"
        raise ValueError(msg)
    register = _Register(seed, around)
    travellers = round(people * travellers_share)
    yield from register.people(travellers, resident=False)
    yield from register.people(people - travellers, resident=True)


def generate(
    seed: int, people: int, around: date, travellers_share: float = TRAVELLERS_SHARE
) -> Iterator[Filed]:
    """Yield the register of exactly ``people`` person ids around a day.

    Registrations are filed 4 days or more before ``around``, fixes made in the
    3 days before its first moment (UTC); whoever is not on the way then has the
    fix in Belgium. ``received_at`` is ``occurred_at``. The repeats of events
    come last, far from what they repeat. The same arguments give the same
    events, byte for byte. Raises ``ValueError`` for a negative number or a
    share outside 0 to 1.
    """
    repeats: list[Filed] = []
    number = 0
    for number, (event, _) in enumerate(_filed(seed, people, around, travellers_share), start=1):
        if number * REPEATS_PER_MILLE // 1000 > len(repeats):
            repeats.append(event)
        yield event
    yield from repeats


def twins(
    seed: int, people: int, around: date, travellers_share: float = TRAVELLERS_SHARE
) -> tuple[tuple[str, str], ...]:
    """Return (person_id, person_id of the second registration) of all twins.

    What somebody who looks for duplicates should find in ``generate`` of the
    same arguments.
    """
    return tuple(
        (original, event.person_id)
        for event, original in _filed(seed, people, around, travellers_share)
        if original is not None
    )


def write_ndjson(events: Iterable[Filed], file: BinaryIO) -> int:
    """Write events as lines ``{"type": ..., ...}``; return how many lines."""
    lines = 0
    for event in events:
        file.write(b'{"type":"%s",%s\n' % (type(event).__name__.encode(), encode(event)[1:]))
        lines += 1
    return lines
