"""A connection that Slack has disconnected has no installation, and so no token."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
# SQLite copies a table to change it, and would leave its checks behind.
_CHECKS = (
    sa.CheckConstraint("mode IN ('subscriber', 'shared')", op.f("ck_channel_connections_mode")),
    sa.CheckConstraint(
        "mode = 'subscriber' OR subscriber_id IS NULL", op.f("ck_channel_connections_shared_has_no_subscriber")
    ),
)
_NAME = "ck_channel_connections_disconnected_has_no_installation"
_RULE = (
    "(status = 'disconnected' AND installation_id IS NULL) "
    "OR (status <> 'disconnected' AND installation_id IS NOT NULL)"
)


def upgrade() -> None:
    _drop_index()
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.alter_column("installation_id", existing_type=_ID, nullable=True)
    # Only made-up connections could have this status. The sweep erases their installations.
    op.execute("UPDATE channel_connections SET installation_id = NULL WHERE status = 'disconnected'")
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.create_check_constraint(op.f(_NAME), _RULE)
    _create_index()


def downgrade() -> None:
    # The older tables cannot hold a connection without an installation.
    gone = "SELECT id FROM channel_connections WHERE installation_id IS NULL"
    for table_name in ("channel_endpoints", "connection_contexts", "connection_words"):
        op.execute(f"DELETE FROM {table_name} WHERE connection_id IN ({gone})")  # noqa: S608 - the names are constants.
    op.execute("DELETE FROM channel_connections WHERE installation_id IS NULL")
    _drop_index()
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(_NAME), "channel_connections", type_="check")
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.alter_column("installation_id", existing_type=_ID, nullable=False)
    _create_index()


def _drop_index() -> None:
    # SQLite does not reflect the expression, so the copy of the table would lose the index.
    op.drop_index("ix_channel_connections_last_check", "channel_connections")


def _create_index() -> None:
    last_check: sa.ColumnElement[object] = sa.func.coalesce(sa.column("checked_at"), sa.column("created_at"))
    op.create_index(
        "ix_channel_connections_last_check", "channel_connections", ["environment_id", last_check, sa.column("id")]
    )
