"""The alerts page: what is open, who took note, what is silenced, what was sent."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.alert_rows import deliveries, sort, table
from dashboard.app import SCRIPT
from dashboard.process import install
from dashboard.views import alerts
from dashboard.words import Words, words
from schemas.alert import AlertAcknowledged, SilenceChanged
from schemas.codelists import Status
from streams.core.rules import RULES
from streams.core.stage import DESK_OUTPUT, ROOM_OUTPUT
from streams.ports import NewRecord
from streams.serving.alert_lists import AlertLine
from streams.serving.deliveries import DeliveryNow
from streams.serving.runtime import Runtime, note_runtime
from streams.serving.store import STORE_FILE, open_store
from tests.dashboard import crowd
from tests.serving import builders
from tests.support import screens

AT = builders.AT
EN = Words("en", {**words("en", "staff"), **words("en", "alerts")})


def row(alert_id: str, state: str = "open", **more: Any) -> AlertLine:
    known: dict[str, Any] = {
        "alert_id": alert_id,
        "state": state,
        "status": "Actual",
        "rule": "affected_threshold",
        "cause_id": "sit-1",
        "situation_id": "sit-1",
        "person_id": None,
        "audience": "duty_officer",
        "intent": "alert",
        "title": "2 of ours",
        "severity": "critical",
        "raised_at": AT,
        "late_s": 0,
        "facts": {"known": 2},
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledged_reason": None,
        "silence_id": None,
    }
    return AlertLine(**(known | more))


def delivery(state: str, **more: Any) -> DeliveryNow:
    known = DeliveryNow(
        delivery_id="d",
        alert_id="a",
        channel="email",
        recipient="duty",
        intent="alert",
        status="Actual",
        state=state,
        reason=None,
        attempts=1,
        next_attempt_wall_at=None,
        use_by_at=AT,
        uncertain=False,
        last_error=None,
        decided_at=AT,
        delivered_at=None,
    )
    return known._replace(**more)


def test_the_worst_open_alert_comes_first_and_each_stands_in_one_list() -> None:
    rows = [
        row("warned", severity="warning", raised_at=AT + timedelta(hours=1)),
        row("old"),
        row("new", raised_at=AT + timedelta(minutes=1)),
        row("taken", "acknowledged"),
        row("quiet", "silenced"),
        row("elsewhere", situation_id="sit-2"),
    ]
    found = sort(rows, "sit-1")
    assert [one.alert_id for one in found.open] == ["new", "old", "warned"]
    assert [one.alert_id for one in found.acknowledged] == ["taken"]
    assert [one.alert_id for one in found.silenced] == ["quiet"]
    assert len(sort(rows, None).open) == 4


def test_the_list_says_age_lateness_and_deliveries() -> None:
    rows = [row("a", late_s=420), row("b", rule="new_rule", severity="odd", situation_id=None)]
    sent = {"a": [delivery("delivered"), delivery("pending"), delivery("delivered")]}
    found = table(rows, AT + timedelta(hours=3), {"sit-1": "M 7.8"}, sent, EN)
    assert found["severity"] == ["✕ Critical", "odd"]
    assert found["rule"] == ["People affected", "new_rule"]
    assert found["age"] == ["3 h", "3 h"]
    assert found["late"] == ["7 min", "on time"]
    assert found["situation"] == ["M 7.8", "—"]
    assert found["facts"] == ["known 2", "known 2"]
    assert found["deliveries"] == ["delivered 2, waiting 1", "—"]


def test_what_nobody_has_told_is_unknown() -> None:
    found = table([row("a")], None, {}, None, EN)
    assert (found["age"], found["deliveries"]) == (["unknown"], ["unknown"])


def test_a_delivery_in_doubt_and_its_error_are_shown() -> None:
    found = deliveries([delivery("refused", uncertain=True, last_error="550 no such box")], EN)
    assert found["state"] == ["refused by the receiver"]
    assert found["uncertain"] == ["yes"]
    assert found["error"] == ["550 no such box"]


@pytest.fixture
def full(tmp_path: Path) -> Path:
    taken = AlertAcknowledged(
        **builders.base("k1"), alert_id="alert-2", by="officer7", reason="calling the post"
    )
    silence = SilenceChanged(
        **builders.base("s9"),
        silence_id="sil-1",
        by="officer7",
        reason="known drill",
        until=AT + timedelta(hours=4),
        rule="affected_threshold",
    )
    second = msgspec.structs.replace(builders.ALERT, event_id="a2", alert_id="alert-2")
    crowd.fill(
        tmp_path,
        *(NewRecord(ROOM_OUTPUT, 0, "a", event) for event in (second, taken, silence)),
    )
    return tmp_path


def opened(data: Path) -> AppTest:
    install(screens.process(data, (alerts,)))
    return AppTest.from_file(str(SCRIPT), default_timeout=30).run()


def test_the_page_lists_open_acknowledged_and_silences(full: Path) -> None:
    app = opened(full)
    assert not app.exception
    tabs = app.segmented_control(key="alerts_list")
    assert tabs.options == ["Open (1)", "Acknowledged (1)", "Silenced (0)", "Silences (1)"]
    assert list(app.dataframe[0].value["alert"]) == ["2 of ours"]
    tabs.set_value("acknowledged").run()
    (taken,) = app.dataframe[0].value[["by", "reason"]].to_numpy().tolist()
    assert taken == ["officer7", "calling the post"]
    app.segmented_control(key="alerts_list").set_value("silenced").run()
    assert app.info[0].value == "No alert was raised under a silence."


def test_a_silence_is_lifted_with_a_reason_only(full: Path) -> None:
    app = opened(full)
    app.segmented_control(key="alerts_list").set_value("silences").run()
    said = " ".join(one.value for one in app.markdown).replace("\\", "")
    assert "**People affected** · all situations · until (UTC) **2023-02-06 05:25:00 UTC**" in said
    app.button(key="lift_sil-1").click().run()
    (lift,) = [one for one in app.button if one.label == "Lift" and one.key != "lift_sil-1"]
    lift.click().run()
    assert len(app.error) >= 2
    app.text_input(key="user").set_value("officer7").run()
    app.text_area(key="alerts_form_lift_reason").set_value("drill is over")
    (lift,) = [one for one in app.button if one.label == "Lift" and one.key != "lift_sil-1"]
    lift.click().run()
    said = " ".join(one.value for one in app.markdown).replace("\\", "")
    assert "Lift the silence of People affected in all situations" in said


def test_a_silence_is_offered_of_the_rules_that_the_room_takes_it_of(full: Path) -> None:
    app = opened(full)
    app.segmented_control(key="alerts_verb").set_value("silence").run()
    offered = app.selectbox(key="alerts_silence_rule").options
    assert offered == [
        EN["rule_every"],
        *(EN[f"rule_{one.name}"] for one in RULES if one.silenceable),
    ]


def test_nobody_silences_everything(full: Path) -> None:
    app = opened(full)
    app.segmented_control(key="alerts_verb").set_value("silence").run()
    app.text_input(key="user").set_value("officer7").run()
    app.text_area(key="alerts_form_silence_reason").set_value("too many of them")
    (check,) = [one for one in app.button if one.label == "Check"]
    check.click().run()
    assert app.error[-1].value == (
        "Choose a rule, a situation, or both: nobody silences everything."
    )


def silenced(app: AppTest, situation_id: str | None) -> AppTest:
    """Prepare a silence of a rule, in one situation or in all."""
    app.text_input(key="user").set_value("officer7").run()
    app.segmented_control(key="alerts_verb").set_value("silence").run()
    app.selectbox(key="alerts_silence_rule").set_value("affected_threshold")
    app.selectbox(key="alerts_silence_situation").set_value(situation_id)
    app.text_area(key="alerts_form_silence_reason").set_value("the drill is known")
    (check,) = [one for one in app.button if one.label == "Check"]
    return check.click().run()


@pytest.mark.parametrize(
    ("situation_id", "played", "status"),
    [
        ("sit-1", "Actual", "Actual"),
        ("sit-9", "Actual", "Exercise"),
        (None, "Actual", "Actual"),
        (None, "Exercise", "Exercise"),
    ],
)
def test_a_silence_is_of_the_status_that_it_is_to_mute(
    tmp_path: Path, situation_id: str | None, played: str, status: str
) -> None:
    drill = msgspec.structs.replace(
        builders.SITUATION, event_id="s9", situation_id="sit-9", status=Status.EXERCISE
    )
    crowd.fill(tmp_path, NewRecord(DESK_OUTPUT, 0, "sit-9", drill))
    engine = open_store(tmp_path / STORE_FILE)
    beat = datetime.now(UTC)
    note_runtime(engine, Runtime(mode="replay", phase="running", beat_wall_at=beat, status=played))
    engine.dispose()
    app = silenced(opened(tmp_path), situation_id)
    assert app.session_state["alerts_form_draft"].status == status
    warned = [one.value for one in app.warning if one.value == EN["act_exercise"]]
    assert len(warned) == (status == "Exercise")


def test_acknowledging_nothing_is_refused_in_words(full: Path) -> None:
    app = opened(full)
    (button,) = [one for one in app.button if one.label.startswith("Acknowledge ")]
    button.click().run()
    assert [one.value for one in app.error][-3:] == [
        "Choose at least one alert.",
        "Type your name at the top of the page first: every act has an author.",
        "Give a reason of at least 5 characters: it stands in the journal.",
    ]


def test_only_alerts_that_are_shown_ticked_are_acknowledged(full: Path) -> None:
    app = opened(full)
    (table,) = app.dataframe
    assert table.key is not None
    app.session_state[table.key] = {"selection": {"rows": [0]}}
    app.run()
    assert "1 chosen" in [one.value for one in app.text]
    third = msgspec.structs.replace(builders.ALERT, event_id="a3", alert_id="alert-3")
    screens.fill(full, [NewRecord(ROOM_OUTPUT, 0, "a", third)])
    app.run()
    table, *_ = app.dataframe
    assert table.key is not None
    rows = app.session_state[table.key]["selection"]["rows"]
    assert len(table.value) == 2
    assert len(rows) == 1
    assert "1 chosen" in [one.value for one in app.text]


def test_no_alert_is_said_with_its_limits(tmp_path: Path) -> None:
    open_store(tmp_path / STORE_FILE).dispose()
    app = opened(tmp_path)
    assert not app.exception
    assert "not a promise" in app.info[0].value
