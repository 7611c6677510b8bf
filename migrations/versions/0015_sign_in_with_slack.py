"""Let operators sign in with Slack: people without an email address, allowed teams, used states, and the Slack app."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_EMAIL, _SLACK_ID = sa.String(320), sa.String(40)
_PERSON = "(slack_team_id IS NULL) = (slack_user_id IS NULL) AND (email IS NOT NULL OR slack_user_id IS NOT NULL)"
_FLAGS = (("operators", "is_team_viewer"), ("sign_ins", "is_practice"), ("integrations", "is_sign_in"))


def upgrade() -> None:
    for table, name in _FLAGS:
        op.add_column(table, sa.Column(name, sa.Boolean))
        op.execute(sa.table(table, sa.column(name, sa.Boolean)).update().values({name: sa.false()}))
        with op.batch_alter_table(table) as changed:
            changed.alter_column(name, existing_type=sa.Boolean, nullable=False)
    with op.batch_alter_table("operators") as operators:
        operators.alter_column("email", existing_type=_EMAIL, nullable=True)
        operators.add_column(sa.Column("slack_team_id", _SLACK_ID))
        operators.add_column(sa.Column("slack_user_id", _SLACK_ID))
        operators.add_column(sa.Column("slack_name", sa.String(200)))
        operators.create_unique_constraint(
            op.f("uq_operators_slack_team_id_slack_user_id"), ["slack_team_id", "slack_user_id"]
        )
        operators.create_check_constraint(op.f("ck_operators_person"), _PERSON)
    chosen = sa.text("is_sign_in")
    op.create_index(
        op.f("ix_integrations_is_sign_in"),
        "integrations",
        ["is_sign_in"],
        unique=True,
        sqlite_where=chosen,
        postgresql_where=chosen,
    )
    op.create_table(
        "allowed_teams",
        sa.Column("team_id", _SLACK_ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_allowed_teams")),
    )
    op.create_table(
        "sign_in_states",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_states")),
    )
    op.create_index(op.f("ix_sign_in_states_used_at"), "sign_in_states", ["used_at"])


def downgrade() -> None:
    op.drop_table("sign_in_states")
    op.drop_table("allowed_teams")
    op.drop_index(op.f("ix_integrations_is_sign_in"), "integrations")
    # Older code knows people by their email address only.
    operators = sa.table("operators", sa.column("email", _EMAIL))
    op.execute(operators.delete().where(operators.c.email.is_(None)))
    with op.batch_alter_table("operators") as table:
        table.drop_constraint(op.f("ck_operators_person"), type_="check")
        table.drop_constraint(op.f("uq_operators_slack_team_id_slack_user_id"), type_="unique")
        for name in ("slack_team_id", "slack_user_id", "slack_name"):
            table.drop_column(name)
        table.alter_column("email", existing_type=_EMAIL, nullable=False)
    for name, column in _FLAGS:
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
