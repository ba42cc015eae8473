"""PostgreSQL as the serving side uses it: schemas of one database, a writer, many readers.

All that another database would do in its own way stands here. Tables are named
without their schema; every connection has the one it is for as its search path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from streams.errors import BadInputError
from streams.settings import secret

CONNECT_S = 5
"""How long a server may take to let us in."""

READ_MS = 30_000
"""Longest that a reader's statement may take."""

LOCK_MS = 10_000
"""How long a writer waits for another one to end its transaction."""

GIVE_UP_MS = 15_000
"""How long a network may be dead before a statement fails."""

COPY_ROWS = 100
"""From so many rows of a table on, COPY is faster than INSERT for each."""

_ALIVE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}
"""A client whose machine is gone gives back its locks within 11 s."""

_SECRET = frozenset({"password", "sslpassword"})


@dataclass(frozen=True)
class Database:
    """Where a database is, and the file of its password, which is kept nowhere else.

    ``url`` is postgresql://user@host:port/database, with options of libpq
    (``?sslmode=verify-full&sslrootcert=...``) behind it.
    """

    url: str
    password_file: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no address, and a password in it; neither is repeated in words."""
        try:
            parts = make_url(self.url)
        except (ArgumentError, ValueError):
            parts = URL.create("unknown")
        if parts.get_backend_name() not in {"postgresql", "postgres"}:
            what = "the address of the database cannot be read"
            raise BadInputError(what, hint="write it as postgresql://user@host:5432/database")
        if parts.password is not None or _SECRET & parts.query.keys():
            what = "the address of the database holds a password"
            raise BadInputError(what, hint="put it into the file of store.password_file")

    def __str__(self) -> str:
        """Return the address."""
        return self.url


def engine_to_write(database: Database, schema: str, *, durable: bool) -> Engine:
    """Return a schema for writing, made if it is not there.

    Without ``durable`` the last commits may be missing after the server's power
    was cut, whole ones in their order.
    """
    _make_schema(database, schema)
    settings = {"lock_timeout": LOCK_MS, "synchronous_commit": "on" if durable else "off"}
    return _engine(database, schema, settings)


def engine_to_write_alone(database: Database, schema: str, lock: str, busy: Exception) -> Engine:
    """Return a schema for one process at a time; ``busy`` is raised in any other one.

    It has one connection, and that connection the lock: who lost the one cannot
    write without getting the other anew.
    """
    _make_schema(database, schema)
    settings = {"lock_timeout": LOCK_MS, "synchronous_commit": "on"}
    engine = _engine(database, schema, settings, pool_size=1, max_overflow=0)

    def take(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            query = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
            (taken,) = cursor.execute(query, (lock,)).fetchone()
        connection.commit()
        if not taken:
            connection.close()
            raise busy

    event.listen(engine, "connect", take)
    return engine


def engine_to_read(database: Database, schema: str) -> Engine:
    """Return a schema for reading; every write is refused.

    All that is asked in one transaction is answered of one state.
    """
    settings = {"default_transaction_read_only": "on", "statement_timeout": READ_MS}
    return _engine(database, schema, settings, isolation_level="REPEATABLE READ")


def hold(connection: Connection, lock: str) -> None:
    """Wait until no other transaction has a lock, and have it to the end of this one."""
    query = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
    connection.exec_driver_sql(query, (lock,))


def has_schema(connection: Connection, schema: str) -> bool:
    """Return whether there is such a schema."""
    query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    return connection.exec_driver_sql(query, (schema,)).first() is not None


def write(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, once: bool
) -> None:
    """Insert rows of one table, or replace those of their keys; with ``once`` leave them.

    No two rows may be of one key. A small table apart takes what is copied in,
    for COPY itself knows no conflicts.
    """
    into, columns, on_conflict = _insert(table, once)
    names = [column.name for column in table.columns]
    values = [tuple(row[name] for name in names) for row in rows]
    if len(values) < COPY_ROWS:
        places = ", ".join(["%s"] * len(names))
        connection.exec_driver_sql(f"{into} VALUES ({places}) {on_conflict}", values)
        return
    apart = f'"incoming_{table.name}"'
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE IF NOT EXISTS {apart} (LIKE "{table.name}") ON COMMIT DELETE ROWS'
    )
    _copy(connection, f"COPY {apart} ({columns}) FROM STDIN", values)
    connection.exec_driver_sql(f"{into} SELECT {columns} FROM {apart} {on_conflict}")  # noqa: S608 - our own names
    connection.exec_driver_sql(f"DELETE FROM {apart}")  # noqa: S608 - our own name


def _copy(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Copy rows in; what fails is told as SQLAlchemy tells it."""
    from psycopg import Error  # noqa: PLC0415 - embedded, nothing of it is loaded

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
    except Error as error:
        said = DBAPIError.instance(sql, None, error, Error, dialect=connection.dialect)
        raise said from error


@cache
def _insert(table: Table, once: bool) -> tuple[str, str, str]:
    """Return the parts of a statement: INSERT INTO, its columns, ON CONFLICT."""
    key = [column.name for column in table.primary_key]
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    rest = [column.name for column in table.columns if column.name not in key]
    action = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    does = "NOTHING" if once or not rest else f"UPDATE SET {action}"
    keys = ", ".join(f'"{name}"' for name in key)
    return f'INSERT INTO "{table.name}" ({columns})', columns, f"ON CONFLICT ({keys}) DO {does}"


def _make_schema(database: Database, schema: str) -> None:
    """Make a schema; asked first, because it may be there and be all that we are allowed."""
    engine = _engine(database, "pg_catalog", {"lock_timeout": LOCK_MS}, poolclass=NullPool)
    with engine.begin() as connection:
        if not has_schema(connection, schema):
            hold(connection, f"rollcall.{schema}")
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')


def _engine(database: Database, schema: str, settings: dict[str, Any], **more: Any) -> Engine:
    address = make_url(database.url).set(drivername="postgresql+psycopg")
    settings = {"search_path": schema, "TimeZone": "UTC", **_ALIVE, **settings}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    if "poolclass" not in more:
        more["pool_pre_ping"] = True
    engine = create_engine(address, **more)

    def connecting(dialect: Any, _: object, words: Any, parameters: dict[str, Any]) -> Any:
        said = {
            "connect_timeout": CONNECT_S,
            "application_name": "rollcall",
            "tcp_user_timeout": GIVE_UP_MS,
            **parameters,
            "options": f"{parameters.get('options', '')} {options}".strip(),
        }
        if database.password_file:
            said["password"] = secret(database.password_file).decode()
        return dialect.connect(*words, **said)

    event.listen(engine, "do_connect", connecting)
    return engine
