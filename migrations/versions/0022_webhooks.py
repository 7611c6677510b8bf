"""Add webhook endpoints, their deliveries, and the numbers of events."""

import sqlalchemy as sa
from alembic import op

from onboarding.store.types import ID, SealedText, TextTuple, UtcTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.String(255), nullable=False),
        sa.Column("events", TextTuple(), nullable=False),
        sa.Column("secret", SealedText(), nullable=False),
        sa.Column("previous_secret", SealedText(), nullable=True),
        sa.Column("previous_until", UtcTime(), nullable=True),
        sa.Column("pause_reason", sa.String(20), nullable=True),
        sa.Column("paused_at", UtcTime(), nullable=True),
        sa.Column("failing_since", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.CheckConstraint("(pause_reason IS NULL) = (paused_at IS NULL)", name=op.f("ck_webhook_endpoints_paused")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_webhook_endpoints_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    columns = ["environment_id", "created_at", "id"]
    op.create_index(op.f("ix_webhook_endpoints_environment"), "webhook_endpoints", columns)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("event", sa.String(60), nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("tried_at", UtcTime(), nullable=True),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer_body", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_webhook_deliveries_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id_webhook_endpoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(op.f("ix_webhook_deliveries_environment"), "webhook_deliveries", columns)
    op.create_index(op.f("ix_webhook_deliveries_endpoint"), "webhook_deliveries", ["endpoint_id", "created_at", "id"])
    op.create_index(op.f("ix_webhook_deliveries_state"), "webhook_deliveries", ["state", "due_at"])
    op.create_table(
        "event_sequences",
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("identifier", ID, nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_event_sequences_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("environment_id", "identifier", name=op.f("pk_event_sequences")),
    )


def downgrade() -> None:
    op.drop_table("event_sequences")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
