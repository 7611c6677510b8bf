"""Columns that refer to each other get one width: an operator's email did not fit into the attempt that it started."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_NARROW = sa.String(100)
# SQLite copies a table to change it, and would leave its check behind.
_CHECKS = {
    "attempts": sa.CheckConstraint("stage IN ('made', 'exchanging', 'waiting', 'finished')", op.f("ck_attempts_stage")),
    "links": sa.CheckConstraint("kind IN ('invitation', 'open', 'approval', 'address')", op.f("ck_links_kind")),
}
_WIDTHS: dict[str, dict[str, Any]] = {
    "attempts": {"operator_id": sa.String(320), "approval_link_id": _ID},
    "links": {"parent_id": _ID, "used_by_attempt": _ID},
}


def upgrade() -> None:
    for name, widths in _WIDTHS.items():
        with op.batch_alter_table(name, table_args=(_CHECKS[name],)) as table:
            for column, width in widths.items():
                table.alter_column(column, existing_type=_NARROW, type_=width, existing_nullable=True)


def downgrade() -> None:
    for name, widths in _WIDTHS.items():
        for column, width in widths.items():
            # An email that the older column cannot hold is cut; the attempt stays an operator's.
            cut = sa.table(name, sa.column(column, width))
            op.execute(cut.update().values({column: sa.func.substr(cut.c[column], 1, 100)}))
        with op.batch_alter_table(name, table_args=(_CHECKS[name],)) as table:
            for column, width in widths.items():
                table.alter_column(column, existing_type=width, type_=_NARROW, existing_nullable=True)
