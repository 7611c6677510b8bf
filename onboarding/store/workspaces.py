"""The lock of a workspace: one transaction at a time decides who may have it, and whether it is still in use."""

import hashlib

from sqlalchemy import bindparam, func, select

from onboarding.store.rows import Rows, dialect_of

_LOCK = select(func.pg_advisory_xact_lock(bindparam("key")))
_SHARE = select(func.pg_advisory_xact_lock_shared(bindparam("key")))


def lock(rows: Rows, integration_id: str, workspace_id: str, shared: bool = False) -> None:
    """Lock a workspace or organization of an integration until the transaction ends.

    A transaction calls this after it has locked the integration, and before it locks any installation. The workspace
    has no row of its own, so PostgreSQL locks a number. SQLite has one writer at a time.
    """
    if dialect_of(rows) == "sqlite":
        return
    name = f"{integration_id} {workspace_id}".encode()
    # Two workspaces with the same number only wait for each other.
    key = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)
    rows.execute(_SHARE if shared else _LOCK, {"key": key})


def lock_to_connect(rows: Rows, integration_id: str, workspace_id: str, policy: str) -> None:
    """Lock a workspace that the transaction connects: against disconnects, and with `refuse` against other connects."""
    lock(rows, integration_id, workspace_id, shared=policy != "refuse")
