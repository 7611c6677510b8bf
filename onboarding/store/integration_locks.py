"""Locks that keep an integration from being removed."""

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from onboarding.store.compiled import CompiledStatement
from onboarding.store.integrations import TABLE, Integration
from onboarding.store.rows import Rows


class SharedIntegration(NamedTuple):
    """An integration that the transaction has locked against removal."""

    id: str
    #: `allow` or `refuse`.
    workspace_policy: str


_SHARED = select(TABLE.c.id, TABLE.c.workspace_policy).with_for_update(read=True, key_share=True)
_SHARED_BY_IDENTIFIER = CompiledStatement(
    _SHARED.where(TABLE.c.environment_id == bindparam("environment"), TABLE.c.identifier == bindparam("identifier_")),
    SharedIntegration,
)
_SHARED_BY_ID = CompiledStatement(_SHARED.where(TABLE.c.id == bindparam("integration")), SharedIntegration)


def share_named(rows: Rows, environment_id: str, identifier: str) -> SharedIntegration | None:
    """Lock the integration of this identifier as `share` does."""
    values = {"environment": environment_id, "identifier_": identifier}
    return _SHARED_BY_IDENTIFIER.first(rows, values)


def lock(session: Session, integration_id: str) -> None:
    """Lock the integration exclusively until the transaction ends. SQLite needs no row lock: it has one writer.

    Only the removal of the integration does this. Every transaction that changes connections or grants calls `share`
    first, so the removal waits for them and leaves no row behind.
    """
    session.execute(select(Integration.id).where(Integration.id == integration_id).with_for_update())


def share(rows: Rows, integration_id: str) -> SharedIntegration | None:
    """Lock the integration until the transaction ends, so that `lock` waits and other calls of `share` do not."""
    return _SHARED_BY_ID.first(rows, {"integration": integration_id})
