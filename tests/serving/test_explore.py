"""The analyst's tables: every export from the store, chosen from and written."""

import io
from datetime import timedelta

import geopandas  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # as above: no types
import pytest
from pyarrow import parquet
from sqlalchemy import insert

from schemas.alert import AlertAcknowledged
from schemas.codelists import Bucket, Hazard, Status, Verb
from schemas.exposure import ExposureClosed
from schemas.operations import MessageRejected
from streams.exports import KINDS as CLI_KINDS
from streams.serving import tables as t
from streams.serving.deliveries import deliveries, open_deliveries
from streams.serving.explore import export_frame, tables, version
from streams.serving.kinds import KINDS, asked_columns
from streams.serving.narrow import Narrow, as_file, choices_of, narrowed, table_as_file
from streams.serving.rows import rows_of
from streams.serving.sql import Sandbox
from streams.serving.sql_answers import Answered
from streams.serving.writer import write_rows
from tests.serving.builders import (
    ALERT,
    AT,
    INCIDENT,
    SITUATION,
    ZONE,
    base,
    moved,
    opened,
    ordered,
)


def said(engine, *events):
    with engine.begin() as connection:
        for event in events:
            write_rows(connection, rows_of(event))


def at(event, lon_deg, lat_deg, admin1="TR-27", later_s=0):
    """Return an exposure judged by a presence at that point."""
    reason = msgspec.structs.replace(
        event.reason,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        admin1=admin1,
        country="TR",
        place_name="Gaziantep",
        as_of=AT + timedelta(seconds=later_s),
    )
    return msgspec.structs.replace(event, reason=reason)


def crisis(engine):
    """Ana in Gaziantep, Ben nobody knows where, Cem out of it since; Ana is safe."""
    closed = opened("e4", "c.1", ExposureClosed, why="left", until=AT)
    said(
        engine,
        SITUATION,
        INCIDENT,
        ZONE,
        at(opened("e1", "a.1"), 37.38, 37.07),
        opened("e2", "b.1"),
        at(closed, 36.2, 36.3, "TR-31"),
        moved("m1", "a.1", Bucket.SAFE, area="TR-27"),
        moved("m2", "b.1", Bucket.UNACCOUNTED),
        moved("m3", "c.1", Bucket.LEFT_AREA, area="TR-31"),
        ALERT,
    )


def test_every_export_of_the_command_line_is_here():
    assert set(CLI_KINDS) == set(KINDS)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"deliveries"}))
def test_an_empty_store_has_the_same_columns_and_types(store, name):
    kind = KINDS[name]
    empty = export_frame(store, name, area=True)
    assert empty.num_rows == 0
    assert dict(zip(empty.column_names, empty.schema.types, strict=True)) == kind.columns(area=True)
    crisis(store)
    full = export_frame(store, name, area=True)
    assert full.schema == empty.schema
    assert {kind.at, *kind.choices} <= set(full.column_names)


def test_exposures_are_the_open_ones_with_their_reason(store):
    crisis(store)
    ana, ben = export_frame(store, "exposures").to_pylist()
    assert (ana["person_id"], ana["lon_deg"], ana["lat_deg"]) == ("a.1", 37.38, 37.07)
    assert (ana["admin1"], ana["zone_id"], ana["cause_title"]) == ("TR-27", "inc-1/VI", "M 7.8")
    assert (ana["since"], ana["as_of"], ana["tier"]) == (AT, AT, "probable")
    assert (ben["person_id"], ben["lon_deg"], ben["country"]) == ("b.1", None, None)


def test_persons_are_where_the_newest_exposure_believed_them(store):
    crisis(store)
    other = msgspec.structs.replace(opened("e9", "a.1"), cause_id="inc-2")
    said(store, at(other, 38.0, 38.0, later_s=60))
    ana, ben, cem = export_frame(store, "persons").to_pylist()
    assert (ana["lon_deg"], ana["open_exposures"]) == (38.0, 2)
    assert (ben["lon_deg"], ben["open_exposures"]) == (None, 1)
    assert (cem["admin1"], cem["open_exposures"]) == ("TR-31", 0)


def test_the_ledger_says_where_its_people_are_also_those_who_left(store):
    crisis(store)
    rows = export_frame(store, "ledger").to_pylist()
    assert [(row["person_id"], row["bucket"], row["area"], row["lon_deg"]) for row in rows] == [
        ("a.1", "safe", "TR-27", 37.38),
        ("b.1", "unaccounted", None, None),
        ("c.1", "left_area", "TR-31", 36.2),
    ]


