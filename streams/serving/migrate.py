"""Revisions of the tables: which one a database has, and how it gets the newest.

Two histories, each with its folder in ``migrations``: the serving store, and
the deliveries. Alembic is loaded only where there is something to do.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, MetaData, inspect, text

from streams.errors import RollcallError
from streams.serving import postgres

FOLDER = Path(__file__).with_name("migrations")

VERSION_TABLE = "alembic_version"


class History(NamedTuple):
    """The tables of one store: their folder and schema, and the revision of this code.

    ``error`` is raised, with ``hint``, where a database does not fit.
    """

    name: str
    head: str
    tables: MetaData
    error: type[RollcallError]
    hint: str

    @property
    def lock(self) -> str:
        """Return the name of the lock that who changes tables holds."""
        return f"rollcall.{self.name}"


def upgrade(engine: Engine, history: History) -> None:
    """Give a database the newest tables, all or none; one process at a time.

    Tables from before there were revisions are those of the first one.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            postgres.hold(connection, history.lock)
        found = revision(connection)
        if found == history.head:
            return
        _refuse_unknown(found, history)
        unmarked = found is None and _has_any(connection, history.tables)
        _run(connection, history, stamp_first=unmarked)


def check(engine: Engine, history: History) -> None:
    """Raise if a database has other tables than this code reads."""
    with engine.begin() as connection:
        found = revision(connection)
    if found == history.head:
        return
    _refuse_unknown(found, history)
    why = "has no tables yet" if found is None else f"is of an older version ({found})"
    what = f"the {history.name} schema {why}"
    raise history.error(what, hint="Start the process that writes it; it makes the tables.")


def revision(connection: Connection) -> str | None:
    """Return the revision of a database, None if it has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - our own name
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def _refuse_unknown(found: str | None, history: History) -> None:
    if found is not None and found not in _known(history):
        what = f"the {history.name} tables are of a newer version ({found}) than this program"
        hint = f"Use the version that made them, this one knows {history.head}. {history.hint}"
        raise history.error(what, hint=hint)


def _known(history: History) -> Iterable[str]:
    """Return the revisions that this code has."""
    files = (FOLDER / history.name).glob("r*.py")
    return {file.name.partition("_")[0].removeprefix("r") for file in files}


def _has_any(connection: Connection, tables: MetaData) -> bool:
    found = inspect(connection)
    return any(found.has_table(table.name) for table in tables.sorted_tables)


def _run(connection: Connection, history: History, *, stamp_first: bool) -> None:
    """Run the migrations in the transaction of a connection."""
    from alembic import command  # noqa: PLC0415 - a tenth of a second, and seldom wanted
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    # The reader of settings takes % for a sign of its own.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("version_locations", str(FOLDER / history.name).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, tables=history.tables)
    if stamp_first:
        command.stamp(config, "0001")
    command.upgrade(config, "head")
