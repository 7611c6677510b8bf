"""Add the index that the console's list of attempts reads."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    columns = ["environment_id", "created_at", "id"]
    op.create_index(op.f("ix_attempts_environment_id_created_at"), "attempts", columns)


def downgrade() -> None:
    op.drop_index(op.f("ix_attempts_environment_id_created_at"), "attempts")
