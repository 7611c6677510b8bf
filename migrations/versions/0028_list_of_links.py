"""Add the index that the console's list of links reads."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_NAME = "ix_links_listed"
_LISTED = sa.text("kind NOT IN ('address', 'session')")


def upgrade() -> None:
    op.create_index(
        op.f(_NAME), "links", ["environment_id", "created_at", "id"], sqlite_where=_LISTED, postgresql_where=_LISTED
    )


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "links")
