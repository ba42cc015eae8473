"""All tables of the serving store, as they were when revisions began."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
WHOLE = sa.BigInteger()
REAL = sa.Float()
BOOL = sa.Boolean()


def upgrade() -> None:
    """Make all tables and their indexes."""
    op.create_table(
        "acknowledgements",
        sa.Column("alert_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("by", STRING, nullable=False),
        sa.Column("reason", STRING, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    op.create_table(
        "advisories",
        sa.Column("advisory_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("issuer", STRING, nullable=False),
        sa.Column("title", STRING, nullable=False),
        sa.Column("level", WHOLE, nullable=False),
        sa.Column("native_level", STRING, nullable=False),
        sa.Column("scope", STRING, nullable=False),
        sa.Column("change", STRING, nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("zoned", BOOL, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("advisory_id", "status"),
    )
    op.create_table(
        "alerts",
        sa.Column("alert_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("rule", STRING, nullable=False),
        sa.Column("cause_id", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("audience", STRING, nullable=False),
        sa.Column("intent", STRING, nullable=False),
        sa.Column("title", STRING, nullable=False),
        sa.Column("severity", STRING, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("late_s", WHOLE, nullable=False),
        sa.Column("silence_id", STRING),
        sa.Column("person_id", STRING),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    op.create_table(
        "changes",
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("about_id", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("change", STRING, nullable=False),
        sa.Column("title", STRING, nullable=False),
        sa.Column("before", REAL),
        sa.Column("after", REAL),
        sa.Column("scope", STRING),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "deadletters",
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("topic", STRING, nullable=False),
        sa.Column("partition", WHOLE, nullable=False),
        sa.Column("offset", WHOLE, nullable=False),
        sa.Column("message_type", STRING, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("retryable", BOOL, nullable=False),
        sa.Column("retried_at", TIME),
        sa.Column("at", TIME, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("traceback", TEXT),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "exposure_changes",
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("person_id", STRING, nullable=False),
        sa.Column("cause_id", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("status", STRING, nullable=False),
        sa.Column("change", STRING, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("tier", STRING, nullable=False),
        sa.Column("band", STRING, nullable=False),
        sa.Column("zone_version", WHOLE, nullable=False),
        sa.Column("why", STRING),
        sa.Column("trigger_id", STRING),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "exposures",
        sa.Column("person_id", STRING, nullable=False),
        sa.Column("cause_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("advisory", BOOL, nullable=False),
        sa.Column("tier", STRING, nullable=False),
        sa.Column("band", STRING, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("post", STRING),
        sa.Column("lon_deg", REAL),
        sa.Column("lat_deg", REAL),
        sa.Column("radius_m", WHOLE),
        sa.Column("basis", STRING),
        sa.Column("precision", STRING),
        sa.Column("place", STRING),
        sa.Column("country", STRING),
        sa.Column("as_of", TIME),
        sa.Column("closed", STRING),
        sa.Column("until", TIME),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "cause_id", "status"),
    )
    op.create_table(
        "faults",
        sa.Column("fault", STRING, nullable=False),
        sa.Column("stage", STRING, nullable=False),
        sa.Column("partition", WHOLE, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("offset", WHOLE),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("fault", "stage", "partition"),
    )
    op.create_table(
        "feed_health",
        sa.Column("feed", STRING, nullable=False),
        sa.Column("state", STRING, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("items", WHOLE),
        sa.Column("usual_items", WHOLE),
        sa.Column("last_success_at", TIME),
        sa.Column("expected_interval_s", WHOLE),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("feed"),
    )
    op.create_table(
        "incidents",
        sa.Column("incident_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("title", STRING, nullable=False),
        sa.Column("hazard", STRING, nullable=False),
        sa.Column("life", STRING, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("onset_at", TIME, nullable=False),
        sa.Column("headline_source", STRING, nullable=False),
        sa.Column("magnitude", REAL),
        sa.Column("area_known", BOOL, nullable=False),
        sa.Column("members", WHOLE, nullable=False),
        sa.Column("depth_m", REAL),
        sa.Column("depth_assumed", BOOL, nullable=False),
        sa.Column("lon_deg", REAL),
        sa.Column("lat_deg", REAL),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "status"),
    )
    op.create_table(
        "inputs",
        sa.Column("topic", STRING, nullable=False),
        sa.Column("partition", WHOLE, nullable=False),
        sa.Column("offset", WHOLE, nullable=False),
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("about", STRING, nullable=False),
        sa.Column("also", STRING),
        sa.Column("what", STRING),
        sa.Column("trigger_id", STRING),
        sa.Column("source", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
    )
    op.create_table(
        "ledger",
        sa.Column("person_id", STRING, nullable=False),
        sa.Column("situation_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("bucket", STRING, nullable=False),
        sa.Column("by", STRING, nullable=False),
        sa.Column("why", STRING, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("tier", STRING),
        sa.Column("post", STRING),
        sa.Column("area", STRING),
        sa.PrimaryKeyConstraint("person_id", "situation_id", "status"),
    )
    op.create_table(
        "movements",
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("person_id", STRING, nullable=False),
        sa.Column("situation_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("from_bucket", STRING),
        sa.Column("to_bucket", STRING),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", STRING, nullable=False),
        sa.Column("by_user", STRING),
        sa.Column("why", STRING, nullable=False),
        sa.Column("tier", STRING),
        sa.Column("post", STRING),
        sa.Column("cause_event_id", STRING),
        sa.Column("trigger_id", STRING),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "runtime",
        sa.Column("name", STRING, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "silences",
        sa.Column("silence_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("by", STRING, nullable=False),
        sa.Column("reason", STRING, nullable=False),
        sa.Column("rule", STRING),
        sa.Column("situation_id", STRING),
        sa.Column("until", TIME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("silence_id"),
    )
    op.create_table(
        "situations",
        sa.Column("situation_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("title", STRING, nullable=False),
        sa.Column("hazard", STRING, nullable=False),
        sa.Column("onset_at", TIME, nullable=False),
        sa.Column("closed", BOOL, nullable=False),
        sa.Column("declared_by", STRING),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("situation_id", "status"),
    )
    op.create_table(
        "sum_history",
        sa.Column("situation_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("minute", TIME, nullable=False),
        sa.Column("tick_at", TIME, nullable=False),
        sa.Column("complete", BOOL, nullable=False),
        sa.Column("known", WHOLE, nullable=False),
        sa.Column("unaccounted", WHOLE, nullable=False),
        sa.Column("needs_help", WHOLE, nullable=False),
        sa.Column("safe", WHOLE, nullable=False),
        sa.Column("other", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("situation_id", "status", "minute"),
    )
    op.create_table(
        "sums",
        sa.Column("situation_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("tick_at", TIME, nullable=False),
        sa.Column("reached", WHOLE, nullable=False),
        sa.Column("shards", WHOLE, nullable=False),
        sa.Column("known", WHOLE, nullable=False),
        sa.Column("inbound", WHOLE, nullable=False),
        sa.Column("withdrawn", WHOLE, nullable=False),
        sa.Column("imbalance", WHOLE, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("situation_id", "status"),
    )
    op.create_table(
        "totals",
        sa.Column("status", STRING, nullable=False),
        sa.Column("tick_at", TIME, nullable=False),
        sa.Column("reached", WHOLE, nullable=False),
        sa.Column("shards", WHOLE, nullable=False),
        sa.Column("distinct_known", WHOLE, nullable=False),
        sa.Column("people", WHOLE, nullable=False),
        sa.Column("skipped", WHOLE, nullable=False),
        sa.Column("heard", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("status"),
    )
    op.create_table(
        "versions",
        sa.Column("event_id", STRING, nullable=False),
        sa.Column("offset", WHOLE, nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("about_id", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("title", STRING, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("life", STRING, nullable=False),
        sa.Column("magnitude", REAL),
        sa.Column("situation_id", STRING),
        sa.Column("void", BOOL, nullable=False),
        sa.Column("cause_id", STRING),
        sa.Column("trigger_id", STRING),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "writer_offsets",
        sa.Column("topic", STRING, nullable=False),
        sa.Column("partition", WHOLE, nullable=False),
        sa.Column("next_offset", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "zones",
        sa.Column("zone_id", STRING, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("cause_id", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("advisory", BOOL, nullable=False),
        sa.Column("band", STRING, nullable=False),
        sa.Column("rank", WHOLE, nullable=False),
        sa.Column("possible_only", BOOL, nullable=False),
        sa.Column("estimated", BOOL, nullable=False),
        sa.Column("model", STRING, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("corrected", BOOL, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("valid_to", TIME),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "version", "status"),
    )
    op.create_index("ix_alerts_person_id", "alerts", ["person_id"])
    op.create_index("ix_changes_about_id", "changes", ["about_id"])
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_index("ix_exposure_changes_person_id", "exposure_changes", ["person_id"])
    op.create_index("ix_exposure_changes_trigger_id", "exposure_changes", ["trigger_id"])
    op.create_index("ix_exposures_situation_id", "exposures", ["situation_id"])
    op.create_index("ix_incidents_situation_id", "incidents", ["situation_id"])
    op.create_index(
        "inputs_also",
        "inputs",
        ["also"],
        sqlite_where=sa.text("also IS NOT NULL"),
        postgresql_where=sa.text("also IS NOT NULL"),
    )
    op.create_index(
        "inputs_commands",
        "inputs",
        ["name"],
        sqlite_where=sa.text("name = 'CommandIssued'"),
        postgresql_where=sa.text("name = 'CommandIssued'"),
    )
    op.create_index(
        "inputs_contacts",
        "inputs",
        ["received_at", "what"],
        sqlite_where=sa.text("name = 'ContactRecorded'"),
        postgresql_where=sa.text("name = 'ContactRecorded'"),
    )
    op.create_index(
        "inputs_trigger_id",
        "inputs",
        ["trigger_id"],
        sqlite_where=sa.text("trigger_id IS NOT NULL"),
        postgresql_where=sa.text("trigger_id IS NOT NULL"),
    )
    op.create_index("ix_inputs_about", "inputs", ["about"])
    op.create_index("ix_inputs_event_id", "inputs", ["event_id"])
    op.create_index(
        "ledger_by_situation",
        "ledger",
        ["situation_id", "status", "bucket", "at", "person_id", "tier", "area", "post"],
    )
    op.create_index("ix_movements_cause_event_id", "movements", ["cause_event_id"])
    op.create_index("ix_movements_person_id", "movements", ["person_id"])
    op.create_index("ix_movements_situation_id", "movements", ["situation_id"])
    op.create_index("ix_movements_trigger_id", "movements", ["trigger_id"])
    op.create_index("ix_versions_about_id", "versions", ["about_id"])
    op.create_index("ix_versions_cause_id", "versions", ["cause_id"])
    op.create_index("ix_versions_trigger_id", "versions", ["trigger_id"])
    op.create_index("ix_zones_cause_id", "zones", ["cause_id"])
    op.create_index("ix_zones_situation_id", "zones", ["situation_id"])
