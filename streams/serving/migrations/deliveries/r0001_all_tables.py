"""All tables of the deliveries, as they were when revisions began."""

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
        "attempts",
        sa.Column("delivery_id", STRING, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("begun_wall_at", TIME, nullable=False),
        sa.Column("ended_wall_at", TIME),
        sa.Column("outcome", STRING),
        sa.Column("detail", TEXT),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", STRING, nullable=False),
        sa.Column("alert_id", STRING, nullable=False),
        sa.Column("channel", STRING, nullable=False),
        sa.Column("recipient", STRING, nullable=False),
        sa.Column("intent", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("rule", STRING, nullable=False),
        sa.Column("cause_id", STRING, nullable=False),
        sa.Column("audience", STRING, nullable=False),
        sa.Column("situation_id", STRING),
        sa.Column("title", STRING, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("state", STRING, nullable=False),
        sa.Column("reason", STRING),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_attempt_wall_at", TIME),
        sa.Column("use_by_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("doubt", BOOL, nullable=False),
        sa.Column("uncertain", BOOL, nullable=False),
        sa.Column("last_error", TEXT),
        sa.Column("decided_at", TIME, nullable=False),
        sa.Column("delivered_at", TIME),
        sa.Column("about", TEXT),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_table(
        "places",
        sa.Column("topic", STRING, nullable=False),
        sa.Column("next_offset", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("topic"),
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "channel"])
    op.create_index("ix_deliveries_alert_id", "deliveries", ["alert_id"])
    op.create_index("ix_deliveries_cause_id", "deliveries", ["cause_id"])
