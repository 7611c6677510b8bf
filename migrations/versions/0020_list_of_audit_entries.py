"""Add the index that the console's audit log reads."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index(op.f("ix_audit_entries_environment_id_at"), "audit_entries", ["environment_id", "at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entries_environment_id_at"), "audit_entries")
