"""Store for which operator a link was created: it ends with the operator's rights."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_EMAIL = sa.String(320)
_LINKS = sa.table("links", sa.column("id", sa.String), sa.column("operator_id", _EMAIL))
_ATTEMPTS = sa.table("attempts", sa.column("approval_link_id", sa.String), sa.column("operator_id", _EMAIL))


def upgrade() -> None:
    op.add_column("links", sa.Column("operator_id", _EMAIL))
    asked_for = _ATTEMPTS.c.approval_link_id == _LINKS.c.id, _ATTEMPTS.c.operator_id.is_not(None)
    operator = sa.select(sa.func.min(_ATTEMPTS.c.operator_id)).where(*asked_for).scalar_subquery()
    op.execute(_LINKS.update().values(operator_id=operator))


def downgrade() -> None:
    op.drop_column("links", "operator_id")
