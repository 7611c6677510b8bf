"""Add the index that finds the attempts of a connection."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    columns = ["environment_id", "connection_identifier", "created_at", "id"]
    op.create_index(op.f("ix_attempts_connection_identifier"), "attempts", columns)


def downgrade() -> None:
    op.drop_index(op.f("ix_attempts_connection_identifier"), "attempts")
