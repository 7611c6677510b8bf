"""Add the tables of the console's bulk actions."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bulk_runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("environment_id", _ID, nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(400), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.CheckConstraint("action IN ('check', 'link', 'disconnect')", name=op.f("ck_bulk_runs_action")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], op.f("fk_bulk_runs_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_runs")),
    )
    columns = ["environment_id", "created_at", "id"]
    op.create_index(op.f("ix_bulk_runs_environment_id_created_at"), "bulk_runs", columns)
    op.create_table(
        "bulk_items",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("identifier", _ID, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("result", sa.String(40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["bulk_runs.id"], op.f("fk_bulk_items_run_id_bulk_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_bulk_items")),
    )


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_runs")
