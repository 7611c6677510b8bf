"""Store the result of revoking an unused grant in its own column, instead of a prefixed text in `attempts.detail`."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_PREFIX = "grant:"
_ATTEMPTS = sa.table("attempts", sa.column("detail", sa.Text), sa.column("grant_result", sa.String))


def upgrade() -> None:
    op.add_column("attempts", sa.Column("grant_result", sa.String(20)))
    is_result = _ATTEMPTS.c.detail.startswith(_PREFIX)
    result = sa.func.substr(_ATTEMPTS.c.detail, len(_PREFIX) + 1)
    op.execute(_ATTEMPTS.update().where(is_result).values(grant_result=result, detail=None))


def downgrade() -> None:
    is_free = _ATTEMPTS.c.grant_result.is_not(None) & _ATTEMPTS.c.detail.is_(None)
    op.execute(_ATTEMPTS.update().where(is_free).values(detail=_PREFIX + _ATTEMPTS.c.grant_result))
    with op.batch_alter_table("attempts") as table:
        table.drop_column("grant_result")
