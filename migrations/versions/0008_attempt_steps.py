"""Store when the browser of an attempt was sent to Slack, and when it came back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_TIME = sa.DateTime(timezone=True)
_NAMES = ("created_at", "exchanging_at", "sent_at", "returned_at")
_ATTEMPTS = sa.table("attempts", sa.column("approval_link_id", sa.String), *(sa.column(name, _TIME) for name in _NAMES))


def upgrade() -> None:
    for name in ("sent_at", "returned_at"):
        op.add_column("attempts", sa.Column(name, _TIME))
    # The response that created an attempt redirected to Slack, unless it asked an admin first. When a browser came back
    # with an error instead of a code was not stored.
    columns = _ATTEMPTS.c
    op.execute(_ATTEMPTS.update().where(columns.approval_link_id.is_(None)).values(sent_at=columns.created_at))
    op.execute(_ATTEMPTS.update().values(returned_at=columns.exchanging_at))


def downgrade() -> None:
    for name in ("returned_at", "sent_at"):
        op.drop_column("attempts", name)
