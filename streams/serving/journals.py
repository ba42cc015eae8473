"""Tables of what came in, how numbers moved and what changed.

Part of the same store as ``tables``; these grow with time, and nothing in
them is ever taken back by a later record.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Table

from streams.serving.column_types import String, Text, Utc
from streams.serving.tables import METADATA

__all__ = [
    "METADATA",
    "changes",
    "exposure_changes",
    "inputs",
    "runtime",
    "sum_history",
    "versions",
]

inputs = Table(
    "inputs",
    METADATA,
    Column("topic", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("event_id", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("about", String, nullable=False, index=True),
    Column("also", String),
    Column("what", String),
    Column("trigger_id", String),
    Column("source", String, nullable=False),
    Column("status", String, nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("body", Text, nullable=False),
)
"""What came in from outside, to follow a person or an incident by cause.

``about`` is the person, chain of reports or advisory that it is about, or what
a command is given for; ``also`` a second one (the other record of a link, the
situation of an override). ``what`` is a contact's outcome, a check-in's state
or a command's verb.
"""

Index(
    "inputs_also",
    inputs.c.also,
    sqlite_where=inputs.c.also.is_not(None),
    postgresql_where=inputs.c.also.is_not(None),
)
Index(
    "inputs_trigger_id",
    inputs.c.trigger_id,
    sqlite_where=inputs.c.trigger_id.is_not(None),
    postgresql_where=inputs.c.trigger_id.is_not(None),
)
Index(
    "inputs_contacts",
    inputs.c.received_at,
    inputs.c.what,
    sqlite_where=inputs.c.name == "ContactRecorded",
    postgresql_where=inputs.c.name == "ContactRecorded",
)
Index(
    "inputs_commands",
    inputs.c.name,
    sqlite_where=inputs.c.name == "CommandIssued",
    postgresql_where=inputs.c.name == "CommandIssued",
)

sum_history = Table(
    "sum_history",
    METADATA,
    Column("situation_id", String, primary_key=True),
    Column("status", String, primary_key=True),
    Column("minute", Utc, primary_key=True),
    Column("tick_at", Utc, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("unaccounted", BigInteger, nullable=False),
    Column("needs_help", BigInteger, nullable=False),
    Column("safe", BigInteger, nullable=False),
    Column("other", BigInteger, nullable=False),
)
"""The last sum of every minute in which a situation's sum changed."""

versions = Table(
    "versions",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("about_id", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("title", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("life", String, nullable=False),
    Column("magnitude", Float),
    Column("situation_id", String),
    Column("void", Boolean, nullable=False),
    Column("cause_id", String, index=True),
    Column("trigger_id", String, index=True),
)
"""Every version of an incident, situation, zone or advisory; ``offset`` is their order.

``cause_id`` is the incident or advisory that a zone is drawn for, ``trigger_id``
the record that made the version.
"""

changes = Table(
    "changes",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("at", Utc, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("about_id", String, nullable=False, index=True),
    Column("situation_id", String),
    Column("change", String, nullable=False),
    Column("title", String, nullable=False),
    Column("before", Float),
    Column("after", Float),
    Column("scope", String),
)
"""What changed of advice, incidents and situations: a function of their versions.

``kind`` is advice, incident or situation; ``change`` first, opened, raised,
lowered, scope, revised, ended, cancelled, reopened, merged or closed.
"""

exposure_changes = Table(
    "exposure_changes",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("person_id", String, nullable=False, index=True),
    Column("cause_id", String, nullable=False),
    Column("situation_id", String),
    Column("status", String, nullable=False),
    Column("change", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("tier", String, nullable=False),
    Column("band", String, nullable=False),
    Column("zone_version", BigInteger, nullable=False),
    Column("why", String),
    Column("trigger_id", String, index=True),
)
"""The journal of exposures: opened, changed, closed, and with which record."""

runtime = Table(
    "runtime",
    METADATA,
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
)
"""What each process says of itself, a row each; embedded there is one, the engine's."""
