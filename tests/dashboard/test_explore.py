"""The analyst's page over a small crisis, as Streamlit runs it."""

import gc
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert
from streamlit.testing.v1 import AppTest

from dashboard import process as processes
from dashboard.app import SCRIPT
from dashboard.explore import kept, query
from dashboard.explore.labels import Labels
from dashboard.views import explore
from dashboard.words import LANGUAGES, words
from schemas.codelists import Bucket
from streams.backends.sqlite import SqliteLog
from streams.core.stage import SHARD_OUTPUT
from streams.ports import NewRecord
from streams.serving.deliveries import DELIVERIES_FILE, deliveries, open_deliveries
from streams.serving.explore import tables
from streams.serving.kinds import KINDS, asked_columns
from streams.serving.sql import Sandbox
from streams.serving.sql_answers import SENTENCES, Answered, Refusal
from streams.serving.store import STORE_FILE, open_store, reading
from streams.serving.writer import Writer
from tests.serving.builders import AT, SHARDS, moved
from tests.support import screens

EN = words("en", "explore")


@pytest.fixture
def app(data: Path):
    """Return the page alone in an app; nothing is kept from another test."""
    kept.KEPT.forget()
    processes.install(screens.process(data, (explore,)))
    yield AppTest.from_file(str(SCRIPT), default_timeout=30)
    kept.KEPT.sandbox.close()


def write_a_little_more(data: Path):
    with closing(SqliteLog.open(data, shards=SHARDS)) as log:
        log.append([NewRecord(SHARD_OUTPUT, 0, "d.1", moved("m9", "d.1", Bucket.UNACCOUNTED))])
        store = open_store(data / STORE_FILE)
        Writer(log, store).drain()
        store.dispose()


def chosen(app, key, value):
    """Choose an option of a widget by its key; run the page."""
    return app.session_state.__setitem__(key, value) or app.run()


def texts(app):
    return [one.value for one in (*app.markdown, *app.caption, *app.info, *app.error, *app.warning)]


def test_the_ledger_comes_first_and_says_that_it_is_personal(app):
    app.run()
    assert not app.exception
    assert EN("rows_of", count="2", total="2") in texts(app)
    assert "🔒 " + EN["personal_data"] in texts(app)
    table = app.dataframe[0].value
    assert list(table["person_id"]) == ["a.1", "b.1"]
    assert list(table["bucket"]) == ["unaccounted", "safe"]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"deliveries"}))
@pytest.mark.parametrize("figure", ["bars", "times", "map"])
def test_every_export_has_a_table_and_its_figures(app, kind, figure):
    if figure == "map" and not KINDS[kind].place:
        return
    app.run()
    app.selectbox(key="explore_kind").set_value(kind).run()
    chosen(app, f"figure_{kind}", figure)
    assert not app.exception
    assert not app.error
    columns = KINDS[kind].columns()
    assert list(app.dataframe[0].value.columns) == list(columns)


def test_without_a_dispatcher_there_is_no_empty_list_but_a_sentence(app):
    app.run()
    app.selectbox(key="explore_kind").set_value("deliveries").run()
    assert EN["no_dispatcher"] in texts(app)
    assert len(app.dataframe) == 0


def test_rows_are_chosen_by_value_and_text(app):
    app.run()
    app.multiselect(key="choice_ledger_bucket").set_value(["safe"]).run()
    assert EN("rows_of", count="1", total="2") in texts(app)
    assert list(app.dataframe[0].value["person_id"]) == ["b.1"]
    app.text_input(key="text_ledger").set_value("a.1").run()
    assert EN("rows_of", count="0", total="2") in texts(app)
    assert EN["no_rows"] in texts(app)


def test_a_query_is_answered_with_table_and_time(app):
    app.run()
    chosen(app, "explore_section", "sql")
    app.text_area(key="explore_sql").set_value("SELECT bucket, count(*) n FROM ledger GROUP BY 1")
    app.button(key="explore_run").click().run()
    assert not app.error
    answer = app.dataframe[-1].value
    assert dict(zip(answer["bucket"], answer["n"], strict=True)) == {"safe": 1, "unaccounted": 1}
    assert any(text.startswith("2 rows in 0.") for text in texts(app))


def test_a_refusal_is_an_error_in_the_words_of_the_page(app):
    app.query_params["lang"] = "nl"
    app.run()
    chosen(app, "explore_section", "sql")
    app.text_area(key="explore_sql").set_value("DROP TABLE ledger")
    app.button(key="explore_run").click().run()
    (error,) = app.error
    assert error.value == (
        "DROP is niet voor deze pagina, die alleen leest. Schrijf één SELECT, WITH, FROM, DESCRIBE,"
        " SHOW, SUMMARIZE of EXPLAIN."
    )


def test_what_a_query_says_is_no_markdown_in_its_refusal(app):
    app.run()
    chosen(app, "explore_section", "sql")
    app.text_area(key="explore_sql").set_value('FROM "**all** [are](http://safe.example)"')
    app.button(key="explore_run").click().run()
    (error,) = app.error
    assert r"\*\*all\*\* \[are\]\(http\://safe.example\)" in error.value


def test_an_example_fills_the_box(app):
    app.run()
    chosen(app, "explore_section", "sql")
    app.button(key="example_moved").click().run()
    assert app.text_area(key="explore_sql").value == query.EXAMPLES["moved"]


