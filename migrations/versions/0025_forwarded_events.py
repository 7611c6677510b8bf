"""Deliver Slack's events to a host's address as well."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_COLUMNS = (
    ("forward_state", sa.String(10), None),
    ("forward_failures", sa.Integer(), "0"),
    ("forward_reason", sa.String(30), ""),
    ("slack_timestamp", sa.String(20), ""),
    ("slack_signature", sa.String(100), ""),
)


def upgrade() -> None:
    op.add_column("integrations", sa.Column("forward_url", sa.Text(), nullable=True))
    with op.batch_alter_table("slack_events") as table:
        for name, kind, default in _COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=default is None, server_default=default))
        for name, kind, default in _COLUMNS:
            if default is not None:
                table.alter_column(name, existing_type=kind, server_default=None)


def downgrade() -> None:
    op.drop_column("integrations", "forward_url")
    for name, _kind, _default in _COLUMNS:
        op.drop_column("slack_events", name)
