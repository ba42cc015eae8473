"""Types of columns that hold and sort the same in SQLite and PostgreSQL.

Whole numbers are ``BigInteger`` everywhere: SQLite's are 64 bits wide, and an
offset outgrows 32.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy.types import TypeEngine

NUL = "\0"

NUL_SHOWN = "\N{SYMBOL FOR NULL}"
"""Stands where a text had a NUL, which PostgreSQL refuses."""


def storable(text: str) -> str:
    """Return a text as both databases take it."""
    return text.replace(NUL, NUL_SHOWN)


class _Bytewise(TypeDecorator[str]):
    """A text that sorts by its bytes, as SQLite does, in whatever language a server is set to."""

    impl = sqlalchemy.String
    bytewise: TypeEngine[str] = sqlalchemy.String(collation="C")
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type in a database."""
        return self.bytewise if dialect.name == "postgresql" else super().load_dialect_impl(dialect)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text to store, or to look for."""
        del dialect
        return None if value is None else storable(value)


class String(_Bytewise):
    """A short text: an id, a word of a code list."""

    cache_ok = True


class Text(_Bytewise):
    """A long text."""

    impl = sqlalchemy.Text
    bytewise = sqlalchemy.Text(collation="C")
    cache_ok = True


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone, so it is put back on reading."""

    impl = sqlalchemy.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time to store."""
        if value is None or dialect.name != "sqlite":
            return value
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time, aware."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
