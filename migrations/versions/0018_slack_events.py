"""Slack's events, and two signing secrets while one replaces the other."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_COLUMNS = (
    ("previous_signing_secret", sa.LargeBinary()),
    ("signing_secret_changed_at", sa.DateTime(timezone=True)),
    ("app_id", sa.String(100)),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("integrations", sa.Column(name, kind, nullable=True))
    op.create_table(
        "slack_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("environment_id", _ID, nullable=False),
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("event_id", sa.String(100), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("owner_id", sa.String(100), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], op.f("fk_slack_events_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], op.f("fk_slack_events_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_events")),
        sa.UniqueConstraint("integration_id", "event_id", name=op.f("uq_slack_events_integration_id_event_id")),
    )
    op.create_index("ix_slack_events_received_at", "slack_events", ["received_at"])


def downgrade() -> None:
    op.drop_table("slack_events")
    for name, _kind in _COLUMNS:
        op.drop_column("integrations", name)
