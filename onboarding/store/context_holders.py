"""The connections that have a context key."""

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from onboarding.store.compiled import CompiledQuery
from onboarding.store.connections import CONNECTION_CONTEXTS, TABLE
from onboarding.store.rows import Rows, exists_per_row


def with_key(name: str) -> Select[str]:
    """Select the ids of the connections of `environment` that have the context key in the parameter `name`."""
    matching = (
        CONNECTION_CONTEXTS.c.environment_id == bindparam("environment"),
        CONNECTION_CONTEXTS.c.key == bindparam(name),
    )
    return select(CONNECTION_CONTEXTS.c.connection_id).where(*matching)


def has_key(name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has the context key in the parameter `name`."""
    return _has(CONNECTION_CONTEXTS.c.key == bindparam(name))


def has_key_like(name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has a context key like the pattern in the parameter `name`."""
    return _has(CONNECTION_CONTEXTS.c.key.like(bindparam(name), escape="\\"))


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    found = select(CONNECTION_CONTEXTS.c.key).where(CONNECTION_CONTEXTS.c.connection_id == TABLE.c.id, condition)
    return exists_per_row(found)


_COUNT = CompiledQuery(select(func.count()).select_from(with_key("key_").limit(bindparam("size")).subquery()))


def count(rows: Rows, environment_id: str, key: str, cap: int) -> int:
    """Count the connections that have this context key, up to `cap`."""
    ((found,),) = _COUNT.columns(rows, {"environment": environment_id, "key_": key, "size": cap})
    return int(found)
