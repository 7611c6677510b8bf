"""Find grants that a process left unrevoked when it died."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    kept = sa.text("waiting_grant IS NOT NULL")
    op.create_index("ix_attempts_waiting_grant", "attempts", ["finished_at"], sqlite_where=kept, postgresql_where=kept)


def downgrade() -> None:
    op.drop_index("ix_attempts_waiting_grant", "attempts")
