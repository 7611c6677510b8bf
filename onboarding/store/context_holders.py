"""The connections that have a context key."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from onboarding.store.compiled import CompiledStatement
from onboarding.store.connections import HOLDING, TABLE
from onboarding.store.rows import Rows


class _Found(NamedTuple):
    connection_id: str


# With `|| ''`, SQLite begins with the key's index. Otherwise it would read every connection of the environment.
_HOLDERS = (
    select(HOLDING.c.connection_id)
    .join(TABLE, TABLE.c.id == HOLDING.c.connection_id)
    .where(HOLDING.c.key == bindparam("key_"), TABLE.c.environment_id + "" == bindparam("environment"))
    .limit(bindparam("size"))
)
_FIND = CompiledStatement(_HOLDERS, _Found)
_COUNT = select(func.count()).select_from(_HOLDERS.subquery())


def find(rows: Rows, environment_id: str, key: str, limit: int) -> set[str]:
    """Return the ids of at most `limit` connections that have this context key."""
    found = _FIND.all(rows, {"environment": environment_id, "key_": key, "size": limit})
    return {one.connection_id for one in found}


def count(rows: Rows, environment_id: str, key: str, cap: int) -> int:
    """Count the connections that have this context key, up to `cap`."""
    return rows.scalar(_COUNT, {"environment": environment_id, "key_": key, "size": cap}) or 0


def with_key(name: str) -> Select[str]:
    """Select the ids of the connections, in all environments, that have the context key in the parameter `name`."""
    return select(HOLDING.c.connection_id).where(HOLDING.c.key == bindparam(name))


def has_key(name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has the context key in the parameter `name`."""
    is_it = HOLDING.c.connection_id == TABLE.c.id, HOLDING.c.key == bindparam(name)
    return select(HOLDING.c.key).where(*is_it).exists()
