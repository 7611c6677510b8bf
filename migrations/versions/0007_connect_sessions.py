"""Add connect sessions: links of API callers, labels of offered contexts, and each integration's allowed origins."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_OLD_KINDS = "kind IN ('invitation', 'open', 'approval', 'address')"
_KINDS = "kind IN ('invitation', 'open', 'approval', 'address', 'session')"
_LINKS = sa.table(
    "links",
    *(
        sa.column(name)
        for name in (
            "id",
            "kind",
            "integration_id",
            "is_open",
            "mode",
            "subscriber_id",
            "context_keys",
            "offered_context_keys",
            "offered_contexts",
            "identity_key",
            "return_url",
        )
    ),
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def upgrade() -> None:
    origins = op.create_table(
        "allowed_origins",
        sa.Column("integration_id", _ID, nullable=False),
        sa.Column("origin", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_allowed_origins_integration_id_integrations")
        ),
        sa.PrimaryKeyConstraint("integration_id", "origin", name=op.f("pk_allowed_origins")),
    )
    op.create_index(op.f("ix_allowed_origins_origin"), "allowed_origins", ["origin"])
    op.add_column("links", sa.Column("refresh_url", sa.Text()))
    op.add_column("links", sa.Column("reference", sa.String(100)))
    op.add_column("links", sa.Column("identity_key", sa.String(64)))
    op.add_column("links", sa.Column("offered_contexts", sa.Text()))
    op.execute(_LINKS.update().values(offered_contexts="[]"))
    _change(
        _LINKS.c.offered_context_keys != "[]",
        lambda link: {"offered_contexts": json.dumps([_offered(key) for key in json.loads(link.offered_context_keys)])},
    )
    _change(_LINKS.c.kind == "approval", lambda link: {"identity_key": _identity_key(link)})
    with op.batch_alter_table("links") as table:
        _replace_check(table, _KINDS)
        table.alter_column("offered_contexts", existing_type=sa.Text(), nullable=False)
        table.drop_column("offered_context_keys")
    op.create_index(op.f("ix_links_environment_id_identity_key"), "links", ["environment_id", "identity_key"])
    op.create_index(op.f("ix_links_kind_expires_at"), "links", ["kind", "expires_at"])
    _add_origins(origins)


def downgrade() -> None:
    op.drop_index(op.f("ix_links_kind_expires_at"), "links")
    op.drop_index(op.f("ix_links_environment_id_identity_key"), "links")
    op.add_column("links", sa.Column("offered_context_keys", sa.Text()))
    op.execute(_LINKS.update().values(offered_context_keys="[]"))
    _change(
        _LINKS.c.offered_contexts != "[]",
        lambda link: {
            "offered_context_keys": json.dumps(
                [f"{one['type']}:{one['id']}" for one in json.loads(link.offered_contexts)]
            )
        },
    )
    # Older code has no sessions. They become install URLs, which API callers create as well.
    op.execute(_LINKS.update().where(_LINKS.c.kind == "session").values(kind="address"))
    with op.batch_alter_table("links") as table:
        _replace_check(table, _OLD_KINDS)
        table.alter_column("offered_context_keys", existing_type=sa.Text(), nullable=False)
        for name in ("offered_contexts", "identity_key", "reference", "refresh_url"):
            table.drop_column(name)
    op.drop_table("allowed_origins")


def _replace_check(table: Any, kinds: str) -> None:
    table.drop_constraint(op.f("ck_links_kind"), type_="check")
    table.create_check_constraint(op.f("ck_links_kind"), kinds)


def _change(which: sa.ColumnElement[bool], values: Callable[[Any], dict[str, Any]]) -> None:
    """Set the values that a function returns for each row. `_LINKS` names columns that the table may lack."""
    existing = {one["name"] for one in sa.inspect(op.get_bind()).get_columns("links")}
    columns = [column for column in _LINKS.c if column.name in existing]
    for link in op.get_bind().execute(sa.select(*columns).where(which)).all():
        op.execute(_LINKS.update().where(_LINKS.c.id == link.id).values(**values(link)))


def _offered(key: str) -> dict[str, str | None]:
    kind, _, name = key.partition(":")
    return {"type": kind, "id": name, "label": None}


def _identity_key(link: Any) -> str | None:
    """Return the identity of a link that leaves no choice open, as `onboarding.identity` computed it then."""
    keys = json.loads(link.context_keys)
    mode = link.mode or ("subscriber" if not keys else "shared" if not link.subscriber_id else None)
    if link.is_open or mode is None or link.offered_context_keys != "[]":
        return None
    parts = [link.integration_id, link.subscriber_id if mode == "subscriber" else None, sorted(set(keys))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _add_origins(origins: sa.Table) -> None:
    """Allow the origins of all return addresses, so that links that exist keep their way back."""
    query = sa.select(_LINKS.c.integration_id, _LINKS.c.return_url).where(_LINKS.c.return_url.is_not(None)).distinct()
    found = {(one.integration_id, _origin(one.return_url)) for one in op.get_bind().execute(query)}
    rows = [{"integration_id": integration, "origin": origin} for integration, origin in sorted(found) if origin]
    if rows:
        op.bulk_insert(origins, rows)


def _origin(address: str) -> str:
    """Return scheme, host and port as browsers write them; empty for an address that names no host."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return ""
    if not host or len(host) > 200:
        return ""
    host = f"[{host}]" if ":" in host else host
    is_default = port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"
