"""The process that runs an analyst's queries, and can do nothing else.

It has no environment and no store: tables come in through its standard input
as Arrow, then queries, and answers go out. It may write no file, and its
data is bounded by the operating system, because DuckDB counts only part of
what a query allocates and cannot interrupt every function.
"""

import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import duckdb
import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from streams.serving.sql_answers import Limits, Refusal
from streams.serving.sql_guard import examine, first_line

OUT_OF_TIME = -signal.SIGALRM
"""Exit code of a process whose query could not be interrupted."""

_LENGTH = struct.Struct(">Q")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the process says: a refusal, or rows as an Arrow stream."""

    refusal: Refusal | None = None
    rows: bytes = b""
    more: bool = False
    elapsed_s: float = 0.0


def send(stream: IO[bytes], payload: bytes) -> None:
    """Write one message, its length before it."""
    stream.write(_LENGTH.pack(len(payload)))
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next message; None at the end of the stream."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    return stream.read(length)


def connect(limits: Limits) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that spills nothing and loads nothing; see ``lock``."""
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_mb}MB",
            "threads": limits.threads,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )


def fill(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Copy an Arrow table into the database."""
    connection.register("incoming", table)
    connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')  # noqa: S608 - our own table names
    connection.unregister("incoming")


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Let no query see files or Python's variables, or change a setting."""
    connection.execute("SET enable_external_access=false")
    connection.execute("SET python_enable_replacements=false")
    connection.execute("SET lock_configuration=true")


def answer(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    tables: list[str],
    limits: Limits,
    watch: "Watch",
) -> Reply:
    """Examine a query and run it within the limits."""
    begun = time.monotonic()
    try:
        with watch:
            refusal = examine(connection, sql, tables, limits)
            if refusal is not None:
                return Reply(refusal=refusal)
            with _read_only(connection):
                table, more = _fetched(connection, sql, limits)
    except duckdb.PermissionException:
        return Reply(refusal=Refusal(code="source", facts={"name": "What it names"}))
    except (duckdb.Error, pa.ArrowException, OSError, MemoryError, RecursionError) as error:
        return Reply(refusal=_failed(error, limits))
    if table.nbytes > limits.result_mb * 1_000_000:
        return Reply(refusal=Refusal(code="size", facts={"limit_mb": limits.result_mb}))
    return Reply(rows=encoded(table), more=more, elapsed_s=time.monotonic() - begun)


def encoded(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _failed(error: Exception, limits: Limits) -> Refusal:
    """Return a refusal of what went wrong.

    Errors of a stream come as Arrow's, with DuckDB's words inside.
    """
    said = str(error)
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in said:
        return Refusal(code="time", facts={"limit_s": limits.time_s})
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException) or "Out of Memory" in said:
        return Refusal(code="memory", facts={"limit_mb": limits.memory_mb})
    if isinstance(error, RecursionError):
        return Refusal(code="syntax", facts={"detail": "it is nested too deeply"})
    return Refusal(code="failed", facts={"detail": first_line(error)})


class Watch:
    """Interrupts a query that takes too long; the kernel ends what stays on.

    Its thread lives from before the limits, because a query that has taken all
    memory leaves none to start one.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        """Start the thread."""
        self._limits = limits
        self._interrupt = connection.interrupt
        self._begun = threading.Semaphore(0)
        self._ended = threading.Semaphore(0)
        self._idle = threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self) -> None:
        """Begin to count."""
        signal.setitimer(signal.ITIMER_REAL, self._limits.time_s + self._limits.grace_s)
        self._begun.release()

    def __exit__(self, *_: object) -> None:
        """Stop counting; no interrupt comes after this."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._ended.release()
        self._idle.acquire()

    def _run(self) -> None:
        while self._begun.acquire():
            if not self._ended.acquire(timeout=self._limits.time_s):
                self._interrupt()
                self._ended.acquire()
            self._idle.release()


@contextmanager
def _read_only(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run in a transaction that cannot write, and leave nothing open."""
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _fetched(
    connection: duckdb.DuckDBPyConnection, sql: str, limits: Limits
) -> tuple[pa.Table, bool]:
    """Return the first rows, plain, and whether there are more; no row is read in vain."""
    reader = connection.sql(sql).to_arrow_reader(2_048)
    batches, rows, size = [], 0, 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows > limits.rows or size > limits.result_mb * 1_000_000:
            break
    table = pa.Table.from_batches(batches, reader.schema)
    del reader
    return plain(table.slice(0, limits.rows)), rows > limits.rows


def plain(table: pa.Table) -> pa.Table:
    """Return a table whose columns every screen and file can hold.

    Names are unique; nested values and intervals become text, whole decimals
    numbers.
    """
    names: list[str] = []
    for name in table.column_names:
        count = 1
        unique = name
        while unique in names:
            count += 1
            unique = f"{name}_{count}"
        names.append(unique)
    return pa.table([_plain(column) for column in table.columns], names=names)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_decimal(kind):
        values = column.to_pylist()
        fits = kind.scale == 0 and all(v is None or abs(v) < 2**63 for v in values)
        return pa.array([v if v is None else (int(v) if fits else float(v)) for v in values],
                        pa.int64() if fits else pa.float64())  # fmt: skip
    if (
        pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
        or pa.types.is_string(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind)
        or pa.types.is_time(kind)
    ):  # fmt: skip
        return column
    return pa.array([_text(value) for value in column.to_pylist()], pa.string())


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return msgspec.json.encode(value, enc_hook=str).decode().strip('"')


def _bound(limits: Limits) -> None:
    """Have the operating system bound what this process may do."""
    import resource  # noqa: PLC0415 - only where such limits exist (not on Windows)

    most = limits.process_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


def main() -> None:
    """Serve queries: limits, then tables, an empty message, then queries."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    limits = msgspec.msgpack.decode(receive(stdin) or b"", type=Limits)
    connection = connect(limits)
    watch = Watch(connection, limits)
    _bound(limits)
    names = []
    while payload := receive(stdin):
        with pa.ipc.open_stream(payload) as reader:
            table = reader.read_all()
        name = table.schema.metadata[b"name"].decode()
        fill(connection, name, table.replace_schema_metadata())
        names.append(name)
        del payload, table
    lock(connection)
    send(stdout, b"ready")
    while (asked := receive(stdin)) is not None:
        reply = answer(connection, asked.decode(), names, limits, watch)
        send(stdout, msgspec.msgpack.encode(reply))


if __name__ == "__main__":
    main()
