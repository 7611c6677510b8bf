"""Add the indexes that the audit log's filters read, in the order of the list."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_SUBJECT, _NAME = "ix_audit_entries_subject", "ix_audit_entries_subject_name"
_HAS_NAME = sa.text("subject_name IS NOT NULL")


def upgrade() -> None:
    for column in ("actor", "action"):
        op.create_index(op.f(f"ix_audit_entries_{column}"), "audit_entries", ["environment_id", column, "at", "id"])
    op.create_index(
        op.f(_NAME),
        "audit_entries",
        ["environment_id", "subject_name", "at", "id"],
        sqlite_where=_HAS_NAME,
        postgresql_where=_HAS_NAME,
    )
    op.drop_index(op.f(_SUBJECT), "audit_entries")
    op.create_index(op.f(_SUBJECT), "audit_entries", ["environment_id", "subject", "at", "id"])


def downgrade() -> None:
    op.drop_index(op.f(_SUBJECT), "audit_entries")
    op.create_index(op.f(_SUBJECT), "audit_entries", ["environment_id", "subject", "at"])
    for name in (_NAME, "ix_audit_entries_action", "ix_audit_entries_actor"):
        op.drop_index(op.f(name), "audit_entries")
