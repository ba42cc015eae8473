"""The synthetic register is the same every time, and wrong exactly where it should be."""

import hashlib
import io
import json
from collections import Counter
from datetime import date, timedelta

import pytest
from pyproj import Geod

from schemas.codec import decode
from schemas.codelists import Precision
from schemas.person import CheckedIn, RegistrationFiled, home_of
from streams.cities import cities
from streams.population import generate, twins, write_ndjson

AROUND = date(2023, 2, 6)
SEED, PEOPLE = 7, 10_000
WGS84 = Geod(ellps="WGS84")


def lines(seed, people, around=AROUND):
    file = io.BytesIO()
    assert write_ndjson(generate(seed, people, around), file) == file.getvalue().count(b"\n")
    return file.getvalue()


@pytest.fixture(scope="module")
def events():
    return list(generate(SEED, PEOPLE, AROUND))


@pytest.fixture(scope="module")
def filed(events):
    """The first registration of every person."""
    found: dict[str, RegistrationFiled] = {}
    for event in events:
        if isinstance(event, RegistrationFiled):
            found.setdefault(event.person_id, event)
    return found


@pytest.fixture(scope="module")
def fixes(events):
    return {event.event_id: event for event in events if isinstance(event, CheckedIn)}


def near(lon_deg, lat_deg, centre):
    return WGS84.inv(lon_deg, lat_deg, centre[0], centre[1])[2] < 5_000


def travels(event):
    return not event.stays[0].residence


def test_the_same_seed_gives_the_same_bytes():
    digest = "527efb217430b1b7d72b094191ce4344bdb21d86a38f552cba22d6a0ca711cb6"
    assert hashlib.sha256(lines(2023, 500)).hexdigest() == digest
    assert lines(2024, 500) != lines(2023, 500)


def test_every_line_decodes_to_what_was_written():
    decoded = []
    for line in lines(SEED, 300).splitlines():
        fields = json.loads(line)
        decoded.append(decode(fields.pop("type"), json.dumps(fields).encode()))
    assert decoded == list(generate(SEED, 300, AROUND))


def test_there_are_exactly_as_many_people_as_asked_for_and_30_in_43_travel(filed):
    assert len(filed) == PEOPLE
    assert sum(map(travels, filed.values())) == 6977  # 10,000 x 30 / 43
    assert len({home_of(person_id) for person_id in filed}) < PEOPLE / 2


def test_nobody_and_everybody_can_be_asked_for():
    assert list(generate(SEED, 0, AROUND)) == []
    assert not any(
        travels(event)
        for event in generate(SEED, 50, AROUND, travellers_share=0.0)
        if isinstance(event, RegistrationFiled)
    )
    with pytest.raises(ValueError, match="travellers_share 1.5"):
        next(generate(SEED, 1, AROUND, travellers_share=1.5))


def test_places_are_known_as_precisely_as_people_tell(filed, fixes):
    fixed = {event.person_id for event in fixes.values()}
    shares = Counter(
        "point" if person_id in fixed else event.stays[0].place.precision.value
        for person_id, event in filed.items()
    )
    assert {name: round(count / PEOPLE, 2) for name, count in shares.items()} == pytest.approx(
        {"point": 0.10, "city": 0.55, "admin1": 0.20, "country": 0.15}, abs=0.015
    )
    assert all(
        event.stays[0].place.precision is Precision.CITY
        for person_id, event in filed.items()
        if person_id in fixed
    )


def test_one_in_eight_travellers_filed_no_return_and_no_resident_did(filed):
    travelling = [event for event in filed.values() if travels(event)]
    open_ended = sum(event.stays[-1].to_date is None for event in travelling)
    assert open_ended / len(travelling) == pytest.approx(0.12, abs=0.015)
    residents = [event for event in filed.values() if not travels(event)]
    assert all(event.stays[0].to_date is None for event in residents)


def test_some_stays_cover_the_day_some_have_ended_some_begin_within_three_days(filed):
    soon = AROUND + timedelta(days=3)
    where = Counter(
        "ended"
        if event.stays[0].to_date and event.stays[0].to_date < AROUND
        else "there"
        if event.stays[0].from_date <= AROUND
        else "soon"
        if event.stays[0].from_date <= soon
        else "later"
        for event in filed.values()
        if travels(event)
    )
    total = where.total()
    assert {name: round(count / total, 2) for name, count in where.items()} == pytest.approx(
        {"there": 0.72, "ended": 0.10, "soon": 0.12, "later": 0.06}, abs=0.015
    )


def test_families_share_a_home_a_party_and_their_stays(filed):
    homes: dict[str, list[RegistrationFiled]] = {}
    for event in filed.values():
        homes.setdefault(home_of(event.person_id), []).append(event)
    sizes = Counter(map(len, homes.values()))
    assert sorted(sizes) == [1, 2, 3, 4, 5, 6]
    for home, members in homes.items():
        assert len({member.stays for member in members}) == 1
        assert [m.person_id for m in members] == [f"{home}.{n + 1}" for n in range(len(members))]
        if len(members) > 1:
            assert {member.party_id for member in members} == {home}
            assert [m.minor for m in members] == [n >= 2 for n in range(len(members))]


def test_nobody_is_received_before_they_speak_and_all_of_it_before_the_day(events):
    for event in events:
        assert event.received_at == event.occurred_at
        days = (event.occurred_at.date() - AROUND).days
        assert days < -3 if isinstance(event, RegistrationFiled) else -3 <= days < 0


def test_fixes_lie_where_the_person_is_and_one_in_fifty_is_exchanged(filed, fixes):
    centres = {city.name: (city.lon_udeg / 1e6, city.lat_udeg / 1e6) for city in cities()}
    at_home = [centres[name] for name in ("Brussels", "Antwerp", "Liege")]
    exchanged = 0
    for event in fixes.values():
        position = event.position
        assert 10 <= position.accuracy_m <= 100
        stays_in = centres[filed[event.person_id].stays[0].place.name]
        lon_deg, lat_deg = position.lon_deg, position.lat_deg
        if not any(near(lon_deg, lat_deg, centre) for centre in (stays_in, *at_home)):
            assert near(lat_deg, lon_deg, stays_in)
            exchanged += 1
    assert exchanged == len(fixes) // 50


def test_duplicates_are_those_that_are_owned_up_to(events, filed):
    repeated = [n for _, n in Counter(event.event_id for event in events).items() if n > 1]
    assert set(repeated) == {2}
    assert len(repeated) == (len(events) - len(repeated)) * 15 // 1000
    pairs = twins(SEED, PEOPLE, AROUND)
    assert len(pairs) == 6977 * 15 // 1000 + 3023 * 15 // 1000
    for original, twin in pairs:
        assert home_of(original) != home_of(twin)
        assert filed[original].stays == filed[twin].stays
        assert filed[twin].party_id is None


def test_summer_and_winter_send_people_to_other_places():
    def share(around, country):
        firsts = [e for e in generate(SEED, 4000, around) if isinstance(e, RegistrationFiled)]
        return sum(e.stays[0].place.country == country for e in firsts) / len(firsts)

    assert share(date(2023, 7, 15), "GR") > 3 * share(AROUND, "GR")
    assert share(AROUND, "AT") > 2 * share(date(2023, 7, 15), "AT")
