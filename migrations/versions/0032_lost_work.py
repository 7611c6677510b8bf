"""Find Slack's events and bulk runs whose work was lost."""

import sqlalchemy as sa
from alembic import op

from onboarding.store.types import UtcTime

revision = "0032"
down_revision = "0031"

_EVENTS, _RUNS = "slack_events", "bulk_runs"
_COLUMNS = ("handle_at", "forward_at")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column(_EVENTS, sa.Column(name, UtcTime(), nullable=True))
        is_set = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_slack_events_{name}", _EVENTS, [name], sqlite_where=is_set, postgresql_where=is_set)
    op.add_column(_RUNS, sa.Column("worked_at", UtcTime(), nullable=True))
    op.execute("UPDATE slack_events SET handle_at = received_at WHERE handled_at IS NULL")
    op.execute("UPDATE slack_events SET forward_at = received_at WHERE forward_state = 'waiting'")
    op.execute("UPDATE bulk_runs SET worked_at = started_at")


def downgrade() -> None:
    op.drop_column(_RUNS, "worked_at")
    for name in reversed(_COLUMNS):
        op.drop_index(f"ix_slack_events_{name}", _EVENTS)
        op.drop_column(_EVENTS, name)
