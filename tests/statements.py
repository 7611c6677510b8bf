"""SQL statements of the sites in tests. Each site has an engine of its own, which compiles every statement again."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(2000)


def share_compiled(engine: Engine) -> None:
    """Let the engine use the statements that other engines of this process have compiled."""
    engine.update_execution_options(compiled_cache=_COMPILED)


def _is_same(dialect: DefaultDialect, other: object) -> bool:
    return type(dialect) is type(other)


def _hash(dialect: DefaultDialect) -> int:
    return hash(type(dialect))


# The dialect is part of a statement's key in this cache and in those of mapped classes. All engines of a process are
# for the same version of the same database.
DefaultDialect.__eq__ = _is_same  # type: ignore[method-assign,assignment]  # it has no equality of its own
DefaultDialect.__hash__ = _hash  # type: ignore[method-assign,assignment]  # it has no equality of its own
