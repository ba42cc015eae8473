"""The health page: what runs, what is late, what was refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from dashboard.app import SCRIPT
from dashboard.health_tables import deliveries, feeds, figures, inputs, off_balance
from dashboard.process import install
from dashboard.views import health
from dashboard.words import Words, words
from streams.serving.answers import Imbalance
from streams.serving.deliveries import DELIVERIES_FILE, open_deliveries
from streams.serving.deliveries import deliveries as table
from streams.serving.store import STORE_FILE, open_store
from streams.serving.wall_answers import WallFeed, WallInput
from tests.dashboard import crowd
from tests.dashboard.test_figures import NOW, SITUATION
from tests.support import screens

AT = datetime(2023, 2, 6, 4, 30, tzinfo=UTC)
EN = Words("en", {**words("en", "staff"), **words("en", "health")})


def test_feeds_say_state_age_interval_and_what_is_usual() -> None:
    feed = WallFeed(
        feed="usgs",
        state="late",
        reason="no answer",
        last_success_at=AT - timedelta(minutes=14),
        since=None,
        expected_interval_s=60,
        items=3,
        usual_items=12,
    )
    never = msgspec.structs.replace(
        feed, state="down", last_success_at=None, expected_interval_s=None
    )
    found = feeds([feed, never], AT, EN)
    assert found["state"] == ["▲ Late", "✕ Down"]
    assert found["age"] == ["14 min", "never heard"]
    assert found["interval"] == ["1 min", "unknown"]
    assert (found["items"], found["usual"]) == ([3, 3], [12, 12])


def test_input_that_never_came_is_not_an_age() -> None:
    found = inputs(
        [
            WallInput(kind="check_ins", last_at=AT - timedelta(hours=3)),
            WallInput(kind="contacts", last_at=None),
        ],
        AT,
        EN,
    )
    assert found == {"Check-ins": "3 h", "Contacts": "none yet"}


def test_unknown_is_a_word_and_an_imbalance_is_counted() -> None:
    off = msgspec.structs.replace(SITUATION, imbalance=Imbalance(room=1, buckets=0, store=0))
    now = msgspec.structs.replace(NOW, situations=(off, SITUATION))
    assert off_balance(now) == 1
    assert figures(now, EN)["Balance"][0] == "1 situations out of balance"
    unsaid = msgspec.structs.replace(NOW, as_of=None, completeness=None, people=None)
    found = {label: value for label, (value, _) in figures(unsaid, EN).items()}
    assert found["Balance"] == found["Shards"] == found["People on the register"] == "unknown"
    assert found["Refused records"] == "0"


def test_deliveries_are_counted_by_channel_and_state() -> None:
    assert deliveries({("email", "delivered"): 3, ("email", "new"): 0}, EN) == {
        "channel": ["email", "email"],
        "state": ["delivered", "new"],
        "count": [3, 0],
    }


def texts(app: AppTest) -> list[str]:
    return [one.value for one in app.text]


def opened(data: Path) -> AppTest:
    install(screens.process(data, (health,)))
    return AppTest.from_file(str(SCRIPT), default_timeout=30).run()


def test_the_page_says_what_runs(tmp_path: Path) -> None:
    crowd.fill(tmp_path, reached=1)
    app = opened(tmp_path)
    assert not app.exception
    assert {one.label: one.value for one in app.metric} == {
        "People on the register": "5",
        "Shards": "1 of 2",
        "Not yet in the numbers": "unknown",
        "Control records skipped": "0",
        "Refused records": "0",
        "Balance": "balanced",
    }
    assert "No record has been refused." in [one.value for one in app.caption]
    assert any("never said anything" in one.value for one in app.error)


def test_the_page_says_since_when_an_alert_waits_and_what_is_in_doubt(data: Path) -> None:
    values = {
        "alert_id": "alert-1", "channel": "console", "recipient": "desk", "intent": "alert",
        "status": "Actual", "rule": "r", "cause_id": "c", "audience": "a", "title": "2 of ours",
        "raised_at": AT, "seq": 1, "state": "delivered", "attempts": 1, "use_by_at": AT,
        "doubt": False, "uncertain": False, "decided_at": AT, "body": "{}",
    }  # fmt: skip
    engine = open_deliveries(data / DELIVERIES_FILE)
    with engine.begin() as connection:
        connection.execute(insert(table), values | {"delivery_id": "d1", "uncertain": True})
    assert texts(opened(data))[-2:] == [
        "No alert is waiting.", "1 in doubt: may have arrived twice, or all the same.",
    ]  # fmt: skip
    waits = {"state": "pending", "raised_at": AT - timedelta(hours=1)}
    with engine.begin() as connection:
        connection.execute(insert(table), values | {"delivery_id": "d2"} | waits)
        connection.execute(insert(table), values | {"delivery_id": "d3", "state": "pending"})
    engine.dispose()
    assert texts(opened(data))[-2] == "The longest waiting alert is of 2023-02-06 03:30:00 UTC."


def test_an_empty_store_shows_no_zero_for_what_is_unknown(tmp_path: Path) -> None:
    open_store(tmp_path / STORE_FILE).dispose()
    app = opened(tmp_path)
    assert not app.exception
    found = {one.label: one.value for one in app.metric}
    assert found["People on the register"] == found["Shards"] == "unknown"
    assert any("which there are" in one.value for one in app.info)
