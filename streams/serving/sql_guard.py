"""Which queries are let in: DuckDB's own parser decides, no pattern does.

A query is one statement, a SELECT or what reads as one. Its tree is walked:
it may name our tables and its own, and table functions that make rows of
nothing. What slips through meets a read-only transaction in a locked database
in a process that may open and write no file (``sql_worker``).
"""

from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import msgspec
from duckdb import StatementType

from streams.serving.sql_answers import Limits, Refusal

ROW_MAKERS = frozenset(
    "range generate_series generate_subscripts unnest repeat repeat_row json_each json_tree".split()
)
"""Table functions that read nothing but their arguments."""

PEEKS = frozenset("getenv current_setting getvariable write_log".split())
"""Scalar functions that look at, or write to, what is around the query."""

READING_NODES = frozenset(
    {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "STATEMENT_NODE"}
)

OUR_PLACES = frozenset({(), ("main",), ("memory", "main"), ("memory",)})
"""Schemas and databases that a table's name may be qualified with."""

Node = dict[str, Any]


def examine(
    connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str], limits: Limits
) -> Refusal | None:
    """Return why a query is refused, None if it may run."""
    if len(sql) > limits.characters:
        return Refusal(code="long", facts={"count": len(sql), "most": limits.characters})
    try:
        statements = connection.extract_statements(sql)
    except (duckdb.Error, UnicodeError) as error:
        return Refusal(code="syntax", facts={"detail": first_line(error)})
    if not statements:
        return Refusal(code="empty")
    if len(statements) > 1:
        return Refusal(code="several", facts={"count": len(statements)})
    (statement,) = statements
    if statement.type == StatementType.EXPLAIN:
        return _explained(connection, sql, tables, limits)
    if statement.type != StatementType.SELECT:
        return Refusal(code="statement", facts={"verb": _words(sql)[0][1].upper()})
    if statement.named_parameters:
        names = ", ".join(f"${name}" for name in sorted(statement.named_parameters))
        return Refusal(code="parameters", facts={"names": names})
    return _walked(_tree(connection, sql), tables)


def first_line(error: BaseException) -> str:
    """Return the first line of what DuckDB says, without its kind of error."""
    line = str(error).strip().partition("\n")[0]
    return line.partition(" Error: ")[2] or line


def _explained(
    connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str], limits: Limits
) -> Refusal | None:
    """Examine what stands behind EXPLAIN."""
    inner = _words(sql)[1:]
    if not inner or inner[0][1].upper() in {"ANALYZE", "ANALYSE", "("}:
        return Refusal(code="explain")
    return examine(connection, sql.encode()[inner[0][0] :].decode(), tables, limits)


def _words(sql: str) -> list[tuple[int, str]]:
    """Return the place (in bytes) and text of each token, comments left out."""
    raw = sql.encode()
    tokens = duckdb.tokenize(sql)
    ends = [place for place, _ in tokens[1:]] + [len(raw)]
    found = [
        (place, raw[place:end].decode(errors="replace").strip())
        for (place, kind), end in zip(tokens, ends, strict=True)
        if kind is not duckdb.token_type.comment
    ]
    return [(place, text.split()[0]) for place, text in found if text]


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> Node:
    """Return the syntax tree of a SELECT."""
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: Node = msgspec.json.decode(row[0] if row else b"{}")
    return tree


def _walked(tree: Node, tables: Collection[str]) -> Refusal | None:
    """Return the first thing in a tree that is not let in."""
    if tree.get("error", True):
        return Refusal(code="syntax", facts={"detail": str(tree.get("error_message"))})
    known = {name.lower() for name in tables}
    nodes = list(_nodes(tree))
    for node in nodes:
        entries = node.get("cte_map", {}).get("map", ())
        known |= {entry["key"].lower() for entry in entries}
    for node in nodes:
        refusal = _refused(node, known, tables)
        if refusal is not None:
            return refusal
    return None


def _refused(node: Node, known: set[str], tables: Collection[str]) -> Refusal | None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in READING_NODES:
        return Refusal(code="writes", facts={"verb": kind.partition("_")[0]})
    if kind == "TABLE_FUNCTION":
        name = node["function"].get("function_name", "?").lower()
        if name not in ROW_MAKERS:
            return Refusal(code="source", facts={"name": f"{name}()"})
    if kind == "FUNCTION" and node.get("function_name", "").lower() in PEEKS:
        return Refusal(code="source", facts={"name": f"{node['function_name'].lower()}()"})
    if kind == "BASE_TABLE":
        *place, name = (part.strip('"') for part in node["qualified_name"]["path"])
        here = tuple(part.lower() for part in place) in OUR_PLACES
        if not here or name.lower() not in known:
            facts = {"name": ".".join((*place, name)), "tables": ", ".join(sorted(tables))}
            return Refusal(code="table", facts=facts)
    return None


def _nodes(tree: Any) -> Iterator[Node]:
    """Yield every object of a tree, without recursion: it may be deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))
