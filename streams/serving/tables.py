"""Tables of the serving store: the same for SQLite and PostgreSQL.

Rows are what the log last said, absolute; the log is the truth and the store
can be thrown away and written again from it. ``status`` (Actual, Exercise,
Test) is part of every key, so that a drill never touches a live row.
Structured values stand in ``body`` columns as the canonical JSON of their
message.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, MetaData, Table

from streams.serving.column_types import String, Text, Utc

METADATA = MetaData()


def _status() -> Column[str]:
    return Column("status", String, primary_key=True)


exposures = Table(
    "exposures",
    METADATA,
    Column("person_id", String, primary_key=True),
    Column("cause_id", String, primary_key=True),
    _status(),
    Column("situation_id", String, index=True),
    Column("advisory", Boolean, nullable=False),
    Column("tier", String, nullable=False),
    Column("band", String, nullable=False),
    Column("since", Utc, nullable=False),
    Column("post", String),
    Column("lon_deg", Float),
    Column("lat_deg", Float),
    Column("radius_m", BigInteger),
    Column("basis", String),
    Column("precision", String),
    Column("place", String),
    Column("country", String),
    Column("as_of", Utc),
    Column("closed", String),
    Column("until", Utc),
    Column("body", Text, nullable=False),
)
"""Exposures as they last stood, one per person and cause.

``closed`` is why one is no more (left, zone_ended, corrected, withdrawn), and
null for those that are open; whoever counts exposures counts the open ones.
"""

ledger = Table(
    "ledger",
    METADATA,
    Column("person_id", String, primary_key=True),
    Column("situation_id", String, primary_key=True),
    _status(),
    Column("bucket", String, nullable=False),
    Column("by", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("tier", String),
    Column("post", String),
    Column("area", String),
    Index(
        "ledger_by_situation",
        *("situation_id", "status", "bucket", "at", "person_id", "tier", "area", "post"),
    ),
)
"""Where each known person stands, one row per person and situation."""

movements = Table(
    "movements",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("person_id", String, nullable=False, index=True),
    Column("situation_id", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("from_bucket", String),
    Column("to_bucket", String),
    Column("at", Utc, nullable=False),
    Column("by", String, nullable=False),
    Column("by_user", String),
    Column("why", String, nullable=False),
    Column("tier", String),
    Column("post", String),
    Column("cause_event_id", String, index=True),
    Column("trigger_id", String, index=True),
)
"""The journal of the ledger: every movement, who, when, why.

``cause_event_id`` is the statement it rests on, ``trigger_id`` the record with
which it was found (a statement, a zone, a tick).
"""

incidents = Table(
    "incidents",
    METADATA,
    Column("incident_id", String, primary_key=True),
    _status(),
    Column("situation_id", String, index=True),
    Column("title", String, nullable=False),
    Column("hazard", String, nullable=False),
    Column("life", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("onset_at", Utc, nullable=False),
    Column("headline_source", String, nullable=False),
    Column("magnitude", Float),
    Column("area_known", Boolean, nullable=False),
    Column("members", BigInteger, nullable=False),
    Column("depth_m", Float),
    Column("depth_assumed", Boolean, nullable=False),
    Column("lon_deg", Float),
    Column("lat_deg", Float),
    Column("body", Text, nullable=False),
)
"""Incidents as they now stand."""

zones = Table(
    "zones",
    METADATA,
    Column("zone_id", String, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    _status(),
    Column("cause_id", String, nullable=False, index=True),
    Column("situation_id", String, index=True),
    Column("advisory", Boolean, nullable=False),
    Column("band", String, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("possible_only", Boolean, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("model", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("corrected", Boolean, nullable=False),
    Column("valid_from", Utc, nullable=False),
    Column("valid_to", Utc),
    Column("body", Text, nullable=False),
)
"""Zone versions as they now stand; the highest version is the latest."""

advisories = Table(
    "advisories",
    METADATA,
    Column("advisory_id", String, primary_key=True),
    _status(),
    Column("issuer", String, nullable=False),
    Column("title", String, nullable=False),
    Column("level", BigInteger, nullable=False),
    Column("native_level", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("change", String, nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("zoned", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)
"""Advice as it now stands; ``change`` ended means no longer in force."""

situations = Table(
    "situations",
    METADATA,
    Column("situation_id", String, primary_key=True),
    _status(),
    Column("title", String, nullable=False),
    Column("hazard", String, nullable=False),
    Column("onset_at", Utc, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("declared_by", String),
    Column("body", Text, nullable=False),
)
"""What ledgers are kept for."""

sums = Table(
    "sums",
    METADATA,
    Column("situation_id", String, primary_key=True),
    _status(),
    Column("tick_at", Utc, nullable=False),
    Column("reached", BigInteger, nullable=False),
    Column("shards", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("inbound", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("imbalance", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""The room's latest sum of each situation, with its completeness."""

totals = Table(
    "totals",
    METADATA,
    _status(),
    Column("tick_at", Utc, nullable=False),
    Column("reached", BigInteger, nullable=False),
    Column("shards", BigInteger, nullable=False),
    Column("distinct_known", BigInteger, nullable=False),
    Column("people", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("heard", Text, nullable=False),
)
"""Sums over all situations of a status: distinct people.

``heard`` is a JSON object: name of a message to when the last one came in.
"""

alerts = Table(
    "alerts",
    METADATA,
    Column("alert_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("cause_id", String, nullable=False),
    Column("situation_id", String),
    Column("audience", String, nullable=False),
    Column("intent", String, nullable=False),
    Column("title", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("raised_at", Utc, nullable=False),
    Column("late_s", BigInteger, nullable=False),
    Column("silence_id", String),
    Column("person_id", String, index=True),
    Column("body", Text, nullable=False),
)
"""Alerts raised; open until acknowledged, unless an officer's silence mutes them."""

acknowledgements = Table(
    "acknowledgements",
    METADATA,
    Column("alert_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", Utc, nullable=False),
)
"""Who took note of an alert first."""

silences = Table(
    "silences",
    METADATA,
    Column("silence_id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("rule", String),
    Column("situation_id", String),
    Column("until", Utc, nullable=False),
    Column("at", Utc, nullable=False),
)
"""Officers' silences as they now stand; in force before ``until``."""

deadletters = Table(
    "deadletters",
    METADATA,
    Column("event_id", String, primary_key=True),
    Column("topic", String, nullable=False),
    Column("partition", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("message_type", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("retryable", Boolean, nullable=False),
    Column("retried_at", Utc),
    Column("at", Utc, nullable=False),
    Column("body", Text, nullable=False),
    Column("traceback", Text),
)
"""Refused records, with where they stood and why."""

feed_health = Table(
    "feed_health",
    METADATA,
    Column("feed", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("items", BigInteger),
    Column("usual_items", BigInteger),
    Column("last_success_at", Utc),
    Column("expected_interval_s", BigInteger),
    Column("at", Utc, nullable=False),
)
"""Each feed's latest health; a feed without a row is unknown."""

faults = Table(
    "faults",
    METADATA,
    Column("fault", String, primary_key=True),
    Column("stage", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True),
    Column("detail", Text, nullable=False),
    Column("offset", BigInteger),
    Column("at", Utc, nullable=False),
)
"""Faults not cleared, the latest of each kind, stage and partition."""

writer_offsets = Table(
    "writer_offsets",
    METADATA,
    Column("topic", String, primary_key=True),
    Column("partition", BigInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)
"""The writer's place in the log, moved in the transaction of its rows."""
