"""Add the REST API's tables and columns (keys, responses, channel endpoints, tokens of programs) and lists' indexes."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
FILTERS = ("", "integration_id", "subscriber_id", "mode", "context_digest", "workspace_id", "status")
PROFILE = {"first_name": 255, "last_name": 255, "email": 320, "phone": 100, "locale": 100, "timezone": 100}


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("beginning", sa.String(20), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_api_keys_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
        sa.UniqueConstraint("environment_id", "name", name=op.f("uq_api_keys_environment_id_name")),
    )
    op.create_table(
        "answers",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("key", ID, nullable=False),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("path", sa.String(64), nullable=False),
        sa.Column("body_fingerprint", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(100), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("connection_id", sa.Text()),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_answers_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint(
            "environment_id", "key", "method", "path", name=op.f("uq_answers_environment_id_key_method_path")
        ),
    )
    op.create_index(op.f("ix_answers_claimed_at"), "answers", ["claimed_at"])
    _widen_what_is_there()
    op.create_table(
        "channel_endpoints",
        sa.Column("id", ID, nullable=False),
        sa.Column("environment_id", ID, nullable=False),
        sa.Column("identifier", ID, nullable=False),
        sa.Column("integration_id", ID, nullable=False),
        sa.Column("connection_id", ID),
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("context_keys", sa.Text(), nullable=False),
        sa.Column("context_digest", sa.String(64), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=op.f("fk_channel_endpoints_environment_id_environments")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_channel_endpoints_integration_id_integrations")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["channel_connections.id"],
            name=op.f("fk_channel_endpoints_connection_id_channel_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_endpoints")),
        sa.UniqueConstraint(
            "environment_id", "identifier", name=op.f("uq_channel_endpoints_environment_id_identifier")
        ),
    )
    op.create_index(op.f("ix_channel_endpoints_connection_id"), "channel_endpoints", ["connection_id"])
    for name, columns in _ENDPOINT_INDEXES.items():
        op.create_index(name, "channel_endpoints", columns)


_ENDPOINT_INDEXES = {
    "ix_channel_endpoints_created": ["environment_id", "created_at", "id"],
    "ix_channel_endpoints_updated": ["environment_id", "updated_at", "id"],
    "ix_channel_endpoints_subscriber": ["environment_id", "subscriber_id", "created_at", "id"],
}


def _widen_what_is_there() -> None:
    """Add the new columns as nullable, fill them, then set NOT NULL."""
    op.add_column("environments", sa.Column("unknown_subscribers", sa.String(10)))
    op.execute("UPDATE environments SET unknown_subscribers = 'create'")
    with op.batch_alter_table("environments") as table:
        table.alter_column("unknown_subscribers", existing_type=sa.String(10), nullable=False)
        table.create_check_constraint(
            op.f("ck_environments_unknown_subscribers"), "unknown_subscribers IN ('create', 'refuse')"
        )

    op.add_column("installations", sa.Column("origin", sa.String(10)))
    op.execute("UPDATE installations SET origin = 'install'")
    with op.batch_alter_table("installations") as table:
        table.alter_column("origin", existing_type=sa.String(10), nullable=False)
        table.add_column(sa.Column("refresh_expires_at", TIME))
        table.add_column(sa.Column("refresh_fingerprint", sa.String(64)))
        table.add_column(sa.Column("refresh_claimed_at", TIME))
        table.add_column(sa.Column("refreshed_at", TIME))
        table.create_check_constraint(op.f("ck_installations_origin"), "origin IN ('install', 'api')")
        table.create_unique_constraint(
            op.f("uq_installations_integration_id_refresh_fingerprint"), ["integration_id", "refresh_fingerprint"]
        )

    with op.batch_alter_table("links") as table:
        table.add_column(sa.Column("connection_identifier", ID))
        table.add_column(sa.Column("scopes", sa.Text()))
        table.drop_constraint(op.f("ck_links_kind"), type_="check")
        table.create_check_constraint(op.f("ck_links_kind"), "kind IN ('invitation', 'open', 'approval', 'address')")

    for name, columns in (("contexts", ("data", "updated_at")), ("subscribers", ("updated_at",))):
        op.add_column(name, sa.Column("updated_at", TIME))
        op.execute(f"UPDATE {name} SET updated_at = created_at")  # noqa: S608  # constant names
        if "data" in columns:
            op.add_column(name, sa.Column("data", sa.Text()))
            op.execute("UPDATE contexts SET data = '{}'")
        with op.batch_alter_table(name) as table:
            table.alter_column("updated_at", existing_type=TIME, nullable=False)
            if "data" in columns:
                table.alter_column("data", existing_type=sa.Text(), nullable=False)
    for name, length in PROFILE.items():
        op.add_column("subscribers", sa.Column(name, sa.String(length)))
    op.add_column("subscribers", sa.Column("avatar", sa.Text()))
    op.add_column("subscribers", sa.Column("data", sa.Text()))
    op.create_index("ix_contexts_created", "contexts", ["environment_id", "created_at", "type", "id"])
    op.create_index("ix_contexts_updated", "contexts", ["environment_id", "updated_at", "type", "id"])
    op.create_index("ix_subscribers_created", "subscribers", ["environment_id", "created_at", "subscriber_id"])
    op.create_index("ix_subscribers_updated", "subscribers", ["environment_id", "updated_at", "subscriber_id"])
    _index_connections()


def _index_connections() -> None:
    op.add_column("channel_connections", sa.Column("search_name", ID))
    op.add_column("channel_connections", sa.Column("context_digest", sa.String(64)))
    connections = sa.table(
        "channel_connections",
        *(sa.column(name, sa.Text()) for name in ("id", "context_keys", "workspace_name", "search_name")),
        sa.column("context_digest", sa.Text()),
    )
    bind = op.get_bind()
    for row in bind.execute(sa.select(connections)).all():
        exact_set = json.dumps(sorted(set(json.loads(row.context_keys))))
        values = {
            "context_digest": hashlib.sha256(exact_set.encode()).hexdigest(),
            "search_name": row.workspace_name.casefold()[:255] if row.workspace_name else None,
        }
        bind.execute(sa.update(connections).where(connections.c.id == row.id).values(values))
    op.drop_index("ix_channel_connections_newest", "channel_connections")
    op.drop_index(op.f("ix_channel_connections_workspace_id"), "channel_connections")
    with op.batch_alter_table("channel_connections") as table:
        table.alter_column("context_digest", existing_type=sa.String(64), nullable=False)
    for column in FILTERS:
        for order in ("created_at", "updated_at"):
            columns = [name for name in ("environment_id", column, order, "id") if name]
            op.create_index(f"ix_channel_connections_{column or 'all'}_{order}", "channel_connections", columns)
    op.create_index("ix_channel_connections_name", "channel_connections", ["environment_id", "search_name"])
    op.create_index("ix_channel_connections_workspace", "channel_connections", ["integration_id", "workspace_id"])


def downgrade() -> None:
    """Delete the API's rows and their connections, which the older tables cannot store."""
    op.drop_table("channel_endpoints")
    op.execute("DELETE FROM connection_contexts WHERE connection_id IN (" + _OF_PROGRAMS + ")")  # noqa: S608  # a constant
    op.execute("DELETE FROM channel_connections WHERE id IN (" + _OF_PROGRAMS + ")")  # noqa: S608  # a constant
    op.execute("DELETE FROM installations WHERE origin = 'api'")
    op.execute("UPDATE attempts SET link_id = NULL WHERE link_id IN (SELECT id FROM links WHERE kind = 'address')")
    op.execute("DELETE FROM links WHERE kind = 'address'")
    op.drop_table("answers")
    op.drop_table("api_keys")
    op.drop_index("ix_channel_connections_workspace", "channel_connections")
    op.drop_index("ix_channel_connections_name", "channel_connections")
    for column in FILTERS:
        for order in ("created_at", "updated_at"):
            op.drop_index(f"ix_channel_connections_{column or 'all'}_{order}", "channel_connections")
    with op.batch_alter_table("channel_connections") as table:
        table.drop_column("context_digest")
        table.drop_column("search_name")
    op.create_index("ix_channel_connections_newest", "channel_connections", ["environment_id", "created_at", "id"])
    op.create_index(op.f("ix_channel_connections_workspace_id"), "channel_connections", ["workspace_id"])
    for name in ("subscribers", "contexts"):
        op.drop_index(f"ix_{name}_updated", name)
        op.drop_index(f"ix_{name}_created", name)
    with op.batch_alter_table("subscribers") as table:
        for name in (*PROFILE, "avatar", "data", "updated_at"):
            table.drop_column(name)
    with op.batch_alter_table("contexts") as table:
        table.drop_column("data")
        table.drop_column("updated_at")
    with op.batch_alter_table("links") as table:
        table.drop_constraint(op.f("ck_links_kind"), type_="check")
        table.create_check_constraint(op.f("ck_links_kind"), "kind IN ('invitation', 'open', 'approval')")
        table.drop_column("scopes")
        table.drop_column("connection_identifier")
    with op.batch_alter_table("installations") as table:
        table.drop_constraint(op.f("uq_installations_integration_id_refresh_fingerprint"), type_="unique")
        table.drop_constraint(op.f("ck_installations_origin"), type_="check")
        for name in ("refreshed_at", "refresh_claimed_at", "refresh_fingerprint", "refresh_expires_at", "origin"):
            table.drop_column(name)
    with op.batch_alter_table("environments") as table:
        table.drop_constraint(op.f("ck_environments_unknown_subscribers"), type_="check")
        table.drop_column("unknown_subscribers")


_OF_PROGRAMS = (
    "SELECT c.id FROM channel_connections c JOIN installations i ON i.id = c.installation_id WHERE i.origin = 'api'"
)
