"""Keep what Slack reports about the channels of channel endpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_TABLE, _INDEX = "channel_endpoints", "ix_channel_endpoints_channel"


def upgrade() -> None:
    bytewise = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
    op.add_column(_TABLE, sa.Column("channel_id", bytewise, nullable=True))
    op.add_column(_TABLE, sa.Column("status", sa.String(10), nullable=False, server_default="active"))
    for name in ("status_at", "name_at"):
        op.add_column(_TABLE, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(_INDEX, _TABLE, ["integration_id", "channel_id"])


def downgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    for name in ("name_at", "status_at", "status", "channel_id"):
        op.drop_column(_TABLE, name)
