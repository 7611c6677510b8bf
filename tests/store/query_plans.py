"""The plans that a database chooses for the statements of a test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import event

from onboarding.store.database import Database


@contextmanager
def watched(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Record the statements that are executed in the block."""
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        asked.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def plan(database: Database, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, values).all()
    return "\n".join(str(row[-1]) for row in rows)


def plan_when_repeated(database: Database, statement: str, values: Any) -> str:
    """Return the plan of a statement that has been executed often: PostgreSQL then plans it without the values."""
    if database.is_sqlite:
        return plan(database, statement, values)
    names = list(values)
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        # As the product's own connections have it: onboarding/store/postgresql.py.
        connection.execute("SET enable_seqscan = off")
        connection.execute(f"PREPARE repeated AS {numbered}")
        literals = sql.SQL(", ").join(map(sql.Literal, values.values()))
        rows = connection.execute(sql.SQL("EXPLAIN EXECUTE repeated ({})").format(literals)).fetchall()
    return "\n".join(row[0] for row in rows)
