"""Store the id of the link from which an admin's link was created."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("links", sa.Column("parent_id", sa.String(100)))
    op.create_index(op.f("ix_links_parent_id"), "links", ["parent_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_links_parent_id"), "links")
    with op.batch_alter_table("links") as table:
        table.drop_column("parent_id")
