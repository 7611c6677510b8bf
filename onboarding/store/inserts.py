"""INSERTs of the hot paths: compiled once, and for several tables sent to PostgreSQL as one statement."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, Table, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from onboarding.store.compiled import Compiled
from onboarding.store.rows import Rows

#: The tables of a statement, each with its number of rows.
_Shape = tuple[tuple[Table, int], ...]


class CompiledInsert:
    """An INSERT. A column without a value gets its constant default or NULL.

    With SQLAlchemy's own path to the driver, a request that creates a connection takes 1.2 times the processor time.
    """

    def __init__(self, table: Table) -> None:
        """Create the statement. Raises TypeError for a table whose key the database numbers."""
        if table.autoincrement_column is not None:
            raise TypeError(f"The database numbers the rows of {table.name}.")
        defaults = {
            one.name: one.default.arg for one in table.columns if isinstance(one.default, ScalarElementColumnDefault)
        }
        self._empty: dict[str, object] = {**dict.fromkeys(table.columns.keys()), **defaults}
        self.table = table
        self._compiled: dict[tuple[str, bool], Compiled] = {}

    def one(self, rows: Rows, values: Mapping[str, object]) -> None:
        """Insert a row. A column without a value gets its default or NULL. Raises DBAPIError."""
        self.all(rows, (values,))

    def all(self, rows: Rows, many: Sequence[Mapping[str, object]]) -> None:
        """Insert rows. Raises TypeError for a name that is no column, and DBAPIError."""
        whole, connection = [self.whole(values) for values in many], _connection_of(rows)
        if not whole:
            return
        if connection.engine.dispatch.before_cursor_execute:
            connection.execute(insert(self.table), whole)
        else:
            self._compiled_for(connection.dialect, ignores=False).write(connection, whole)

    def one_if_new(self, rows: Rows, values: Mapping[str, object]) -> bool:
        """Insert a row unless it violates a unique key. Return whether it was inserted. Raises DBAPIError."""
        whole, connection = self.whole(values), _connection_of(rows)
        if connection.engine.dispatch.before_cursor_execute:
            return connection.execute(self._returning(connection.dialect), whole).first() is not None
        return bool(self._compiled_for(connection.dialect, ignores=True).run(connection, whole))

    def all_if_new(self, rows: Rows, many: Sequence[Mapping[str, object]]) -> None:
        """Insert the rows that violate no unique key. Raises DBAPIError."""
        connection = _connection_of(rows)
        if many:
            connection.execute(self._ignoring(connection.dialect), [self.whole(values) for values in many])

    def whole(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return a value for every column. Raises TypeError for a name that is no column."""
        whole = {**self._empty, **values}
        if len(whole) != len(self._empty):
            raise TypeError(f"The row has other names than the columns of {self.table.name}.")
        return whole

    def _ignoring(self, dialect: Dialect) -> Insert:
        statement = (sqlite.insert if dialect.name == "sqlite" else postgresql.insert)(self.table)
        return statement.on_conflict_do_nothing()

    def _returning(self, dialect: Dialect) -> ReturningInsert[*tuple[Any, ...]]:
        # psycopg does not count the rows that were left out, so the statement returns the one that was inserted.
        return self._ignoring(dialect).returning(*self.table.primary_key.columns)

    def _compiled_for(self, dialect: Dialect, *, ignores: bool) -> Compiled:
        key = dialect.name, ignores
        if key not in self._compiled:
            statement = self._returning(dialect) if ignores else insert(self.table)
            compiled = statement.compile(dialect=dialect, column_keys=list(self._empty))
            self._compiled[key] = Compiled(compiled, ())
        return self._compiled[key]


class NewRows(NamedTuple):
    """Rows for one table."""

    insert: CompiledInsert
    values: Sequence[Mapping[str, object]]


def insert_together(rows: Rows, *new: NewRows) -> None:
    """Insert a few rows into several tables: on PostgreSQL with one statement, which is all or nothing.

    SQLite gets a statement for each table, so the caller opens a transaction and passes a table before those that refer
    to it. Raises TypeError for a name that is no column, and DBAPIError.

    With a statement for each table and a transaction around them, creating a connect session takes PostgreSQL and this
    process together 1.3 times the processor time, and creating a connection 1.1 times.
    """
    connection, given = _connection_of(rows), [one for one in new if one.values]
    if connection.dialect.name == "sqlite" or not given:
        for one in given:
            one.insert.all(connection, one.values)
        return
    values = {
        _parameter(name, table_number, row_number): value
        for table_number, one in enumerate(given)
        for row_number, members in enumerate(one.values)
        for name, value in one.insert.whole(members).items()
    }
    shape = tuple((one.insert.table, len(one.values)) for one in given)
    if connection.engine.dispatch.before_cursor_execute:
        connection.execute(_insert_into(shape), values)
    else:
        _compiled_for(shape, connection.dialect).write(connection, (values,))


# Connections differ in the numbers of their context keys and words. To compile a statement takes about 2 ms.
@lru_cache(maxsize=200)
def _compiled_for(shape: _Shape, dialect: Dialect) -> Compiled:
    return Compiled(_insert_into(shape).compile(dialect=dialect), ())


def _insert_into(shape: _Shape) -> Insert:
    *others, last = (_insert(table, table_number, size) for table_number, (table, size) in enumerate(shape))
    return last.add_cte(*(one.cte(f"new_{number}") for number, one in enumerate(others)))


def _insert(table: Table, table_number: int, size: int) -> Insert:
    return insert(table).values(
        [
            {
                one.name: bindparam(_parameter(one.name, table_number, row_number), type_=one.type)
                for one in table.columns
            }
            for row_number in range(size)
        ]
    )


def _parameter(column: str, table_number: int, row_number: int) -> str:
    return f"{column}_{table_number}_{row_number}"


def _connection_of(rows: Rows) -> Connection:
    return rows if isinstance(rows, Connection) else rows.connection()
