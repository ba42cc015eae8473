"""What may enter, and where it goes."""

from datetime import timedelta

import msgspec
import pytest

from schemas.codelists import Bucket, CheckInState, Status, Verb
from schemas.exposure import Reached
from schemas.report import IncidentReported
from streams.merge import CLAMPED, admit, route
from streams.topology import partition_of
from tests.support.engine import advice, at, command, override, quake, says, stays_in


def test_a_time_from_the_future_is_clamped_and_marked() -> None:
    said = says("ana.1", CheckInState.SAFE, at("05:06"))
    early = msgspec.structs.replace(said, received_at=at("05:00"))
    admitted = admit(early)
    assert (admitted.occurred_at, admitted.cause_ids) == (at("05:00"), (CLAMPED,))
    close = msgspec.structs.replace(said, received_at=at("05:01"))
    assert admit(close) is close


def test_a_version_from_the_future_does_not_outrank_all_that_follow() -> None:
    typo = msgspec.structs.replace(quake(5.0, at("01:30")), sent_at=at("01:30") + timedelta(36500))
    admitted = admit(typo)
    assert isinstance(admitted, IncidentReported)
    assert (admitted.sent_at, admitted.cause_ids) == (at("01:30"), (CLAMPED,))


def test_a_transport_test_is_refused() -> None:
    with pytest.raises(ValueError, match="status Test"):
        admit(quake(7.8, at("01:25"), status=Status.TEST))


def test_a_country_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no country ZZ in the reference data"):
        admit(advice("ZZ", 4, at("01:00")))
    assert admit(advice("XK", 4, at("01:00")))


def test_a_command_that_would_put_a_number_in_the_journal_is_refused() -> None:
    told = command(Verb.CLOSE, at("01:00"), situation_id="s", by="jan@ministry.example")
    assert admit(told) is told
    with pytest.raises(ValueError, match="^reason looks like an e-mail address or a telephone"):
        admit(msgspec.structs.replace(told, reason="rang +32 470 12 34 56"))


@pytest.mark.parametrize("event_id", ["4f9c-0012-3456-7890-ab", "app:2023-02-06T00:00:00+01:00"])
def test_an_id_with_many_figures_is_no_telephone_number(event_id: str) -> None:
    said = msgspec.structs.replace(says("ana.1", CheckInState.SAFE, at("05:00")), event_id=event_id)
    assert admit(said) is said


@pytest.mark.parametrize("shards", [1, 8])
def test_everything_about_a_person_goes_where_the_home_says(shards: int) -> None:
    where = partition_of("ana.1", shards)
    assert where == partition_of("ana.7", shards)
    for event in (
        stays_in("ana.1", "adana"),
        says("ana.1", CheckInState.SAFE, at("05:00")),
        override("ana.1", "sit-1", Bucket.SAFE, at("05:00")),
    ):
        assert route(event, shards) == [("shard-input", where, "ana.1")]


def test_commands_go_to_whom_they_concern() -> None:
    linking = command(Verb.LINK, at("01:00"), person_id="a.1", other_id="b.1")
    assert route(linking, 8)[0][0] == "desk-input"
    taking_note = command(Verb.ACKNOWLEDGE, at("01:00"), alert_id="x")
    assert route(taking_note, 8)[0][0] == "room-input"


def test_what_only_the_system_writes_is_refused_from_outside() -> None:
    when = at("01:00")
    forged = Reached(
        event_id="r",
        source="x",
        occurred_at=when,
        received_at=when,
        shard=0,
        shards=1,
        tick_at=when,
        zone_seq=0,
        distinct_known=0,
        people=0,
    )
    with pytest.raises(TypeError, match="written by the system itself"):
        route(forged, 1)
