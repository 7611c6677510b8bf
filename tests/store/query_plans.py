"""The plans that a database chooses for the statements of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from onboarding.store.database import Database


@contextmanager
def watched(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Record the statements that are executed in the block."""
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        asked.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", hear)
    yield asked
    event.remove(database.engine, "before_cursor_execute", hear)


def plan(database: Database, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            # This table is small: PostgreSQL would rather scan all of it. The test checks whether it must.
            connection.exec_driver_sql("SET enable_seqscan = off")
        rows = connection.exec_driver_sql(explain + statement, values).all()
    return "\n".join(str(row[-1]) for row in rows)
