"""Connections by their identity: integration, subscriber and exact set of context keys."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from onboarding.outcomes import ConnectionStatus
from onboarding.store.compiled import CompiledStatement
from onboarding.store.connections import TABLE, ChannelConnection
from onboarding.store.rows import Rows
from onboarding.store.types import columns_of


class IdentityRow(NamedTuple):
    """The columns that an install needs of the connection that its identity already has."""

    id: str
    identifier: str
    #: Null for a disconnected connection.
    installation_id: str | None
    workspace_id: str
    workspace_name: str | None
    created_at: datetime
    installed_by: str | None
    status: ConnectionStatus


_OF_IDENTITY = select(*columns_of(TABLE, IdentityRow._fields)).where(
    TABLE.c.environment_id == bindparam("environment"), TABLE.c.identity_key == bindparam("key")
)
_READ, _LOCK = (
    CompiledStatement(one, IdentityRow) for one in (_OF_IDENTITY, _OF_IDENTITY.with_for_update(key_share=True))
)


def by_identity(session: Session, environment_id: str, key: str) -> ChannelConnection | None:
    return session.scalar(
        select(ChannelConnection).where(
            ChannelConnection.environment_id == environment_id, ChannelConnection.identity_key == key
        )
    )


def of_identity(rows: Rows, environment_id: str, key: str) -> IdentityRow | None:
    return _READ.first(rows, {"environment": environment_id, "key": key})


def lock_of_identity(rows: Rows, environment_id: str, key: str) -> IdentityRow | None:
    """Return the row as `of_identity` does, and lock it, so that no other install changes the connection."""
    return _LOCK.first(rows, {"environment": environment_id, "key": key})