def test_a_drill_does_not_move_a_live_person(store):
    crisis(store)
    drill = msgspec.structs.replace(opened("x1", "a.1"), status=Status.EXERCISE)
    said(store, at(drill, 4.35, 50.85, "BE-BRU", later_s=600))
    ledger = {row["person_id"]: row for row in export_frame(store, "ledger").to_pylist()}
    assert ledger["a.1"]["lon_deg"] == 37.38
    persons = export_frame(store, "persons").to_pylist()
    assert [(row["person_id"], row["status"], row["lon_deg"]) for row in persons[:2]] == [
        ("a.1", "Actual", 37.38),
        ("a.1", "Exercise", 4.35),
    ]


def test_alerts_carry_who_took_note(store):
    crisis(store)
    taken = AlertAcknowledged(
        **base("ack"), alert_id="alert-1", by="officer7", reason="calling the post"
    )
    said(store, taken)
    (alert,) = export_frame(store, "alerts").to_pylist()
    assert (alert["acknowledged_by"], alert["acknowledged_at"]) == ("officer7", AT)


def test_what_officers_ordered_stands_there_once_by_time_with_who_and_why(store):
    silence = {"rule": "affected_threshold", "until": AT + timedelta(hours=1)}
    grouping = {"title": "Riots", "hazard": Hazard.CONFLICT, "incident_ids": ("inc-1", "inc-2")}
    override = {"person_id": "a.1", "situation_id": "sit-1", "bucket": Bucket.SAFE}
    ordered(
        store,
        ("c-silence", Verb.SILENCE, 9, silence),
        ("c-declare", Verb.DECLARE, 3, grouping),
        ("c-override", Verb.OVERRIDE, 3, override),
        ("c-silence", Verb.SILENCE, 9, silence),
    )
    kind = KINDS["commands"]
    nothing = dict.fromkeys(name for name, _ in kind.more)

    def row(event_id, verb, later_s, **given):
        at = AT + timedelta(seconds=later_s)
        return {
            "event_id": event_id, "source": "api", "status": "Actual", "occurred_at": at,
            "received_at": at + timedelta(seconds=1), **nothing, "verb": verb, "by": "officer7",
            "role": "officer", "reason": "asked by the post", "hazard": "other",
            "incident_ids": "", **given,
        }  # fmt: skip

    frame = export_frame(store, "commands")
    assert frame.to_pylist() == [
        row("c-declare", "declare", 3, title="Riots", hazard="conflict",
            incident_ids="inc-1 inc-2"),
        row("c-override", "override", 3, person_id="a.1", situation_id="sit-1", bucket="safe"),
        row("c-silence", "silence", 9, rule="affected_threshold", until=AT + timedelta(hours=1)),
    ]  # fmt: skip
    assert tables(store)["commands"] == frame
    assert choices_of(frame, kind) == {"verb": ["declare", "override", "silence"]}


def test_the_body_of_a_refused_record_is_nowhere(store):
    letter = MessageRejected(
        **base("r1"),
        reason="it has a field that no message has",
        topic="intake",
        partition=0,
        offset=1,
        message_type="RegistrationFiled",
        body='{"name": "Ana"}',
        retryable=False,
        traceback="Ana",
    )
    said(store, letter)
    (row,) = export_frame(store, "deadletters").to_pylist()
    assert "Ana" not in str(row)
    assert "Ana" not in str({name: table.to_pylist() for name, table in tables(store).items()})
    assert not any({"body", "traceback"} & set(columns) for columns in asked_columns().values())


def test_rows_are_narrowed_by_choice_text_and_time(store):
    crisis(store)
    kind, ledger = KINDS["ledger"], export_frame(store, "ledger")

    def ids(**wanted):
        return narrowed(ledger, kind, Narrow(**wanted))["person_id"].to_pylist()

    assert ids() == ["a.1", "b.1", "c.1"]
    assert ids(choices={"bucket": ("safe", "left_area")}) == ["a.1", "c.1"]
    assert ids(choices={"bucket": ("safe", "left_area"), "area": ("TR-31",)}) == ["c.1"]
    assert ids(choices={"bucket": ()}) == ["a.1", "b.1", "c.1"]
    assert ids(text=" GAZI ") == ["a.1", "c.1"]
    assert ids(text="b.1") == ["b.1"]
    assert ids(text="axb1") == [], "a text is no pattern"
    assert ids(from_at=AT) == ["a.1", "b.1", "c.1"]
    assert ids(to_at=AT) == []
    assert ids(from_at=AT + timedelta(seconds=1)) == []


