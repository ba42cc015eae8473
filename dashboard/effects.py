"""Whether the store already shows what an officer's command asked for.

The engine accepts a command before it is carried out; a page that has sent one
looks here until its effect can be read, and never says "done" before.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, select

from streams.serving import journals as j
from streams.serving import tables as t


def shown(engine: Engine, verb: str, event_id: str, said: Mapping[str, Any]) -> bool:
    """Return whether a command's effect can be read in the store."""
    wanted = _where(verb, event_id, said)
    with engine.connect() as connection:
        return connection.execute(select(1).where(*wanted).limit(1)).first() is not None


def _where(verb: str, event_id: str, said: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return what a row that shows the effect looks like."""
    if verb == "override":
        row = t.ledger.c
        return [
            row.person_id == said["person_id"],
            row.situation_id == said["situation_id"],
            row.bucket == said["bucket"],
        ]
    if verb in {"declare", "polygon"}:
        return [j.versions.c.trigger_id == event_id]
    if verb == "close":
        return [t.situations.c.situation_id == said["situation_id"], t.situations.c.closed]
    if verb == "acknowledge":
        return [t.acknowledgements.c.alert_id == said["alert_id"]]
    if verb == "silence":
        row = t.silences.c
        return [
            row.rule.is_not_distinct_from(said.get("rule")),
            row.situation_id.is_not_distinct_from(said.get("situation_id")),
            row.until == said["until"],
        ]
    msg = f"{verb} is no act of the dashboard"
    raise ValueError(msg)
