"""A person's story in sentences: when, what, who, why, by what cause."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.stories import line, place_line, radius, standing_line, why
from dashboard.words import Words, words
from schemas.codelists import Basis, Precision
from schemas.exposure import Reason
from streams.serving.people_answers import Moment, Standing

AT = datetime(2023, 2, 6, 4, 30, tzinfo=UTC)
STAY = {"place": {"name": "Adana"}, "from_date": "2023-02-01", "to_date": "2023-02-12"}
BY_AN_OFFICER = "officer7 · an officer's decision · from Unaccounted for · :gray[cause cmd-1]"
EN = Words("en", {**words("en", "staff"), **words("en", "officer")})
REASON = Reason(
    basis=Basis.STAY,
    precision=Precision.CITY,
    as_of=AT,
    zone_id="z",
    zone_version=1,
    band="VI",
    cause_title="M 7.8",
    model="test",
    place_name="Adana",
    radius_m=9_540,
)
STANDING = Standing(
    situation_id="sit-1",
    status="Exercise",
    title="M 7.8",
    closed=False,
    bucket="safe",
    tier="probable",
    area="TR-01",
    post=None,
    by="officer",
    why="override",
    at=AT,
    movements=(),
)


def moment(kind: str, what: str, **more: Any) -> Moment:
    known: dict[str, Any] = {
        "received_at": None,
        "who": "person",
        "source": "",
        "why": None,
        "status": "Actual",
        "situation_id": None,
        "event_id": "e",
        "cause_event_id": None,
        "facts": {},
    }
    return Moment(at=AT, kind=kind, what=what, **(known | more))


def plain(text: str) -> str:
    return text.replace("\\", "")


def test_a_line_of_the_ledger_says_bucket_time_reason_and_author() -> None:
    assert standing_line(STANDING, EN) == (
        "M 7.8: Safe since 2023-02-06 04:30:00 UTC: an officer's decision (Officer)"
    )


def test_a_place_says_how_exactly_it_is_known() -> None:
    assert place_line(REASON, EN) == (
        "Adana, within 9.54 km; Registered stay, City; as of 2023-02-06 04:30:00 UTC"
    )


@pytest.mark.parametrize(
    ("metres", "said"), [(None, "unknown"), (100, "100 m"), (999.6, "1000 m"), (35_000, "35 km")]
)
def test_radii(metres: float | None, said: str) -> None:
    assert radius(metres, EN) == said


def test_a_word_that_we_lack_stays_as_it_is() -> None:
    assert why("no_answer", EN) == "No answer"
    assert why("something_new", EN) == "something_new"
    assert why(None, EN) == "unknown"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            moment(
                "movement",
                "safe",
                who="officer7",
                why="override",
                status="Exercise",
                cause_event_id="cmd-1",
                facts={"from_bucket": "unaccounted"},
            ),
            f"→ :orange-badge[EXERCISE] **Ledger** Safe — {BY_AN_OFFICER}",
        ),
        (
            moment("registration", "filed", facts={"stays": [STAY, {"place": {"country": "SY"}}]}),
            "▤ **Registration** filed — The person · Adana 2023-02-01 → 2023-02-12; SY ? → …",
        ),
        (
            moment("check_in", "position", facts={"lon_deg": 35.321, "lat_deg": 37.0}),
            "◎ **Check-in** position — The person · 37.0000, 35.3210",
        ),
        (
            moment("contact", "no_answer", who="agent3", facts={"channel": "phone"}),
            "☎ **Contact** No answer — agent3 · Phone",
        ),
        (
            moment(
                "exposure",
                "closed",
                who="engine",
                why="left",
                facts={"tier": "probable", "band": "VI", "cause_id": "inc-1"},
            ),
            "◈ **Exposure** closed — Rollcall · left · Probable, VI, inc-1",
        ),
        (
            moment("alert", "help_requested", who="engine", facts={"acknowledged_by": "o7"}),
            "! **Alert** Call for help — Rollcall · by o7",
        ),
        (
            moment("override", "safe", who="officer7", why="rang the post"),
            "✎ **Override** Safe — officer7 · rang the post",
        ),
    ],
)
def test_each_kind_of_moment_is_a_line(one: Moment, said: str) -> None:
    assert plain(line(one, EN)) == f"`2023-02-06 04:30 UTC` {said}"


def test_what_a_person_wrote_cannot_be_markdown() -> None:
    said = line(moment("new_kind", "*x*", who="[a](b)"), EN)
    assert said == r"`2023-02-06 04:30 UTC` · **new\_kind** \*x\* — \[a\]\(b\)"