def test_choices_are_the_values_there_are_of_columns_with_more_than_one(store):
    crisis(store)
    ledger = export_frame(store, "ledger")
    assert choices_of(ledger, KINDS["ledger"]) == {
        "bucket": ["left_area", "safe", "unaccounted"],
        "area": ["TR-27", "TR-31"],
    }


def test_a_file_of_the_page_is_one_of_the_command_line(store):
    crisis(store)
    situations = export_frame(store, "situations").select(["situation_id", "onset_at", "closed"])
    formula = situations.set_column(0, "situation_id", pa.array(["=1+1"]))
    assert as_file(formula, KINDS["situations"], "csv").decode() == (
        "situation_id,onset_at,closed\n'=1+1,2023-02-06T01:25:00Z,false\n"
    )


def test_people_without_a_place_stay_in_files_of_places(store):
    crisis(store)
    kind, ledger = KINDS["ledger"], export_frame(store, "ledger")
    frame = geopandas.read_parquet(io.BytesIO(as_file(ledger, kind, "parquet")))
    assert [point and (point.x, point.y) for point in frame.geometry] == [
        (37.38, 37.07), None, (36.2, 36.3),
    ]  # fmt: skip
    features = msgspec.json.decode(as_file(ledger, kind, "geojson"))["features"]
    assert [one["geometry"] and one["geometry"]["type"] for one in features] == [
        "Point", None, "Point",
    ]  # fmt: skip


def test_zones_are_written_with_their_areas(store):
    crisis(store)
    zones = export_frame(store, "zones", area=True)
    frame = geopandas.read_parquet(io.BytesIO(as_file(zones, KINDS["zones"], "parquet")))
    west, south, east, north = frame.total_bounds
    assert west < 37.0 < east
    assert south < 37.2 < north
    (feature,) = msgspec.json.decode(as_file(zones, KINDS["zones"], "geojson"))["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert feature["properties"]["zone_id"] == "inc-1/VI"


def test_the_tables_of_sql_are_what_the_schema_says_and_can_be_asked(store):
    crisis(store)
    found = tables(store)
    assert {
        name: dict(zip(table.column_names, table.schema.types, strict=True))
        for name, table in found.items()
    } == asked_columns()
    sandbox = Sandbox()
    answered = sandbox.ask(
        "SELECT l.bucket, count(*) AS n, max(e.closed) AS closed FROM ledger l"
        " LEFT JOIN closed_exposures e USING (person_id) GROUP BY 1 ORDER BY 1",
        version(store),
        lambda: found,
    )
    sandbox.close()
    assert isinstance(answered, Answered)
    assert answered.table.to_pylist() == [
        {"bucket": "left_area", "n": 1, "closed": "left"},
        {"bucket": "safe", "n": 1, "closed": None},
        {"bucket": "unaccounted", "n": 1, "closed": None},
    ]
    rows = parquet.read_table(io.BytesIO(table_as_file(answered.table, "parquet"))).to_pylist()
    assert rows == answered.table.to_pylist()
    assert table_as_file(answered.table, "csv").startswith(b"bucket,n,closed\nleft_area,1,left\n")


def test_deliveries_come_from_their_own_file_and_only_with_what_is_for_others(tmp_path, store):
    assert tables(store)["deliveries"].num_rows == 0
    engine = open_deliveries(tmp_path / "deliveries.sqlite")
    values = {
        "delivery_id": "d1", "alert_id": "alert-1", "channel": "console", "recipient": "desk",
        "intent": "alert", "status": "Actual", "rule": "r", "cause_id": "c", "audience": "a",
        "title": "2 of ours", "raised_at": AT, "seq": 1, "state": "delivered", "attempts": 1,
        "use_by_at": AT, "doubt": False, "uncertain": False, "decided_at": AT, "body": "{}",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(deliveries), values)
    (row,) = tables(store, engine)["deliveries"].to_pylist()
    engine.dispose()
    assert (row["delivery_id"], row["state"], row["raised_at"]) == ("d1", "delivered", AT)
    assert not {"body", "about", "seq", "doubt"} & set(row)


def test_the_version_moves_with_the_writer(store):
    before = version(store)
    with store.begin() as connection:
        values = {"topic": "room-output", "partition": 0, "next_offset": 7}
        connection.execute(insert(t.writer_offsets), values)
    assert version(store) != before
    assert version(store) == version(store)
