"""Store whether an install links the Slack user who installs to the subscriber."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_LINKS = sa.table("links", sa.column("auto_link_user", sa.Boolean))


def upgrade() -> None:
    op.add_column("links", sa.Column("auto_link_user", sa.Boolean))
    op.execute(_LINKS.update().values(auto_link_user=sa.false()))
    with op.batch_alter_table("links") as table:
        table.alter_column("auto_link_user", existing_type=sa.Boolean, nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("links") as table:
        table.drop_column("auto_link_user")
