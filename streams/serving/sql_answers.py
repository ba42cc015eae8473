"""What a query of an analyst comes to: rows, or a refusal in words."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

from streams.serving.answers import Answer

SENTENCES = {
    "empty": "There is no query. Write one SELECT, for example: FROM ledger",
    "long": "The query has {count} characters; at most {most} are read.",
    "syntax": "This is not SQL as DuckDB reads it: {detail}",
    "several": "These are {count} statements; a query is one.",
    "statement": (
        "{verb} is not for this page, which only reads. Write one SELECT, WITH, FROM, DESCRIBE,"
        " SHOW, SUMMARIZE or EXPLAIN."
    ),
    "writes": "The query writes ({verb} inside it); this page only reads.",
    "explain": "EXPLAIN shows the plan of one query; ANALYZE and options are not for this page.",
    "parameters": "The query has parameters ({names}); write the values themselves.",
    "source": (
        "{name} is not for this page: a query reads the tables listed here, and no files, network,"
        " settings, secrets or other databases."
    ),
    "table": "There is no table {name}. There are {tables}.",
    "failed": "DuckDB cannot run this: {detail}",
    "time": "The query was stopped after {limit_s} s. Ask for less: one situation, one day.",
    "memory": "The query needs more than {limit_mb} MB of memory. Ask for fewer rows or columns.",
    "size": "The rows are larger than {limit_mb} MB. Ask for fewer columns or shorter texts.",
    "busy": "Other queries are running. Try again in {limit_s} s.",
    "ended": "The process that runs queries ended ({detail}). Nothing else is touched; ask again.",
}
"""Every refusal in words, by its code; a page may have them in other languages."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may use.

    ``memory_mb`` is DuckDB's own limit, ``process_mb`` the operating system's
    for all data of the process. ``grace_s`` after ``time_s`` a process that
    cannot be interrupted ends itself.
    """

    time_s: float = 10.0
    grace_s: float = 1.0
    rows: int = 10_000
    result_mb: int = 32
    memory_mb: int = 512
    process_mb: int = 1_024
    threads: int = 1
    characters: int = 20_000


class Refusal(Answer, frozen=True, kw_only=True):
    """Why a query was not answered: a code, and the facts of its sentence."""

    code: str
    facts: Mapping[str, str | int | float] = msgspec.field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """Return the refusal in English."""
        return SENTENCES[self.code].format(**self.facts)


class Answered(NamedTuple):
    """Rows of a query; ``more`` says that there were more than the limit.

    ``load_s`` is what it took to read the store first, 0.0 where it was there.
    """

    table: pa.Table
    more: bool
    elapsed_s: float
    load_s: float = 0.0
