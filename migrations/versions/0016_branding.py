"""Store the look of an integration's pages: its logo, accent color and links."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_COLUMNS: dict[str, Any] = {
    "accent_color": sa.String(7),
    "support_url": sa.Text,
    "privacy_url": sa.Text,
    "logo_digest": sa.String(64),
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("integrations", sa.Column(name, kind))
    op.create_table(
        "logos",
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_logos_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_logos")),
    )
    op.create_index(op.f("ix_logos_digest"), "logos", ["digest"])


def downgrade() -> None:
    op.drop_table("logos")
    with op.batch_alter_table("integrations") as table:
        for name in _COLUMNS:
            table.drop_column(name)
