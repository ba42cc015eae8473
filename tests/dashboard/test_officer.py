"""The officer's page over a store: numbers, lists, filters, a person, acts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app import SCRIPT
from dashboard.process import install
from dashboard.views import officer
from schemas.codelists import Bucket
from streams.core.stage import DESK_OUTPUT
from streams.ports import NewRecord
from streams.serving.runtime import Runtime, note_runtime
from streams.serving.store import STORE_FILE, open_store
from tests.dashboard import crowd
from tests.serving import builders
from tests.support import screens


def opened(data: Path, api: str = "http://127.0.0.1:9") -> AppTest:
    """Return the page over a data directory, run once."""
    install(screens.process(data, (officer,))._replace(api=api))
    return AppTest.from_file(str(SCRIPT), default_timeout=30).run()


def heard(data: Path, **more: Any) -> None:
    """Let the engine have said something just now."""
    engine = open_store(data / STORE_FILE)
    said: dict[str, Any] = {"mode": "live", "phase": "running"}
    note_runtime(engine, Runtime(**(said | {"beat_wall_at": datetime.now(UTC)} | more)))
    engine.dispose()


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Return a data directory with 25 people in a situation, the engine awake."""
    crowd.fill(tmp_path)
    heard(tmp_path)
    return tmp_path


def numbers(app: AppTest) -> dict[str, str]:
    """Return what each number of the page says."""
    found = {}
    for button in app.button:
        if button.key and button.key.startswith("kpi_"):
            found[button.key.removeprefix("kpi_")] = button.label.split("**")[1]
    return found


def listed(app: AppTest) -> list[str]:
    """Return the ids in the table."""
    return list(app.dataframe[0].value["person"]) if app.dataframe else []


def test_every_number_opens_its_list(full: Path) -> None:
    app = opened(full)
    assert not app.exception
    assert [one.value for one in [*app.error, *app.warning]] == []
    assert numbers(app) == {
        "unaccounted": "17",
        "needs_help": "3",
        "safe": "4",
        "other": "1",
        "known": "25",
        "inbound": "1",
    }
    assert len(listed(app)) == crowd.KNOWN
    for name, count in (("needs_help", 3), ("safe", 4), ("other", 1), ("unaccounted", 17)):
        app.button(key=f"kpi_{name}").click().run()
        assert len(listed(app)) == count, name
    app.button(key="kpi_known").click().run()
    assert len(listed(app)) == crowd.KNOWN


def test_who_needs_help_comes_first_and_says_where_they_may_be(full: Path) -> None:
    table = opened(full).dataframe[0].value
    assert list(table["person"][:3]) == crowd.people("Antakya", Bucket.NEEDS_HELP)
    assert list(table.iloc[0][["bucket", "tier", "area", "place", "basis", "by"]]) == [
        "▲ Needs help",
        "Probable",
        "TR-31",
        "Antakya",
        "Registered stay",
        "The person",
    ]


def test_filters_narrow_the_list_and_can_be_dropped(full: Path) -> None:
    app = opened(full)
    app.text_input(key="officer_search").set_value("adana").run()
    assert len(listed(app)) == 10
    app.multiselect(key="officer_tiers").set_value(["country_only"]).run()
    assert listed(app) == []
    assert "not a count of the situation" in app.info[0].value
    app.button(key="officer_clear").click().run()
    assert len(listed(app)) == crowd.KNOWN
    app.multiselect(key="officer_precisions").set_value(["country"]).run()
    assert len(listed(app)) == 2


def tick(app: AppTest, *rows: int) -> None:
    """Tick these rows of the table and no others."""
    (table,) = app.dataframe
    assert table.key is not None
    app.session_state[table.key] = {"selection": {"rows": list(rows)}}
    app.run()


def ticked(app: AppTest) -> list[str]:
    """Return the ids of the rows that are shown ticked."""
    (table,) = app.dataframe
    assert table.key is not None
    people = table.value["person"]
    return [people[row] for row in app.session_state[table.key]["selection"]["rows"]]


def test_only_who_is_in_the_list_and_shown_ticked_is_acted_on(full: Path) -> None:
    app = opened(full)
    first, second = crowd.people("Antakya", Bucket.NEEDS_HELP)[:2]
    safe = crowd.people("Adana", Bucket.SAFE)[0]
    nobody = "For these people: Choose people in the list first, or open a person."
    tick(app, 0, 1, listed(app).index(safe))
    assert ticked(app) == [first, second, safe]
    assert app.button(key="officer_act").label == "Set bucket (3)"
    app.text_input(key="officer_search").set_value("antakya").run()
    assert ticked(app) == [first, second]
    assert app.button(key="officer_act").label == "Set bucket (2)"
    act(app, "override")
    assert f"For these people: {first}, {second}" in [one.value for one in app.text]
    app.text_input(key="officer_search").set_value("malatya").run()
    assert nobody in [one.value for one in app.text]
    app.segmented_control(key="officer_pane").set_value("list").run()
    app.button(key="officer_clear").click().run()
    assert len(listed(app)) == crowd.KNOWN
    assert ticked(app) == []
    assert app.button(key="officer_act").disabled


def test_an_incomplete_sum_is_at_least(tmp_path: Path) -> None:
    crowd.fill(tmp_path, reached=1)
    heard(tmp_path)
    app = opened(tmp_path)
    assert numbers(app)["unaccounted"] == "≥ 17"
    assert any("1 of 2 shards" in one.value for one in app.markdown)


def test_an_engine_that_is_silent_or_replays_cannot_be_missed(full: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=3)
    heard(full, mode="replay", title="Izmit", speed=60.0, status="Exercise", beat_wall_at=long_ago)
    app = opened(full)
    assert [one.value.split(":")[0] for one in app.error] == ["STALE\\"]
    assert [one.value.split()[0].rstrip("\\:") for one in app.warning] == ["EXERCISE", "REPLAY"]


