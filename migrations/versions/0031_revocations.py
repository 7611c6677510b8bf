"""Keep access, encrypted, until Slack has revoked it."""

import sqlalchemy as sa
from alembic import op

from onboarding.store.types import ID, SealedText, UtcTime

revision = "0031"
down_revision = "0030"

_OLD_INDEX = "ix_attempts_waiting_grant"


def upgrade() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", ID, nullable=False),
        sa.Column("is_grant", sa.Boolean(), nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("workspace_id", sa.String(100), nullable=False),
        sa.Column("enterprise_id", sa.String(100), nullable=True),
        sa.Column("access", SealedText(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=True),
        sa.Column("is_unconfirmed", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_revocations_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_revocations_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_due_at"), "revocations", ["due_at"])
    op.drop_index(_OLD_INDEX, "attempts")
    # A process died before it had revoked these grants. The sweep ends the attempts once more, and revokes them.
    op.execute(
        "UPDATE attempts SET stage = 'waiting', expires_at = finished_at WHERE stage = 'finished' AND waiting_grant IS NOT NULL"
    )


def downgrade() -> None:
    kept = sa.text("waiting_grant IS NOT NULL")
    op.create_index(_OLD_INDEX, "attempts", ["finished_at"], sqlite_where=kept, postgresql_where=kept)
    op.drop_index(op.f("ix_revocations_due_at"), "revocations")
    op.drop_table("revocations")
