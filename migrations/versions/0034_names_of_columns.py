"""Name columns by what they hold: an operator's label, and the time when the current token was stored."""

from alembic import op

revision = "0034"
down_revision = "0033"

_COLUMNS = (
    ("attempts", "operator_id", "operator_label"),
    ("links", "operator_id", "operator_label"),
    ("installations", "installed_at", "token_since"),
)


def upgrade() -> None:
    for table, before, after in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")


def downgrade() -> None:
    for table, before, after in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {after} TO {before}")
