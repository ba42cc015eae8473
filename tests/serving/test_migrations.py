"""Revisions of the tables: what they make, and what does not fit is said in words."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from streams.errors import DeliveriesFailedError, StoreFailedError
from streams.serving import deliveries, postgres, sqlite, store
from streams.serving.migrate import FOLDER, check, revision, upgrade
from streams.serving.postgres import Database
from tests.serving.conftest import BOTH

HISTORIES = (store.HISTORY, deliveries.HISTORY)


@pytest.fixture(params=BOTH)
def empty(request, tmp_path):
    """Return how to open a database without tables, again and again."""
    if request.param == "sqlite":
        yield lambda _: sqlite.engine_to_write(tmp_path / "empty.sqlite", "NORMAL")
        return
    database = Database(request.getfixturevalue("postgres"))
    opened = []

    def open_it(history):
        opened.append(postgres.engine_to_write(database, history.name, durable=False))
        return opened[-1]

    yield open_it
    for engine in opened:
        engine.dispose()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
def test_the_revisions_make_exactly_the_tables_of_the_code(empty, history):
    engine = empty(history)
    upgrade(engine, history)
    options = {"compare_type": True, "compare_server_default": True}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, history.tables) == []
        assert revision(connection) == history.head
    upgrade(engine, history)
    check(engine, history)
    engine.dispose()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
def test_the_code_names_the_newest_revision_there_is(history):
    folder = str(FOLDER / history.name)
    assert ScriptDirectory(str(FOLDER), version_locations=[folder]).get_heads() == [history.head]


def test_tables_of_a_newer_version_are_refused_in_words(empty):
    engine = empty(store.HISTORY)
    upgrade(engine, store.HISTORY)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    for refused in (upgrade, check):
        with pytest.raises(StoreFailedError) as raised:
            refused(engine, store.HISTORY)
        what = "the serving tables are of a newer version (0999) than this program"
        assert str(raised.value) == what
        assert raised.value.hint.startswith("Use the version that made them, this one knows 0001.")
    engine.dispose()


def test_tables_from_before_the_revisions_become_the_first_one(empty):
    history = deliveries.HISTORY
    engine = empty(history)
    history.tables.create_all(engine)
    with pytest.raises(DeliveriesFailedError, match="has no tables yet"):
        check(engine, history)
    upgrade(engine, history)
    check(engine, history)
    engine.dispose()


@pytest.mark.postgres
def test_writers_that_start_together_make_the_tables_once(postgres):
    database = Database(postgres)
    with ThreadPoolExecutor(6) as together:
        engines = list(together.map(lambda _: store.open_store(database), range(6)))
    for engine in engines:
        check(engine, store.HISTORY)
        engine.dispose()


@pytest.mark.postgres
def test_a_database_without_tables_is_told_in_words_to_readers(postgres):
    with pytest.raises(StoreFailedError) as raised, store.reading(Database(postgres)):
        pass
    assert str(raised.value) == "the serving schema has no tables yet"
    assert raised.value.hint == "Start the process that writes it; it makes the tables."
    with deliveries.reading_deliveries(Database(postgres)) as engine:
        assert engine is None


@pytest.mark.postgres
def test_every_text_of_the_database_sorts_by_its_bytes(postgres):
    engine = store.open_store(Database(postgres))
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema ="
        " 'serving' AND data_type IN ('text', 'character varying') AND collation_name IS NULL"
        " AND table_name <> 'alembic_version'"
    )
    with engine.connect() as connection:
        assert connection.execute(query).all() == []
        narrow = query.text.replace(
            "data_type IN ('text', 'character varying') AND collation_name IS NULL",
            "data_type = 'integer'",
        )
        assert connection.execute(text(narrow)).all() == []
        # The server sorts as in English; that the texts do not is what this is about.
        order = text("SELECT 'B' < 'a', ('B' < 'a' COLLATE \"C\")")
        assert tuple(connection.execute(order).one()) == (False, True)
    engine.dispose()
