"""Keep each try of a webhook delivery with its answer, and find the deliveries of a connection in an index."""

import sqlalchemy as sa
from alembic import op

from onboarding.store.types import ID, UtcTime

revision = "0026"
down_revision = "0025"

_INDEX = op.f("ix_webhook_deliveries_subject")


def upgrade() -> None:
    op.create_table(
        "webhook_tries",
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tried_at", UtcTime(), nullable=False),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer_body", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("fk_webhook_tries_delivery_id_webhook_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_webhook_tries")),
    )
    # Only the latest try was stored, in the row of its delivery.
    op.execute(
        "INSERT INTO webhook_tries (delivery_id, number, tried_at, answer_status, answer_body, problem, milliseconds) "
        "SELECT id, CASE WHEN state = 'waiting' THEN number - 1 ELSE number END, tried_at, answer_status, answer_body, "
        "problem, COALESCE(milliseconds, 0) FROM webhook_deliveries WHERE tried_at IS NOT NULL"
    )
    op.create_index(_INDEX, "webhook_deliveries", ["environment_id", "subject", "created_at", "id"])


def downgrade() -> None:
    op.drop_index(_INDEX, "webhook_deliveries")
    op.drop_table("webhook_tries")
