"""The connections that have a context key."""

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from onboarding.store.compiled import CompiledQuery
from onboarding.store.connections import HOLDING, TABLE
from onboarding.store.rows import Rows


def with_key(name: str) -> Select[str]:
    """Select the ids of the connections of `environment` that have the context key in the parameter `name`."""
    matching = HOLDING.c.environment_id == bindparam("environment"), HOLDING.c.key == bindparam(name)
    return select(HOLDING.c.connection_id).where(*matching)


def has_key(name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has the context key in the parameter `name`."""
    matching = HOLDING.c.connection_id == TABLE.c.id, HOLDING.c.key == bindparam(name)
    return select(HOLDING.c.key).where(*matching).exists()


_COUNT = CompiledQuery(select(func.count()).select_from(with_key("key_").limit(bindparam("size")).subquery()))


def count(rows: Rows, environment_id: str, key: str, cap: int) -> int:
    """Count the connections that have this context key, up to `cap`."""
    ((found,),) = _COUNT.columns(rows, {"environment": environment_id, "key_": key, "size": cap})
    return int(found)
