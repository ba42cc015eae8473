"""One person's story in the store, as the Türkiye scenario tells it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.serving.store import STORE_FILE, reading
from streams.serving.timeline import timeline

SCENARIO = Path(__file__).parents[2] / "streams/scenarios/turkiye-2023"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Replay the scenario without its register: thirty people, and their day."""
    folder = tmp_path_factory.mktemp("timeline")
    words = ["--data", str(folder), "replay", str(SCENARIO), "--no-population"]
    said = CliRunner().invoke(main, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return folder


def story(data: Path, person_id: str) -> list[str]:
    """Return the moments of a person, a line each."""
    with reading(data / STORE_FILE) as engine:
        moments = timeline(engine, person_id)
    return [f"{one.at:%H:%M} {one.kind} {one.what}" for one in moments if one.at.month == 2]


def test_safe_then_struck_again_then_reached(data: Path) -> None:
    told = [line for line in story(data, "r1gaziantep.1") if " exposure " not in line]
    assert told == [
        "01:17 movement unaccounted",
        "05:00 check_in safe",
        "05:00 movement safe",
        "10:24 movement unaccounted",
        "18:20 contact reached_safe",
        "18:20 movement safe",
    ]


def test_each_movement_names_what_it_rests_on(data: Path) -> None:
    with reading(data / STORE_FILE) as engine:
        moments = timeline(engine, "r1gaziantep.1")
    said = {one.event_id for one in moments if one.kind in {"check_in", "contact"}}
    safe = [one for one in moments if one.kind == "movement" and one.what == "safe"]
    assert [one.who for one in safe] == ["person", "agent-12"]
    assert {one.cause_event_id for one in safe} == said


def test_a_call_for_help_has_its_alert(data: Path) -> None:
    told = [line for line in story(data, "r1konya.1") if " exposure " not in line]
    assert [line for line in told if "alert" in line] == ["02:40 alert help_requested"]


def test_a_registration_says_where_and_when(data: Path) -> None:
    with reading(data / STORE_FILE) as engine:
        first = timeline(engine, "r1gaziantep.1")[0]
    assert (first.kind, first.what) == ("registration", "filed")
    (stay,) = first.facts["stays"]
    assert (stay["place"]["name"], stay["from_date"], stay["to_date"]) == (
        "Gaziantep",
        "2023-02-01",
        "2023-02-12",
    )


def test_nobody_has_no_story(data: Path) -> None:
    assert story(data, "nobody.1") == []
