"""Numbers, banners and badges: unknown is a word, incomplete an "at least"."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dashboard.figures import OTHER, age, badges, banners, completeness, kpis, number
from dashboard.furniture import plain
from dashboard.words import Words, words
from streams.serving.answers import Completeness, Imbalance
from streams.serving.wall_answers import (
    Change,
    WallAlerts,
    WallClock,
    WallContacts,
    WallFeed,
    WallNow,
    WallPipeline,
    WallSituation,
)

AT = datetime(2023, 2, 6, 4, 30, tzinfo=UTC)
MACHINE_AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
EN = Words("en", {**words("en", "staff"), **words("en", "officer")})

SITUATION = WallSituation(
    situation_id="sit-1",
    status="Actual",
    title="M 7.8",
    hazard="earthquake",
    onset_at=AT,
    closed=False,
    live=True,
    known=1284,
    unaccounted=331,
    needs_help=41,
    safe=890,
    other=22,
    other_parts={"unreachable": 20, "left_area": 0, "evacuated": 2},
    duplicates=3,
    inbound=12,
    withdrawn=0,
    tiers={"probable": 1284},
    completeness=Completeness(reached=8, shards=8, as_of=AT, complete=True),
    at_least=False,
    imbalance=Imbalance(room=0, buckets=0, store=0),
    changes={"unaccounted": Change(minutes_15=-46, hour=None), "safe": Change(minutes_15=0)},
    trend=(),
    areas=(),
    incidents=(),
    bands=(),
    zones_key="1",
)
NOW = WallNow(
    as_of=AT,
    clock=WallClock(mode="live", phase="running", beat_wall_at=MACHINE_AT),
    completeness=SITUATION.completeness,
    affected=1284,
    people=43_000,
    situations=(SITUATION,),
    quiet=0,
    unplaced=(),
    alerts=WallAlerts(open=0, acknowledged=0, silenced=0, oldest_at=None, items=()),
    changes=(),
    feeds=(),
    inputs=(),
    contacts=WallContacts(hour=0, reached=0),
    pipeline=WallPipeline(lag=0, dead_letters=0, skipped=0, faults=()),
)


def test_each_number_knows_its_list() -> None:
    found = kpis(SITUATION, EN)
    assert [(one.label, one.value, one.buckets) for one in found] == [
        ("? Unaccounted for", "331", ("unaccounted",)),
        ("▲ Needs help", "41", ("needs_help",)),
        ("✓ Safe", "890", ("safe",)),
        ("● Other", "22", OTHER),
        ("Known", "1\u202f284", ()),
        (EN["inbound"], "12", None),
    ]
    assert [one.note for one in found[:5]] == [
        "▼ 46 in 15 min",
        "no history yet",
        "no change in 15 min",
        "Unreachable 20 · Evacuated 2",
        "3 duplicates apart",
    ]


def test_incomplete_numbers_are_at_least() -> None:
    part = Completeness(reached=7, shards=8, as_of=AT, complete=False)
    partly = msgspec.structs.replace(SITUATION, at_least=True, completeness=part)
    assert [one.value for one in kpis(partly, EN)][:2] == ["≥ 331", "≥ 41"]
    assert completeness(partly, EN) == ("At least: 7 of 8 shards, the numbers may be higher")
    assert completeness(SITUATION, EN) == "8 of 8 shards"


def test_unknown_is_never_zero() -> None:
    fields = "known unaccounted needs_help safe other inbound".split()
    empty = dict.fromkeys([*fields, "other_parts", "completeness", "imbalance", "duplicates"])
    unsaid = msgspec.structs.replace(SITUATION, at_least=True, **empty)
    assert {one.value for one in kpis(unsaid, EN)} == {"unknown"}
    assert completeness(unsaid, EN) == "No sum has been made yet"
    assert number(0, EN) == "0"


def test_an_imbalance_stands_at_the_known() -> None:
    off = msgspec.structs.replace(SITUATION, imbalance=Imbalance(room=0, buckets=-2, store=0))
    assert kpis(off, EN)[4].note == "out of balance by -2"


def test_nothing_to_say_is_no_banner() -> None:
    assert banners(NOW, MACHINE_AT + timedelta(seconds=10), EN) == ()


@pytest.mark.parametrize(
    ("clock", "kind", "starts"),
    [
        ({"beat_wall_at": None}, "error", "The engine has never said anything"),
        ({"beat_wall_at": MACHINE_AT - timedelta(seconds=75)}, "error", "STALE: the engine has b"),
        ({"status": "Exercise"}, "warning", "EXERCISE"),
        ({"mode": "replay", "title": "Izmit", "speed": 60.0}, "warning", "REPLAY of Izmit, 60 t"),
        ({"mode": "replay", "phase": "ended"}, "warning", "REPLAY of ? is over"),
        ({"phase": "loading", "done": 30, "of": 43_000}, "info", "The register is being read: 30"),
    ],
)
def test_what_must_be_known_stands_above(clock: dict[str, Any], kind: str, starts: str) -> None:
    now = msgspec.structs.replace(NOW, clock=msgspec.structs.replace(NOW.clock, **clock))
    (banner,) = banners(now, MACHINE_AT, EN)
    assert banner.kind == kind
    assert banner.text.startswith(starts)


def test_faults_and_no_sum_are_said() -> None:
    pipeline = msgspec.structs.replace(NOW.pipeline, faults=("partition_stopped", "new_kind"))
    now = msgspec.structs.replace(NOW, as_of=None, pipeline=pipeline)
    nothing, known, unknown = banners(now, MACHINE_AT, EN)
    assert nothing.kind == "warning"
    assert known == ("error", "Fault of Rollcall itself: a partition stands still. See Health.")
    assert unknown == ("error", "Fault of Rollcall itself: new_kind. See Health.")


def test_feeds_tell_their_state_without_colour() -> None:
    def feed(state: str, ago_s: int | None) -> WallFeed:
        last = None if ago_s is None else AT - timedelta(seconds=ago_s)
        return WallFeed(
            feed="usgs",
            state=state,
            reason="",
            last_success_at=last,
            since=None,
            expected_interval_s=60,
            items=None,
            usual_items=None,
        )

    found = badges((feed("ok", 34), feed("late", 840), feed("down", None)), AT, EN)
    assert found is not None
    assert [(one.color, one.glyph, one.text) for one in found] == [
        ("green", "✓", "usgs 34 s"),
        ("orange", "▲", "usgs Late · 14 min"),
        ("red", "✕", "usgs Down · never heard"),
    ]
    assert badges(None, AT, EN) is None


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_ages_are_said_in_the_largest_unit_that_says_something(seconds: int, wanted: str) -> None:
    assert age(seconds, EN) == wanted


def test_a_title_cannot_be_markdown() -> None:
    assert plain("M *7.8* [x](http://y)") == r"M \*7.8\* \[x\]\(http\://y\)"
