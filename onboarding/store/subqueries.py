"""Conditions with a subquery that each database runs first."""

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType


class IsOneOf(FunctionElement[bool]):
    """`column IN (SELECT …)` for few values. PostgreSQL reads them first, and then the rows that have them.

    It estimates that the conditions `mode || ''` match one row, and for `IN` it would read the whole table to find it.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> "IsOneOf":  # noqa: ARG002  # the signature of SQLAlchemy
        """Return the condition as it is. SQLAlchemy would compare it with 1, and then SQLite uses no index for it."""
        return self


@compiles(IsOneOf)
def _render(element: IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN {values}"


@compiles(IsOneOf, "postgresql")
def _render_for_postgresql(element: IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY (ARRAY {values})"
