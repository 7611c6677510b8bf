"""Search by words: add a table of each connection's words. Sort workspaces by name, or by id without one."""

import json
import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_WORD = re.compile(r"[^\W_]+")
_BATCH = 1000
_CHECKS = (
    sa.CheckConstraint("mode IN ('subscriber', 'shared')", op.f("ck_channel_connections_mode")),
    sa.CheckConstraint(
        "mode = 'subscriber' OR subscriber_id IS NULL", op.f("ck_channel_connections_shared_has_no_subscriber")
    ),
)
_SEARCHED = ("id", "environment_id", "workspace_name", "workspace_id", "subscriber_id", "identifier", "context_keys")
_CONNECTIONS = sa.table(
    "channel_connections", *(sa.column(name, sa.Text()) for name in (*_SEARCHED, "search_name", "sort_name"))
)
_WORDS = sa.table(
    "connection_words", *(sa.column(name, sa.Text()) for name in ("connection_id", "word", "environment_id"))
)


def upgrade() -> None:
    op.create_table(
        "connection_words",
        sa.Column("connection_id", _ID, nullable=False),
        sa.Column("word", _ID, nullable=False),
        sa.Column("environment_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["channel_connections.id"],
            op.f("fk_connection_words_connection_id_channel_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], op.f("fk_connection_words_environment_id_environments")
        ),
        sa.PrimaryKeyConstraint("connection_id", "word", name=op.f("pk_connection_words")),
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_channel_connections_name", "channel_connections")
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.alter_column("search_name", new_column_name="sort_name", existing_type=_ID, existing_nullable=True)
    unnamed = _CONNECTIONS.c.sort_name.is_(None)
    op.execute(sa.update(_CONNECTIONS).where(unnamed).values(sort_name=sa.func.lower(_CONNECTIONS.c.workspace_id)))
    _fill_words()
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.alter_column("sort_name", existing_type=_ID, nullable=False)
    op.create_index("ix_channel_connections_sort_name", "channel_connections", ["environment_id", "sort_name", "id"])
    last_check: sa.ColumnElement[Any] = sa.func.coalesce(sa.column("checked_at"), sa.column("created_at"))
    op.create_index(
        "ix_channel_connections_last_check", "channel_connections", ["environment_id", last_check, sa.column("id")]
    )
    op.create_index("ix_connection_words_word", "connection_words", ["environment_id", "word", "connection_id"])


def _fill_words() -> None:
    bind, last = op.get_bind(), ""
    query = sa.select(*(_CONNECTIONS.c[name] for name in _SEARCHED)).order_by(_CONNECTIONS.c.id).limit(_BATCH)
    while rows := bind.execute(query.where(_CONNECTIONS.c.id > last)).all():
        last = rows[-1].id
        words = [
            {"connection_id": row.id, "word": word, "environment_id": row.environment_id}
            for row in rows
            for word in _words(
                row.workspace_name, row.workspace_id, row.subscriber_id, row.identifier, *json.loads(row.context_keys)
            )
        ]
        bind.execute(sa.insert(_WORDS), words)


def _words(*texts: str | None) -> list[str]:
    folded = (unicodedata.normalize("NFKC", text).casefold() for text in texts if text)
    return list(dict.fromkeys(word[:100] for text in folded for word in _WORD.findall(text)))


def downgrade() -> None:
    op.drop_table("connection_words")
    op.drop_index("ix_channel_connections_sort_name", "channel_connections")
    op.drop_index("ix_channel_connections_last_check", "channel_connections")
    with op.batch_alter_table("channel_connections", table_args=_CHECKS) as table:
        table.alter_column(
            "sort_name", new_column_name="search_name", existing_type=_ID, existing_nullable=False, nullable=True
        )
    unnamed = _CONNECTIONS.c.workspace_name.is_(None)
    op.execute(sa.update(_CONNECTIONS).where(unnamed).values(search_name=None))
    op.create_index("ix_channel_connections_name", "channel_connections", ["environment_id", "search_name"])
