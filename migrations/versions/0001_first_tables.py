"""The first tables: environments, operators, integrations, installations, connections, links, attempts, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: Compared by bytes on both databases.
ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
        sa.UniqueConstraint("name", name=op.f("uq_environments_name")),
    )
    op.create_table(
        "operators",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("role IN ('operator', 'viewer')", name=op.f("ck_operators_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("email", name=op.f("uq_operators_email")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(length=400), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_audit_entries_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["environment_id", "subject", "at"], unique=False)
    op.create_table(
        "contexts",
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("type", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_contexts_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("environment_id", "type", "id", name=op.f("pk_contexts")),
    )
    op.create_table(
        "integrations",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("identifier", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("signing_secret", sa.LargeBinary(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("is_practice", sa.Boolean(), nullable=False),
        sa.Column("workspace_policy", sa.String(length=10), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("workspace_policy IN ('allow', 'refuse')", name=op.f("ck_integrations_workspace_policy")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_integrations_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("client_id", name=op.f("uq_integrations_client_id")),
        sa.UniqueConstraint("environment_id", "identifier", name=op.f("uq_integrations_environment_id_identifier")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", ID, nullable=False),
        sa.Column("operator_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("kind IN ('link', 'session')", name=op.f("ck_sign_ins_kind")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_sign_ins_operator_id_operators"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_ins_digest")),
    )
    op.create_index(op.f("ix_sign_ins_operator_id"), "sign_ins", ["operator_id"], unique=False)
    op.create_table(
        "subscribers",
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_subscribers_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("environment_id", "subscriber_id", name=op.f("pk_subscribers")),
    )
    op.create_table(
        "installations",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("slack_key", sa.String(length=100), nullable=False),
        sa.Column("app_id", sa.String(length=100), nullable=True),
        sa.Column("bot_user_id", sa.String(length=100), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("token_last_four", sa.String(length=4), nullable=False),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("installer_id", sa.String(length=100), nullable=True),
        sa.Column("installed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_installations_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_installations_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
        sa.UniqueConstraint("integration_id", "slack_key", name=op.f("uq_installations_integration_id_slack_key")),
    )
    op.create_table(
        "links",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=True),
        sa.Column("subscriber_id", ID, nullable=True),
        sa.Column("context_keys", sa.Text(), nullable=False),
        sa.Column("offered_context_keys", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.String(length=100), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("used_by_attempt", sa.String(length=100), nullable=True),
        sa.Column("used_identity_key", sa.String(length=64), nullable=True),
        sa.CheckConstraint("kind IN ('invitation', 'open', 'approval')", name=op.f("ck_links_kind")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_links_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_links_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=True),
        sa.Column("operator_id", sa.String(length=100), nullable=True),
        sa.Column("state_digest", sa.String(length=64), nullable=False),
        sa.Column("binding_digest", sa.String(length=64), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expected_workspace_id", sa.String(length=100), nullable=True),
        sa.Column("expected_workspace_name", sa.String(length=255), nullable=True),
        sa.Column("may_replace", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("exchanging_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("waiting_grant", sa.LargeBinary(), nullable=True),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("workspace_id", sa.String(length=100), nullable=True),
        sa.Column("workspace_name", sa.String(length=255), nullable=True),
        sa.Column("connection_identifier", ID, nullable=True),
        sa.Column("identity_key", sa.String(length=64), nullable=True),
        sa.Column("missing_scopes", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("retry_after_seconds", sa.Integer(), nullable=True),
        sa.Column("approval_link_id", sa.String(length=100), nullable=True),
        sa.CheckConstraint("stage IN ('made', 'exchanging', 'waiting', 'finished')", name=op.f("ck_attempts_stage")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_attempts_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_attempts_integration_id_integrations")
        ),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_attempts_link_id_links")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_attempts_state_digest")),
    )
    op.create_index(op.f("ix_attempts_link_id"), "attempts", ["link_id"], unique=False)
    op.create_index("ix_attempts_stage_expires_at", "attempts", ["stage", "expires_at"], unique=False)
    op.create_table(
        "channel_connections",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("identifier", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("installation_id", ID, nullable=False),
        sa.Column("identity_key", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("subscriber_id", ID, nullable=True),
        sa.Column("workspace_id", sa.String(length=100), nullable=False),
        sa.Column("workspace_name", sa.String(length=255), nullable=True),
        sa.Column("bot_user_id", sa.String(length=100), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("checked_at", TIME, nullable=True),
        sa.Column("installed_by", sa.String(length=100), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("context_keys", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "mode = 'subscriber' OR subscriber_id IS NULL", name=op.f("ck_channel_connections_shared_has_no_subscriber")
        ),
        sa.CheckConstraint("mode IN ('subscriber', 'shared')", name=op.f("ck_channel_connections_mode")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_channel_connections_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installations.id"], name=op.f("fk_channel_connections_installation_id_installations")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_channel_connections_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_connections")),
        sa.UniqueConstraint(
            "environment_id", "identifier", name=op.f("uq_channel_connections_environment_id_identifier")
        ),
        sa.UniqueConstraint(
            "environment_id", "identity_key", name=op.f("uq_channel_connections_environment_id_identity_key")
        ),
    )
    op.create_index("ix_channel_connections_installation", "channel_connections", ["installation_id"], unique=False)
    op.create_index(
        "ix_channel_connections_newest", "channel_connections", ["environment_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_channel_connections_workspace_id"), "channel_connections", ["workspace_id"], unique=False)
    op.create_table(
        "connection_contexts",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["channel_connections.id"],
            name=op.f("fk_connection_contexts_connection_id_channel_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "key", name=op.f("pk_connection_contexts")),
    )
    op.create_index(op.f("ix_connection_contexts_key"), "connection_contexts", ["key"], unique=False)
    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_index(op.f("ix_connection_contexts_key"), table_name="connection_contexts")
    op.drop_table("connection_contexts")
    op.drop_index(op.f("ix_channel_connections_workspace_id"), table_name="channel_connections")
    op.drop_index("ix_channel_connections_newest", table_name="channel_connections")
    op.drop_index("ix_channel_connections_installation", table_name="channel_connections")
    op.drop_table("channel_connections")
    op.drop_index("ix_attempts_stage_expires_at", table_name="attempts")
    op.drop_index(op.f("ix_attempts_link_id"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_table("links")
    op.drop_table("installations")
    op.drop_table("subscribers")
    op.drop_index(op.f("ix_sign_ins_operator_id"), table_name="sign_ins")
    op.drop_table("sign_ins")
    op.drop_table("integrations")
    op.drop_table("contexts")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("operators")
    op.drop_table("environments")
    # ### end Alembic commands ###
