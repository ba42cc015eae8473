"""One scenario in both databases: every question has the same answer."""

from contextlib import closing
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from infra.postgres import Postgres
from schemas.alert import AlertRaised
from streams.backends.sqlite import SqliteLog
from streams.cli import main
from streams.serving import tables as t
from streams.serving.alert_about import about
from streams.serving.alert_lists import alerts, silences
from streams.serving.explore import export_frame, tables
from streams.serving.kinds import KINDS
from streams.serving.people import members, person
from streams.serving.postgres import Database
from streams.serving.queries import commands, dead_letters, journal, nearest_id, status
from streams.serving.seek import candidates
from streams.serving.sql import Sandbox
from streams.serving.sql_answers import Answered
from streams.serving.store import STORE_FILE, open_store
from streams.serving.timeline import timeline
from streams.serving.trail import trail_of_cause, trail_of_person
from streams.serving.wall import snapshot
from streams.serving.wall_zones import zones
from streams.serving.writer import Writer, lag

pytestmark = pytest.mark.postgres

SCENARIO = Path(__file__).parents[2] / "streams/scenarios/turkiye-2023"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres):
    """Yield the stores of one log: a file, and a database; both opened to read."""
    folder = tmp_path_factory.mktemp("alike")
    words = ["--data", str(folder), "replay", str(SCENARIO), "--no-population"]
    said = CliRunner().invoke(main, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    name = f"test_{uuid4().hex}"
    database = Database(postgres_server.create_database(name))
    with closing(SqliteLog.open_read_only(folder)) as log:
        writer = Writer(log, open_store(database))
        writer.drain()
        assert lag(log, writer.engine) == 0
        writer.close()
    stores = open_store(folder / STORE_FILE, read_only=True), open_store(database, read_only=True)
    yield stores
    for one in stores:
        one.dispose()
    postgres_server.drop_database(name)


def ids(engine, column):
    with engine.connect() as connection:
        return list(connection.scalars(select(column).distinct().order_by(column)))


def without_beat(wall):
    """Return the wall's answer without what the process of the file has said of itself."""
    return {
        name: getattr(wall, name)
        for name in wall.__struct_fields__
        if name not in {"clock", "pipeline"}
    }


def test_every_row_of_every_table_is_the_same(both):
    counted = {}
    for table in t.METADATA.sorted_tables:
        if table.name == "runtime":
            continue
        rows = []
        for engine in both:
            with engine.connect() as connection:
                query = select(table).order_by(*table.primary_key.columns)
                rows.append(connection.execute(query).all())
        assert rows[0] == rows[1], table.name
        counted[table.name] = len(rows[0])
    assert counted["ledger"] > 20
    assert counted["inputs"] > 50


def test_the_wall_and_the_status_are_the_same(both):
    file, server = both
    assert status(server) == status(file)
    assert without_beat(snapshot(server)) == without_beat(snapshot(file))
    assert snapshot(server).situations
    for situation_id in ids(file, t.situations.c.situation_id):
        assert zones(server, situation_id) == zones(file, situation_id)


def test_lists_and_stories_of_people_are_the_same(both):
    file, server = both
    for situation_id in ids(file, t.situations.c.situation_id):
        for wanted in (
            {},
            {"limit": 3, "offset": 2},
            {"search": "GAZ"},
            {"search": "a\0b"},
            {"areas": [""]},
            {"bases": ["stay"]},
            {"buckets": ["unaccounted"], "tiers": ["probable", "possible"]},
        ):
            assert members(server, situation_id, **wanted) == members(file, situation_id, **wanted)
    for person_id in ids(file, t.ledger.c.person_id):
        assert person(server, person_id) == person(file, person_id)
        assert timeline(server, person_id) == timeline(file, person_id)
        assert trail_of_person(server, person_id) == trail_of_person(file, person_id)


def test_trails_searches_and_journals_are_the_same(both):
    file, server = both
    for cause_id in ids(file, t.zones.c.cause_id) + ids(file, t.situations.c.situation_id):
        assert trail_of_cause(server, cause_id) == trail_of_cause(file, cause_id)
    for text in ("", "m 7", "KAHRAMANMARAŞ", "ş", "r1", "%", "_", "\0"):
        assert candidates(server, text) == candidates(file, text)
    for kind in ("movements", "alerts", "deadletters"):
        assert journal(server, kind) == journal(file, kind)
    for ask in (alerts, silences, dead_letters, commands):
        assert ask(server) == ask(file)
    assert nearest_id(server, "alert_id", "x") == nearest_id(file, "alert_id", "x")


def test_exports_are_the_same_and_can_be_asked_in_sql(both):
    file, server = both
    for name in KINDS:
        if name != "deliveries":
            assert export_frame(server, name, area=True) == export_frame(file, name, area=True)
    found = tables(server)
    assert found == tables(file)
    sandbox = Sandbox()
    try:
        answered = sandbox.ask("SELECT count(*) AS n FROM ledger", "v1", lambda: found)
    finally:
        sandbox.close()
    assert isinstance(answered, Answered)
    assert answered.table.to_pylist() == [{"n": found["ledger"].num_rows}]


def test_what_an_alert_is_about_is_the_same(both):
    file, server = both
    with file.connect() as connection:
        bodies = list(connection.scalars(select(t.alerts.c.body)))
    said = [msgspec.json.decode(body, type=AlertRaised) for body in bodies]
    assert [about(server, one) for one in said] == [about(file, one) for one in said]
