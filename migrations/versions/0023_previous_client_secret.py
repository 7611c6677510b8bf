"""Keep the client secret before the last change: Slack accepts it for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("integrations", sa.Column("previous_client_secret", sa.LargeBinary()))
    op.add_column("integrations", sa.Column("client_secret_changed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("integrations") as table:
        table.drop_column("client_secret_changed_at")
        table.drop_column("previous_client_secret")
