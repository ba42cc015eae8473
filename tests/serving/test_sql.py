"""What an analyst's query may do, and every way we know of to do more."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pytest

from streams.errors import StoreFailedError
from streams.serving.sql import Sandbox
from streams.serving.sql_answers import SENTENCES, Answered, Limits, Refusal
from streams.serving.sql_worker import plain

LEDGER = pa.table({"person_id": ["a.1", "b.1", "c.1"], "bucket": ["safe", "safe", "unaccounted"]})
ONLY_READS = (
    " is not for this page, which only reads. Write one SELECT, WITH, FROM, DESCRIBE, SHOW,"
    " SUMMARIZE or EXPLAIN."
)
NOT_HERE = (
    " is not for this page: a query reads the tables listed here, and no files, network, settings,"
    " secrets or other databases."
)


def tables():
    return {"ledger": LEDGER}


@pytest.fixture(scope="module")
def sandbox():
    """Yield one that waits long: no test fails because the machine is busy."""
    one = Sandbox(Limits(time_s=60.0, rows=100, process_mb=700, memory_mb=256))
    yield one
    one.close()


@pytest.fixture
def hurried():
    """Yield one that stops soon, its process ready."""
    one = Sandbox(Limits(time_s=0.5, grace_s=0.5))
    assert isinstance(one.ask("FROM ledger LIMIT 0", "v1", tables), Answered)
    yield one
    one.close()


def told(said):
    """Return the rows of an answer, or the sentence of a refusal."""
    return said.sentence if isinstance(said, Refusal) else said.table.to_pylist()


@pytest.fixture
def ask(sandbox):
    return lambda sql: told(sandbox.ask(sql, "v1", tables))


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) AS n FROM ledger", [{"n": 3}]),
        ("WITH s AS (FROM ledger WHERE bucket = 'safe') SELECT count(*) n FROM s", [{"n": 2}]),
        ("FROM ledger WHERE person_id = 'a.1'", [{"person_id": "a.1", "bucket": "safe"}]),
        ("FROM main.LEDGER LIMIT 0", []),
        ("VALUES (1)", [{"col0": 1}]),
        ("SHOW TABLES;", [{"name": "ledger"}]),
        ("SELECT * FROM range(2)", [{"range": 0}, {"range": 1}]),
        ("SELECT 1 AS a, 2 AS a", [{"a": 1, "a_2": 2}]),
        ("SELECT sum(1) AS n FROM ledger -- a HUGEINT", [{"n": 3}]),
        ("SELECT [1, 2] AS l, {'x': 1} AS s", [{"l": "[1,2]", "s": '{"x":1}'}]),
        ("SELECT current_database() AS d", [{"d": "memory"}]),
    ],
)
def test_what_reads_is_answered(ask, sql, rows):
    assert ask(sql) == rows


def test_describe_summarize_pivot_and_explain_are_questions_too(ask):
    assert [row["column_name"] for row in ask("DESCRIBE ledger")] == ["person_id", "bucket"]
    assert [row["approx_unique"] for row in ask("SUMMARIZE ledger")] == [3, 2]
    counted = ask("PIVOT ledger ON bucket IN ('safe') USING count(*) GROUP BY bucket")
    assert {row["bucket"]: row["safe"] for row in counted} == {"safe": 2, "unaccounted": 0}
    (plan,) = ask("/* é */ EXPLAIN FROM ledger")
    assert "ledger" in plan["explain_value"]


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("INSERT INTO ledger VALUES ('d.1', 'safe')", "INSERT"),
        ("  /* hello */ update ledger SET bucket = 'safe'", "UPDATE"),
        ("DELETE FROM ledger", "DELETE"),
        ("MERGE INTO ledger USING ledger o ON true WHEN MATCHED THEN DELETE", "MERGE"),
        ("TRUNCATE ledger", "TRUNCATE"),
        ("CREATE TABLE x AS FROM ledger", "CREATE"),
        ("CREATE OR REPLACE MACRO count(x) AS 7", "CREATE"),
        ("CREATE SECRET s (TYPE s3)", "CREATE"),
        ("DROP TABLE ledger", "DROP"),
        ("ALTER TABLE ledger RENAME TO x", "ALTER"),
        ("COPY ledger TO 'out.csv'", "COPY"),
        ("COPY (FROM ledger) TO '/dev/stdout'", "COPY"),
        ("EXPORT DATABASE 'out'", "EXPORT"),
        ("IMPORT DATABASE 'out'", "IMPORT"),
        ("ATTACH 'serving.sqlite' AS s (TYPE sqlite)", "ATTACH"),
        ("DETACH memory", "DETACH"),
        ("INSTALL httpfs", "INSTALL"),
        ("LOAD sqlite", "LOAD"),
        ("PRAGMA database_list", "PRAGMA"),
        ("SET memory_limit = '9GB'", "SET"),
        ("RESET threads", "RESET"),
        ("USE memory", "USE"),
        ("CALL pragma_version()", "CALL"),
        ("CHECKPOINT", "CHECKPOINT"),
        ("VACUUM", "VACUUM"),
        ("BEGIN", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("EXECUTE p", "EXECUTE"),
        ("EXPLAIN INSERT INTO ledger VALUES ('d.1', 'safe')", "INSERT"),
        ("EXPLAIN COPY ledger TO 'out.csv'", "COPY"),
        ("PIVOT ledger ON bucket", "PIVOT"),
    ],
)
def test_what_is_no_question_is_refused_by_name(ask, sql, verb):
    assert ask(sql) == verb + ONLY_READS


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("WITH x AS (INSERT INTO ledger VALUES ('d.1', 's') RETURNING *) FROM x", "INSERT"),
        ("WITH x AS (UPDATE ledger SET bucket = 's' RETURNING *) SELECT * FROM x", "UPDATE"),
        ("SELECT 1 FROM (WITH x AS (DELETE FROM ledger RETURNING *) FROM x)", "DELETE"),
        ("EXPLAIN WITH x AS (DELETE FROM ledger RETURNING *) FROM x", "DELETE"),
    ],
)
def test_a_write_inside_a_question_is_found(ask, sql, verb):
    assert ask(sql) == f"The query writes ({verb} inside it); this page only reads."
    assert ask("SELECT count(*) AS n FROM ledger") == [{"n": 3}]


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN ANALYZE CREATE TEMP TABLE x (a INT)",
        "EXPLAIN (ANALYZE) DELETE FROM ledger",
        "EXPLAIN /* x */ ANALYZE COPY ledger TO 'out.csv'",
    ],
)
def test_explain_runs_nothing(ask, sql):
    assert ask(sql) == (
        "EXPLAIN shows the plan of one query; ANALYZE and options are not for this page."
    )


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("FROM read_csv('/etc/passwd')", "read_csv()"),
        ("SELECT * FROM \"READ_CSV_AUTO\"('/etc/passwd')", "read_csv_auto()"),
        ("FROM system.main.read_text('/etc/passwd')", "read_text()"),
        ("FROM read_blob('/etc/shadow')", "read_blob()"),
        ("FROM read_json('x.json')", "read_json()"),
        ("FROM read_parquet('http://127.0.0.1/x')", "read_parquet()"),
        ("FROM sniff_csv('/etc/passwd')", "sniff_csv()"),
        ("FROM parquet_metadata('x')", "parquet_metadata()"),
        ("SELECT (SELECT count(*) FROM glob('/*'))", "glob()"),
        ("FROM ledger, LATERAL (FROM read_text('/proc/self/environ'))", "read_text()"),
        ("FROM sqlite_scan('serving.sqlite', 'ledger')", "sqlite_scan()"),
        ("FROM query('DROP TABLE ledger')", "query()"),
        ("FROM query_table('ledger')", "query_table()"),
        ("FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
         "json_execute_serialized_sql()"),
        ("FROM duckdb_secrets()", "duckdb_secrets()"),
        ("FROM which_secret('x', 's3')", "which_secret()"),
        ("FROM duckdb_settings()", "duckdb_settings()"),
        ("FROM duckdb_extensions()", "duckdb_extensions()"),
        ("FROM enable_logging()", "enable_logging()"),
        ("FROM enable_profiling(save_location := 'out.json')", "enable_profiling()"),
        ("FROM truncate_duckdb_logs()", "truncate_duckdb_logs()"),
        ("FROM checkpoint()", "checkpoint()"),
        ("FROM add_grammar_extension('x')", "add_grammar_extension()"),
        ("FROM create_external_resource('x')", "create_external_resource()"),
        ("FROM python_map_function(1)", "python_map_function()"),
        ("SELECT getenv('PATH')", "getenv()"),
        ("VALUES (getenv('HOME'))", "getenv()"),
        ("SELECT current_setting('home_directory')", "current_setting()"),
        ("SELECT write_log('x')", "write_log()"),
    ],
)  # fmt: skip
def test_nothing_but_the_tables_can_be_read(ask, sql, name):
    assert ask(sql) == name + NOT_HERE


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("FROM '/etc/passwd'", "/etc/passwd"),
        ("SELECT * FROM 'x.csv'", "x.csv"),
        ("DESCRIBE 'x.parquet'", "x.parquet"),
        ("SUMMARIZE 'http://127.0.0.1/x.csv'", "http://127.0.0.1/x.csv"),
        ("FROM ledger UNION ALL FROM 'b.json'", "b.json"),
        ("FROM LEDGERS", "LEDGERS"),
        ("FROM LEDGER_PY", "LEDGER_PY"),
        ("FROM tables", "tables"),
        ("FROM sqlite_master", "sqlite_master"),
        ("FROM duckdb_logs", "duckdb_logs"),
        ("FROM information_schema.tables", "information_schema.tables"),
        ("FROM pg_catalog.pg_settings", "pg_catalog.pg_settings"),
        ("FROM temp.main.ledger", "temp.main.ledger"),
    ],
)
def test_a_table_is_one_of_ours(ask, sql, name):
    assert ask(sql) == f"There is no table {name}. There are ledger."


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("", "There is no query. Write one SELECT, for example: FROM ledger"),
        (" -- nothing\n;", "There is no query. Write one SELECT, for example: FROM ledger"),
        ("SELECT 1; DROP TABLE ledger", "These are 2 statements; a query is one."),
        ("SELECT 1 -- x\n; SELECT 2", "These are 2 statements; a query is one."),
        ("SELECT $who", "The query has parameters ($who); write the values themselves."),
        ("SELEC 1",
         'This is not SQL as DuckDB reads it: syntax error at or near "SELEC"'),
        ("SELECT 1 \udcff", 'This is not SQL as DuckDB reads it: syntax error at or near "?"'),
        ("SELECT '" + "x" * 20_000 + "'", ("The query has 20009 characters;"
         " at most 20000 are read.")),
        ("SELECT nobody FROM ledger",
         'DuckDB cannot run this: Referenced column "nobody" not found in FROM clause!'),
        ("SELECT 'x'::INT",
         "DuckDB cannot run this: Could not convert string 'x' to INT32"),
        ("SELECT error('by hand')", "DuckDB cannot run this: by hand"),
    ],
)  # fmt: skip
def test_what_is_no_query_is_told_why(ask, sql, sentence):
    assert ask(sql) == sentence


TIME = "The query was stopped after 0.5 s. Ask for less: one situation, one day."
MEMORY = "The query needs more than 256 MB of memory. Ask for fewer rows or columns."


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000000000)",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b",
        "WITH RECURSIVE r AS (SELECT 1 a UNION ALL SELECT a + 1 FROM r) SELECT max(a) FROM r",
        "SELECT levenshtein(repeat('a', 50000), repeat('b', 50000))",
        "SELECT sleep_ms(60000)",
    ],
)
def test_an_endless_query_is_stopped_and_its_process_goes_on(hurried, sql):
    process = hurried._process
    assert told(hurried.ask(sql, "v1", tables)) == TIME
    assert hurried._process is process, "it was interrupted, not ended"
    assert process.poll() is None


def test_what_cannot_be_interrupted_ends_with_its_process(hurried):
    """One call of ``repeat`` runs for seconds and hears no interrupt."""
    process = hurried._process
    begun = time.monotonic()
    assert told(hurried.ask("SELECT length(repeat('x', 150000000))", "v1", tables)) == TIME
    assert time.monotonic() - begun < 5.0
    assert process.poll() == -signal.SIGALRM
    assert not Path(f"/proc/{process.pid}").exists(), "no work goes on"
    assert hurried.ask("SELECT 1", "v1", tables) is not None
    assert hurried._process is not process


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 1000000000)",
        "SELECT list_sort(range(100000000))",
        "SELECT string_agg(repeat('x', 3000000)) FROM range(1000)",
        "SELECT repeat('x', 3000000) FROM range(1000)",
        "FROM range(100000000) ORDER BY hash(range)",
    ],
)
def test_memory_is_bounded_and_the_next_query_is_answered(ask, sql):
    assert ask(sql) == MEMORY
    assert ask("SELECT count(*) AS n FROM ledger") == [{"n": 3}]


def test_rows_are_bounded_and_say_that_there_were_more(sandbox):
    said = sandbox.ask("FROM range(1000000000000)", "v1", tables)
    assert isinstance(said, Answered)
    assert (said.table.num_rows, said.more) == (100, True)
    said = sandbox.ask("FROM range(100)", "v1", tables)
    assert isinstance(said, Answered)
    assert (said.table.num_rows, said.more) == (100, False)


def test_a_few_rows_of_great_size_are_bounded_too(ask):
    assert ask("SELECT repeat('x', 1000000) FROM range(40)") == (
        "The rows are larger than 32 MB. Ask for fewer columns or shorter texts."
    )


def test_a_deep_query_harms_nobody(ask):
    assert ask("SELECT " + "(" * 5000 + "1" + ")" * 5000).startswith(
        "This is not SQL as DuckDB reads it: Max expression depth limit of 1000 exceeded."
    )
    ask("(" * 3000 + "SELECT 1" + ")" * 3000)
    assert ask("SELECT 1 AS a") == [{"a": 1}]


def test_the_process_has_no_environment_and_can_write_no_file(ask, sandbox):
    assert ask("SELECT 1 AS a") == [{"a": 1}]
    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc here")
    process = Path(f"/proc/{sandbox._process.pid}")
    names = {entry.partition(b"=")[0] for entry in (process / "environ").read_bytes().split(b"\0")}
    assert names - {b""} <= {b"PYTHONPATH", b"TZ"}
    limits = (process / "limits").read_text().splitlines()
    (files,) = [line.split() for line in limits if line.startswith("Max file size")]
    assert files[3:5] == ["0", "0"]
    (data,) = [line.split() for line in limits if line.startswith("Max data size")]
    assert data[3:5] == ["700000000", "700000000"]


def test_tables_are_read_once_a_version_and_anew_for_another():
    calls = []

    def counted():
        calls.append(1)
        return tables()

    sandbox = Sandbox()
    for version in ("v1", "v1", "v2"):
        assert isinstance(sandbox.ask("FROM ledger", version, counted), Answered)
    assert sandbox.has("v2")
    sandbox.close()
    assert len(calls) == 2
    assert not sandbox.has("v2")


def test_after_tables_that_could_not_be_read_the_next_query_is_answered():
    def broken():
        what = "the store is not there"
        raise StoreFailedError(what, hint="wait")

    sandbox = Sandbox()
    with pytest.raises(StoreFailedError):
        sandbox.ask("FROM ledger", "v1", broken)
    assert not sandbox.has("v1")
    assert isinstance(sandbox.ask("FROM ledger", "v1", tables), Answered)
    sandbox.close()


def test_the_process_lives_on_while_nobody_asks(hurried):
    with pytest.raises(subprocess.TimeoutExpired):
        hurried._process.wait(1.5)


def test_who_waits_too_long_for_another_query_is_told(hurried):
    with hurried._turn:
        said = hurried.ask("FROM ledger", "v1", tables)
    assert told(said) == "Other queries are running. Try again in 0.5 s."


def test_a_process_that_was_killed_is_said_and_replaced(sandbox, ask):
    ask("SELECT 1")
    os.kill(sandbox._process.pid, signal.SIGKILL)
    sandbox._process.wait()
    assert ask("SELECT 1 AS a") == [{"a": 1}]


def test_whole_decimals_are_numbers_and_odd_types_text():
    table = pa.table({"b": pa.array([b"\x01"]), "n": pa.array([None], pa.null())})
    assert plain(table).to_pylist() == [{"b": "01", "n": None}]


def test_every_refusal_has_its_sentence():
    assert {Refusal(code=code).code for code in SENTENCES} == set(SENTENCES)
