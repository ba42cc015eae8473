"""Settings: what wins, what is refused, and that the documentation is true."""

from datetime import timedelta
from pathlib import Path

import pytest

from streams.compose import engine_version
from streams.errors import BadInputError
from streams.sections import Settings
from streams.settings import as_markdown, every, load
from tests.cli.crisis import PEOPLE

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "settings.md"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return path

    return write


def refusal(path=None, environ=None):
    with pytest.raises(BadInputError) as raised:
        load(path, environ or {})
    return str(raised.value), raised.value.hint


def test_environment_over_file_over_default(file):
    path = file('[pump]\nbatch = 100\nsnapshot_every = 9\n[thresholds]\ndwell = "PT20M"\n')
    found = load(path, {"ROLLCALL_PUMP_BATCH": "7", "ROLLCALL_THRESHOLDS_OLD_FIX": "PT48H"})
    assert (found.pump.batch, found.pump.snapshot_every) == (7, 9)
    assert found.writer.batch == Settings().writer.batch
    assert found.thresholds.dwell == timedelta(minutes=20)
    assert found.thresholds.old_fix == timedelta(hours=48)
    assert load(None, {"PATH": "/bin", "ROLLCALL_DATA": "x"}) == Settings()


def test_an_unknown_key_is_refused_and_the_near_one_named(file):
    path = file("[pump]\nbath = 100\n")
    assert refusal(path) == (
        f"{path} has an unknown setting pump.bath",
        "Did you mean pump.batch? All are in docs/api/settings.md.",
    )


def test_an_unknown_section_is_refused(file):
    path = file("[kafak]\nbootstrap = 'x'\n")
    assert refusal(path)[0] == f"{path} has an unknown section [kafak]"
    path = file("pump = 3\n")
    assert refusal(path)[0] == f"'pump' in {path} is a value, not a section"


def test_an_unknown_variable_is_refused():
    assert refusal(None, {"ROLLCALL_PUMP_BATHC": "3"}) == (
        "the environment variable ROLLCALL_PUMP_BATHC is no setting",
        "Did you mean ROLLCALL_PUMP_BATCH? All are in docs/api/settings.md.",
    )


def test_a_wrong_value_is_refused_without_being_repeated(file):
    what, _ = refusal(file("[pump]\nbatch = 'hunter2'\n"))
    assert what.endswith("is not valid: Expected `int`, got `str` - at `$.pump.batch`")
    assert "hunter2" not in what
    what, _ = refusal(None, {"ROLLCALL_PUMP_BATCH": "0"})
    assert what == (
        "the environment variable ROLLCALL_PUMP_BATCH is not valid: Expected `int` >= 1"
    )


def test_a_file_that_is_no_toml_or_not_there_is_refused(file, tmp_path):
    assert "is not TOML" in refusal(file("[pump\n"))[0]
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "none.toml")[0]


def test_the_document_is_that_of_the_settings():
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown()


def test_every_setting_is_described_and_has_its_own_variable():
    found = list(every())
    assert all(one.description.endswith(".") for one in found)
    assert len({one.env for one in found}) == len(found)


def test_another_threshold_is_another_engine(file):
    other = load(file('[thresholds]\ndwell = "PT20M"\n'), {})
    assert engine_version(other) != engine_version(Settings())
    assert engine_version(load(file("[pump]\nbatch = 3\n"), {})) == engine_version(Settings())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("p_high = 5.0", "p_low 0.1, p_even 0.5 and p_high 5.0 must be probabilities in rising"),
        ("p_low = -1.0", "p_low -1.0, p_even 0.5 and p_high 0.9 must be probabilities in rising"),
        ("city_m = nan", "city_m is nan; it must be metres above 0, to 20037508"),
        ("city_m = -3.0", "city_m is -3.0; it must be metres above 0, to 20037508"),
        ("growth_m_per_h = inf", "growth_m_per_h is inf; it must be metres above 0, to 20037508"),
        ('inbound = "-P1D"', "inbound is -1 day, 0:00:00; it must be a duration above 0, to ten"),
        ('dwell = "P99999D"', "dwell is 99999 days, 0:00:00; it must be a duration above 0, to"),
        ("advice_zone_level = 99", "advice_zone_level is 99; levels are 1 to 4"),
        ("failed_attempts = 0", "failed_attempts is 0; it must be 1 or more"),
        ("quake_gate_magnitude = 0", "quake_gate_magnitude is 0.0; it must be above 0, to 10"),
    ],
)
def test_a_threshold_out_of_its_bounds_is_refused(file, line, words):
    path = file(f"[thresholds]\n{line}\n")
    assert refusal(path)[0].startswith(f"a setting in {path} is not valid: {words}")


def test_a_threshold_out_of_its_bounds_in_the_environment_is_refused():
    assert refusal(None, {"ROLLCALL_THRESHOLDS_CITY_M": "nan"})[0].startswith(
        "a setting in the environment is not valid: city_m is nan; it must be"
    )


def test_the_command_line_says_what_is_wrong_and_does_nothing(rollcall, file):
    path = file("[pump]\nbath = 100\n")
    people = rollcall.events("people.ndjson", *PEOPLE)
    refused = rollcall("--settings", path, "ingest", people, code=2)
    assert refused.err == (
        f"Error: {path} has an unknown setting pump.bath.\n"
        "Next: Did you mean pump.batch? All are in docs/api/settings.md.\n"
    )
    assert not rollcall.data.exists()


def test_the_data_directory_can_hold_the_settings(rollcall):
    rollcall.data.mkdir()
    (rollcall.data / "settings.toml").write_text("[log]\nshards = 3\n")
    rollcall("ingest", rollcall.events("people.ndjson", *PEOPLE))
    rollcall("run", "--until-idle", "--now", "2023-02-06T02:00:00Z")
    assert "ok    shard 2:" in rollcall("doctor").out
    assert "shard 3:" not in rollcall("doctor").out
