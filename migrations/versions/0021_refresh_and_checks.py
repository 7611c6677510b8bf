"""When the worker refreshes and checks each token, and since when Slack has not answered."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_TIME = sa.DateTime(timezone=True)
_COLUMNS = ("refresh_at", "check_at", "unanswered_since")
#: Checks of the tokens that are there spread over a day.
_SOON = {
    "postgresql": "now() + random() * interval '1 day'",
    "sqlite": "datetime('now', '+' || abs(random() % 86400) || ' seconds') || '.000000'",
}


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("installations", sa.Column(name, _TIME, nullable=True))
    op.execute("UPDATE installations SET refresh_at = installed_at WHERE refresh_token IS NOT NULL")
    op.execute(f"UPDATE installations SET check_at = {_SOON[op.get_bind().dialect.name]}")  # noqa: S608 - a constant.
    op.create_index("ix_installations_refresh_at", "installations", ["refresh_at"])
    op.create_index("ix_installations_check_at", "installations", ["check_at"])


def downgrade() -> None:
    for name in ("refresh_at", "check_at"):
        op.drop_index(f"ix_installations_{name}", "installations")
    for name in _COLUMNS:
        op.drop_column("installations", name)
