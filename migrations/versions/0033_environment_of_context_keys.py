"""Find the connections of one environment that have a context key in one index."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_TABLE, _INDEX = "connection_contexts", "ix_connection_contexts_key"


def upgrade() -> None:
    # With a default, SQLite adds a required column without copying the table.
    op.add_column(_TABLE, sa.Column("environment_id", _ID, nullable=False, server_default=""))
    op.execute(
        "UPDATE connection_contexts SET environment_id ="
        " (SELECT environment_id FROM channel_connections WHERE channel_connections.id = connection_id)"
    )
    op.drop_index(_INDEX, _TABLE)
    op.create_index(_INDEX, _TABLE, ["environment_id", "key", "connection_id"])


def downgrade() -> None:
    op.drop_index(_INDEX, _TABLE)
    op.drop_column(_TABLE, "environment_id")
    op.create_index(_INDEX, _TABLE, ["key"])
