"""Give audit entries columns for result and subject's name, and allow entries without an environment."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ENTRIES = sa.table(
    "audit_entries", *map(sa.column, ("id", "environment_id", "action", "detail", "result", "subject_name"))
)
_ENVIRONMENTS = sa.table("environments", *map(sa.column, ("id", "created_at")))
_DISCONNECTED = _ENTRIES.c.action == "connection.disconnected"


def upgrade() -> None:
    with op.batch_alter_table("audit_entries") as table:
        table.alter_column("environment_id", existing_type=sa.String(255), nullable=True)
        table.add_column(sa.Column("subject_name", sa.Text))
        table.add_column(sa.Column("result", sa.String(20)))
    # The detail of a disconnect was `result:name`.
    bind = op.get_bind()
    for entry in bind.execute(sa.select(_ENTRIES.c.id, _ENTRIES.c.detail).where(_DISCONNECTED)).all():
        result, _, name = entry.detail.partition(":")
        values = {"result": result, "subject_name": name}
        bind.execute(sa.update(_ENTRIES).where(_ENTRIES.c.id == entry.id).values(values))


def downgrade() -> None:
    bind = op.get_bind()
    columns = sa.select(_ENTRIES.c.id, _ENTRIES.c.result, _ENTRIES.c.subject_name)
    for entry in bind.execute(columns.where(_DISCONNECTED, _ENTRIES.c.detail == "")).all():
        detail = f"{entry.result}:{entry.subject_name}"
        bind.execute(sa.update(_ENTRIES).where(_ENTRIES.c.id == entry.id).values(detail=detail))
    oldest = sa.select(_ENVIRONMENTS.c.id).order_by(_ENVIRONMENTS.c.created_at, _ENVIRONMENTS.c.id).limit(1)
    of_deployment = _ENTRIES.c.environment_id.is_(None)
    bind.execute(sa.update(_ENTRIES).where(of_deployment).values(environment_id=oldest.scalar_subquery()))
    bind.execute(sa.delete(_ENTRIES).where(of_deployment))
    with op.batch_alter_table("audit_entries") as table:
        table.drop_column("result")
        table.drop_column("subject_name")
        table.alter_column("environment_id", existing_type=sa.String(255), nullable=False)