def test_every_example_runs(data: Path):
    sandbox = Sandbox()
    with reading(data / STORE_FILE) as engine:
        found = tables(engine)
    answers = {name: sandbox.ask(sql, 1, lambda: found) for name, sql in query.EXAMPLES.items()}
    sandbox.close()
    assert [name for name, said in answers.items() if not isinstance(said, Answered)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_table_and_column_has_words(language):
    said = words(language, "explore")
    columns = asked_columns()
    keys = [f"refused_{code}" for code in SENTENCES]
    keys += [f"about_{name}" for name in columns] + [f"table_{name}" for name in KINDS]
    keys += [f"col_{column}" for table in columns.values() for column in table]
    assert [key for key in keys if key not in said] == []
    if language == "en":
        assert {code: said[f"refused_{code}"] for code in SENTENCES} == SENTENCES


def test_the_sentence_of_a_refusal_is_filled_in():
    refusal = Refusal(code="time", facts={"limit_s": 10.0})
    assert query.refused(refusal, words("fr", "explore")) == (
        "La requête a été arrêtée après 10.0 s. Demandez moins : une situation, un jour."
    )


def test_values_are_in_words_and_the_unknown_is_said():
    labels = Labels(EN, {"sit-1": "M 7.8"})
    assert labels.value("bucket", "needs_help") == "Needs help"
    assert labels.value("to_bucket", "safe") == "Safe"
    assert labels.value("area", "TR-31") == "Hatay"
    assert labels.value("situation_id", "sit-1") == "M 7.8"
    assert labels.value("area", None) == "unknown"
    assert labels.value("closed", bool(0)) == "no"
    assert labels.value("rule", "affected_threshold") == "affected_threshold"


def test_rows_are_read_anew_only_when_old_and_changed(data: Path):
    now = [0.0]
    own = kept.Kept(clock=lambda: now[0])
    with reading(data / STORE_FILE) as engine:
        first = own.frame(engine, "ledger", data / DELIVERIES_FILE)
        now[0] = 3_600.0
        assert own.frame(engine, "ledger", data / DELIVERIES_FILE) is first, "nothing has changed"
        write_a_little_more(data)
        now[0] = 3_600.0 + kept.FRESH_S
        changed = own.frame(engine, "ledger", data / DELIVERIES_FILE)
        assert changed.rows is not None
        assert changed.rows["person_id"].to_pylist() == ["a.1", "b.1", "d.1"]
        own.forget()
        assert own.frame(engine, "ledger", data / DELIVERIES_FILE) is not changed
    own.sandbox.close()


def deliver(data: Path, delivery_id: str):
    values = {
        "delivery_id": delivery_id, "alert_id": "alert-1", "channel": "console",
        "recipient": "desk", "intent": "alert", "status": "Actual", "rule": "r", "cause_id": "c",
        "audience": "a", "title": "2 of ours", "raised_at": AT, "seq": 1, "state": "delivered",
        "attempts": 1, "use_by_at": AT, "doubt": False, "uncertain": False, "decided_at": AT,
        "body": "{}",
    }  # fmt: skip
    engine = open_deliveries(data / DELIVERIES_FILE)
    with engine.begin() as connection:
        connection.execute(insert(deliveries), values)
    engine.dispose()


def test_deliveries_are_read_anew_while_nothing_else_is_written(data: Path):
    now = [0.0]
    own = kept.Kept(clock=lambda: now[0])
    count = "SELECT count(*) AS n FROM deliveries"

    def seen(engine: Engine) -> tuple[list[str] | None, list[dict[str, int]]]:
        now[0] += 2 * kept.FRESH_S
        rows = own.frame(engine, "deliveries", data / DELIVERIES_FILE).rows
        answer = own.ask(engine, data / DELIVERIES_FILE, count).answer
        assert isinstance(answer, Answered)
        return rows and rows["delivery_id"].to_pylist(), answer.table.to_pylist()

    with reading(data / STORE_FILE) as engine:
        assert seen(engine) == (None, [{"n": 0}])
        deliver(data, "d1")
        assert seen(engine) == (["d1"], [{"n": 1}])
        deliver(data, "d2")
        assert seen(engine) == (["d1", "d2"], [{"n": 2}])
    own.sandbox.close()


def test_a_store_in_place_of_another_is_read_at_once(data: Path, tmp_path_factory):
    own = kept.Kept(clock=lambda: 0.0)
    other = tmp_path_factory.mktemp("other")
    screens.fill(other)
    for _ in range(20):
        with reading(data / STORE_FILE) as engine:
            first = own.frame(engine, "ledger", data)
        del engine
        gc.collect()
        with reading(other / STORE_FILE) as engine:
            assert own.frame(engine, "ledger", other) is not first
        del engine
        gc.collect()


def test_a_person_is_found_and_followed(app):
    app.run()
    chosen(app, "explore_section", "follow")
    app.text_input(key="follow_search").set_value("b.").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table[EN["follow_what"]]) == [
        "Incident: M 7.8",
        "Zone: VI",
        "└ Exposure b.1: Probable",
        "Movement b.1: Unaccounted for",
        "Movement b.1: Safe",
    ]
    assert EN["follow_select"] in texts(app)


def test_what_is_not_found_is_said_with_how_to_search(app):
    app.run()
    chosen(app, "explore_section", "follow")
    app.text_input(key="follow_search").set_value("nowhere").run()
    assert EN("follow_nothing", text="nowhere") in texts(app)