def test_no_store_is_a_sentence_and_no_number(tmp_path: Path) -> None:
    app = opened(tmp_path)
    assert not app.exception
    assert "there is no serving store" in app.error[0].value
    assert numbers(app) == {}


def test_a_store_with_nobody_in_it_offers_to_declare(tmp_path: Path) -> None:
    open_store(tmp_path / STORE_FILE).dispose()
    app = opened(tmp_path)
    assert not app.exception
    assert numbers(app) == {}
    assert any("nothing has been summed" in one.value for one in app.warning)
    assert app.selectbox(key="officer_verb").value == "declare"


def test_a_person_is_opened_with_reason_ledger_and_presence(full: Path) -> None:
    app = opened(full)
    app.segmented_control(key="officer_pane").set_value("person").run()
    who = crowd.people("Antakya", Bucket.NEEDS_HELP)[0]
    app.text_input(key="officer_person_typed").set_value(who).run()
    assert not app.exception
    said = "\n".join(one.value for one in app.markdown).replace("\\", "")
    assert who in said
    assert "city Antakya" in said
    assert "Needs help since 2023-02-06 01:25:00 UTC: in the area (The person)" in said
    assert "Antakya, within 10 km; Registered stay, City; as of 2023-02-06 01:25:00 UTC" in said
    app.button(key="officer_person_close").click().run()
    assert len(listed(app)) == crowd.KNOWN


def test_somebody_unknown_is_said_to_be(full: Path) -> None:
    app = opened(full)
    app.segmented_control(key="officer_pane").set_value("person").run()
    app.text_input(key="officer_person_typed").set_value("z999.1").run()
    assert app.warning[0].value.replace("\\", "") == "Nobody is known by the id z999.1."


def act(app: AppTest, verb: str) -> AppTest:
    """Go to an act's form."""
    app.segmented_control(key="officer_pane").set_value("act").run()
    return app.selectbox(key="officer_verb").set_value(verb).run()


def submit(app: AppTest, label: str = "Check") -> AppTest:
    """Press the form's button."""
    (button,) = [one for one in app.button if one.label == label]
    return button.click().run()


def test_no_act_without_a_name_a_reason_and_somebody(full: Path) -> None:
    app = submit(act(opened(full), "override"))
    assert [one.value for one in app.error] == [
        "Choose at least one person.",
        "Type your name at the top of the page first: every act has an author.",
        "Give a reason of at least 5 characters: it stands in the journal.",
    ]
    app.text_input(key="user").set_value("officer7").run()
    app.text_area(key="officer_form_reason").set_value("ok")
    app = submit(act(app, "close"))
    assert [one.value for one in app.error] == [
        "Give a reason of at least 5 characters: it stands in the journal."
    ]


def test_an_act_is_confirmed_and_an_engine_that_is_away_is_said(full: Path) -> None:
    app = opened(full)
    app.text_input(key="user").set_value("officer7").run()
    act(app, "close")
    app.text_area(key="officer_form_reason").set_value("all are home")
    submit(app)
    said = "\n".join(one.value for one in app.markdown).replace("\\", "")
    assert "**Close the situation M 7.8**" in said
    assert "By officer7. Reason: all are home" in [one.value for one in app.text]
    app.button(key="officer_form_yes").click().run()
    assert (
        app.error[0]
        .value.replace("\\", "")
        .startswith(
            "Not known whether it arrived (sit-1): the engine does not answer at http://127.0.0.1:9"
        )
    )
    app.button(key="officer_form_again").click().run()
    app.button(key="officer_form_no").click().run()
    assert app.selectbox(key="officer_verb").value == "close"
    assert app.text_area(key="officer_form_reason").value == "all are home"


def test_of_two_incidents_of_one_title_the_chosen_one_gets_the_footprint(tmp_path: Path) -> None:
    twin = msgspec.structs.replace(builders.INCIDENT, event_id="i2", incident_id="inc-2")
    crowd.fill(tmp_path, NewRecord(DESK_OUTPUT, 0, "inc-2", twin))
    heard(tmp_path)
    app = act(opened(tmp_path), "polygon")
    app.text_area(key="officer_typed").set_value("37, 36\n37, 37\n38, 36.5").run()
    app.button(key="officer_take").click().run()
    app.text_input(key="user").set_value("officer7").run()
    app.selectbox(key="officer_incident").set_value("inc-1")
    app.text_area(key="officer_form_reason").set_value("the dam broke")
    submit(app)
    (said,) = app.session_state["officer_form_draft"].said
    assert said["incident_id"] == "inc-1"


def test_a_typed_area_declares_a_situation_or_says_why_not(full: Path) -> None:
    app = act(opened(full), "declare")
    app.text_area(key="officer_typed").set_value("0,0\n0,2\n2,0\n2,2").run()
    app.button(key="officer_take").click().run()
    assert app.error[0].value.replace("\\", "") == "The outline crosses itself after corner 2."
    app.text_area(key="officer_typed").set_value("37, 36\n37, 37\n38, 36.5").run()
    app.button(key="officer_take").click().run()
    assert not app.error
    app.text_input(key="user").set_value("officer7").run()
    app.text_input(key="officer_title").set_value("Dam break")
    app.text_input(key="officer_countries").set_value("tr")
    app.text_area(key="officer_form_reason").set_value("the post asked")
    submit(app)
    said = "\n".join(one.value for one in app.markdown).replace("\\", "")
    area = "countries TR + drawn outline of 3 points"
    assert f"**Declare the situation Dam break (Other), area: {area}**" in said
