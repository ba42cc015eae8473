"""What the types refuse at construction, so that nothing invalid exists inside."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from schemas import codec
from schemas.codelists import Bucket, CheckInState, Precision, Role, Verb
from schemas.command import CommandIssued
from schemas.envelope import Value
from schemas.incident import Member
from schemas.operations import Tick
from schemas.person import (
    CheckedIn,
    RegistrationFiled,
    Stay,
    check_person_id,
    home_of,
    refuse_identifiers,
)
from schemas.place import MAX_VERTICES, Circle, Countries, Place, Polygons, Position, Ring

NOON = datetime(2023, 2, 6, 12, 0, tzinfo=UTC)
HEAD: dict[str, Any] = {"event_id": "e1", "source": "app", "received_at": NOON}


def check_in(**changes: Any) -> CheckedIn:
    fields = {"occurred_at": NOON, "person_id": "h3f9a.1", "state": CheckInState.SAFE}
    return CheckedIn(**(HEAD | fields | changes))


def deceased(**changes: Any) -> CommandIssued:
    fields = {
        "occurred_at": NOON,
        "verb": Verb.OVERRIDE,
        "by": "officer-2",
        "role": Role.RESTRICTED,
        "reason": "confirmed by the hospital",
        "person_id": "h3f9a.1",
        "situation_id": "sit-1",
        "bucket": Bucket.DECEASED,
        "confirmed_by": "officer-5",
    }
    return CommandIssued(**(HEAD | fields | changes))


# --- times


def test_a_time_with_an_offset_is_kept_in_utc() -> None:
    istanbul = timezone(timedelta(hours=3))
    event = check_in(occurred_at=datetime(2023, 2, 6, 4, 17, 34, tzinfo=istanbul))
    assert event.occurred_at == datetime(2023, 2, 6, 1, 17, 34, tzinfo=UTC)
    assert event.occurred_at.tzinfo is UTC
    assert b'"occurred_at":"2023-02-06T01:17:34Z"' in codec.encode(event)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOON.replace(tzinfo=None), "occurred_at has no time zone"),
        (datetime(1, 1, 1, tzinfo=UTC), "occurred_at is in the year 1;"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3))), "occurred_at is in the year 1;"),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), "occurred_at is in the year 9999;"),
        (
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-3))),
            "occurred_at is in the year 9999;",
        ),
    ],
)
def test_a_naive_or_absurd_time_is_refused(at: datetime, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_in(occurred_at=at)


def test_times_are_checked_in_every_message_and_inside_it() -> None:
    with pytest.raises(ValueError, match="at has no time zone"):
        Tick(**HEAD, occurred_at=NOON, at=NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="sent_at has no time zone"):
        Member(chain_id="c", source="usgs", event_id="e", sent_at=NOON.replace(tzinfo=None))


def test_no_message_holds_a_time_that_the_check_does_not_see() -> None:
    bare = [
        f"{kind.__name__}.{field.name}"
        for kind in structs(Value)
        for field in msgspec.structs.fields(kind)
        if field.type in (datetime, datetime | None)
    ]
    assert bare == []


def structs(kind: type[Value]) -> Iterator[type[Value]]:
    for child in kind.__subclasses__():
        yield child
        yield from structs(child)


# --- places


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 180.0000001, -361.0])
def test_a_longitude_off_the_earth_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="lon_deg .* is not between -180 and 180"):
        Position(lon_deg=wrong, lat_deg=0.0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 90.0000001, 151.2])
def test_a_latitude_off_the_earth_is_refused_as_when_swapped(wrong: float) -> None:
    with pytest.raises(ValueError, match="lat_deg .* is not between -90 and 90"):
        Position(lon_deg=0.0, lat_deg=wrong)


def test_the_edges_of_the_earth_are_places() -> None:
    corners = [Position(lon_deg=lon, lat_deg=lat) for lon in (-180.0, 180.0) for lat in (-90.0, 90)]
    assert len({(corner.lon_deg, corner.lat_deg) for corner in corners}) == 4


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1.0])
def test_a_senseless_accuracy_is_refused_and_zero_is_not(wrong: float) -> None:
    assert Position(lon_deg=0.0, lat_deg=0.0, accuracy_m=0.0).accuracy_m == 0.0
    with pytest.raises(ValueError, match="accuracy_m"):
        Position(lon_deg=0.0, lat_deg=0.0, accuracy_m=wrong)


@pytest.mark.parametrize("code", ["tr", "TUR", "T", "", "T1", "ÖS", "TR\n"])
def test_a_country_is_two_capital_letters(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 3166-1 alpha-2"):
        Place(precision=Precision.COUNTRY, country=code)
    with pytest.raises(ValueError, match="ISO 3166-1 alpha-2"):
        Countries(codes=("BE", code))


def ring(vertices: int) -> tuple[tuple[float, float], ...]:
    """Return a closed ring of ``vertices`` points around (0, 0)."""
    step = 2 * math.pi / (vertices - 1)
    points = [(math.cos(i * step), math.sin(i * step)) for i in range(vertices - 1)]
    return (*points, points[0])


def test_a_polygon_of_25000_vertices_is_refused_with_both_numbers() -> None:
    assert Polygons(polygons=((ring(MAX_VERTICES),),)).polygons
    with pytest.raises(ValueError, match="25000 vertices; at most 20000 travel"):
        Polygons(polygons=((ring(25_000),),))
    with pytest.raises(ValueError, match="20004 vertices; at most 20000 travel"):
        Polygons(polygons=((ring(10_002),), (ring(10_002),)))


@pytest.mark.parametrize(
    ("outer", "reason"),
    [
        ((), "at least four points"),
        (((0.0, 0.0), (1.0, 0.0), (0.0, 0.0)), "at least four points"),
        (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), "the last equal to the first"),
        (((0.0, 0.0), (math.nan, 0.0), (1.0, 1.0), (0.0, 0.0)), "not on Earth"),
        (((0.0, 0.0), (37.0, 136.0), (1.0, 1.0), (0.0, 0.0)), "not on Earth"),
    ],
)
def test_a_broken_ring_is_refused(outer: Ring, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Polygons(polygons=((outer,),))


def test_an_empty_multipolygon_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one polygon"):
        Polygons(polygons=())
    with pytest.raises(ValueError, match="needs an outer ring"):
        Polygons(polygons=((),))


@pytest.mark.parametrize("radius_m", [0.0, -5.0, math.nan, math.inf, 10_000_000.1])
def test_a_circle_needs_a_radius_that_fits_on_earth(radius_m: float) -> None:
    with pytest.raises(ValueError, match="radius_m"):
        Circle(lon_deg=0.0, lat_deg=0.0, radius_m=radius_m)


# --- people


@pytest.mark.parametrize(
    "wrong", ["", "h3f9a", "h3f9a.", ".1", "h3f9a.1\n", "h 3.1", "h3f9a.1234567", "a" * 65 + ".1"]
)
def test_a_person_id_is_home_and_number(wrong: str) -> None:
    check_person_id("h3f9a.1")
    assert home_of("h3f9a.1") == "h3f9a"
    with pytest.raises(ValueError, match="is not <home>.<n>"):
        check_person_id(wrong)


def test_direct_identifiers_are_refused_by_name_and_never_by_value() -> None:
    record = {"person_id": "h3f9a.1", "Phone": "+32 470 00 00 00", "last_name": "Peeters"}
    with pytest.raises(ValueError, match="last_name, phone$") as refusal:
        refuse_identifiers(record)
    assert "Peeters" not in str(refusal.value)
    assert "470" not in str(refusal.value)


def test_an_unknown_field_is_refused_by_name_at_any_depth() -> None:
    body = codec.encode(check_in(position=Position(lon_deg=1.0, lat_deg=2.0)))
    with pytest.raises(codec.UndecodableError, match="unknown field `altitude`"):
        codec.decode("CheckedIn", body.replace(b'"lat_deg"', b'"altitude":3,"lat_deg"'))


def test_a_residence_may_leave_out_its_dates_and_a_stay_its_end() -> None:
    home = Place(precision=Precision.COUNTRY, country="TR")
    assert Stay(stay_id="s", place=home, residence=True).from_date is None
    assert Stay(stay_id="s", place=home, from_date=date(2023, 2, 5)).to_date is None
    with pytest.raises(ValueError, match="a stay needs from_date"):
        Stay(stay_id="s", place=home)


def test_a_stay_of_one_day_ends_on_the_day_it_begins() -> None:
    home = Place(precision=Precision.COUNTRY, country="TR")
    day = date(2023, 2, 5)
    stays = (Stay(stay_id="s", place=home, from_date=day, to_date=day),)
    filed = RegistrationFiled(
        **HEAD, occurred_at=NOON, person_id="h1.1", registration_id="r", stays=stays
    )
    assert filed.stays[0].to_date == day


# --- commands


def test_deceased_needs_the_restricted_role_and_two_persons() -> None:
    assert deceased().bucket is Bucket.DECEASED
    for role in (Role.AGENT, Role.POST, Role.OFFICER, Role.ADMIN):
        with pytest.raises(ValueError, match="needs the restricted role"):
            deceased(role=role)
    for second in (None, "", "officer-2"):
        with pytest.raises(ValueError, match="a second person"):
            deceased(confirmed_by=second)


def test_a_command_says_why_and_names_what_its_verb_needs() -> None:
    with pytest.raises(ValueError, match="reason is empty"):
        deceased(reason=" \n")
    with pytest.raises(ValueError, match="override needs person_id, situation_id"):
        deceased(person_id=None, situation_id=None)
    with pytest.raises(ValueError, match="close needs situation_id"):
        deceased(verb=Verb.CLOSE, situation_id=None)


# --- the codec


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"event_id":' * 20_000, b"[" * 100_000],
)
def test_garbage_is_undecodable_and_never_another_error(body: bytes) -> None:
    with pytest.raises(codec.UndecodableError):
        codec.decode("CheckedIn", body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", '"12"'])
def test_json_has_no_coordinate_that_is_no_number(number: str) -> None:
    body = codec.encode(check_in(position=Position(lon_deg=1.5, lat_deg=2.5)))
    with pytest.raises(codec.UndecodableError):
        codec.decode("CheckedIn", body.replace(b"1.5", number.encode()))


def test_an_unknown_type_or_version_is_refused_with_what_is_known() -> None:
    with pytest.raises(codec.UndecodableError, match="'CheckIn'; known: .*CheckedIn"):
        codec.decode("CheckIn", b"{}")
    with pytest.raises(codec.UndecodableError, match="version 2 is unknown"):
        codec.decode("CheckedIn", codec.encode(check_in()), version=2)


def test_encoding_is_canonical_whatever_order_the_fields_came_in() -> None:
    body = codec.encode(check_in())
    shuffled = (
        b'{"state":"safe","source":"app","person_id":"h3f9a.1","event_id":"e1",'
        b'"received_at":"2023-02-06T13:00:00+01:00","occurred_at":"2023-02-06T12:00:00Z"}'
    )
    assert codec.encode(codec.decode("CheckedIn", shuffled)) == body


def test_a_message_cannot_be_changed() -> None:
    event = check_in()
    with pytest.raises(AttributeError):
        event.event_id = "other"  # type: ignore[misc] # that is the test
    assert event.event_id == "e1"
