"""Queries of the hot paths: written with SQLAlchemy, compiled once, and run by the driver."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, cast

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

from onboarding.store.rows import Query, Rows, RowT, check_fields, fetch_all

_Convert = Callable[[Any], Any]


class CompiledStatement(Generic[RowT]):
    """A query and the class of its rows. Each run passes a value for every `bindparam`.

    To read one row by its key, SQLAlchemy's path from `execute` to the driver takes five times as long as the driver.
    Three kinds of calls still use it: those in a Session, those that an event listener such as tracing observes, and
    queries whose text depends on their values, such as `IN` with a list.
    """

    def __init__(self, query: Query, row_class: type[RowT]) -> None:
        """Raises TypeError unless the fields of `row_class` are the query's columns."""
        check_fields(row_class, query.exported_columns.keys())
        self.query, self._row_class = query, row_class
        self._compiled: dict[str, _Compiled | None] = {}

    def all(self, rows: Rows, values: Mapping[str, object]) -> list[RowT]:
        """Return the rows. Raises DBAPIError."""
        if not isinstance(rows, Connection) or rows.engine.dispatch.before_cursor_execute:
            return fetch_all(rows, self.query, self._row_class, values)
        compiled = self._compiled_for(rows.dialect)
        if compiled is None:
            return fetch_all(rows, self.query, self._row_class, values)
        return [self._row_class._make(row) for row in compiled.run(rows, values)]

    def first(self, rows: Rows, values: Mapping[str, object]) -> RowT | None:
        """Return the first row, or None. Raises DBAPIError."""
        found = self.all(rows, values)
        return found[0] if found else None

    def _compiled_for(self, dialect: Dialect) -> "_Compiled | None":
        if dialect.name not in self._compiled:
            compiled: Any = self.query.compile(dialect=dialect)
            varies = compiled.post_compile_params or compiled.literal_execute_params
            self._compiled[dialect.name] = None if varies else _Compiled(self.query, compiled)
        return self._compiled[dialect.name]


class _Compiled:
    """A query for one dialect: its text, and how values and columns are converted."""

    def __init__(self, query: Query, compiled: Any) -> None:
        self._text, dialect = str(compiled), compiled.dialect
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        converts = {name: _bind_processor(bind.type, dialect) for name, bind in binds.items()}
        self._is_positional = bool(compiled.positional)
        self._names = tuple(compiled.positiontup if compiled.positional else binds)
        #: Name, conversion, whether each run passes a value, and the query's own value otherwise.
        self._parameters = [
            (name, converts[name], binds[name].required, converts[name](compiled.params[name])) for name in self._names
        ]
        results = [_result_processor(column.type, dialect) for column in query.exported_columns]
        self._results = [(at, convert) for at, convert in enumerate(results) if convert is not None]

    def run(self, rows: Connection, values: Mapping[str, object]) -> list[list[Any]]:
        passed = [convert(values[name]) if run else own for name, convert, run, own in self._parameters]
        parameters: Any = passed if self._is_positional else dict(zip(self._names, passed, strict=True))
        driver: Any = rows.connection.dbapi_connection
        try:
            # SQLite reads while rows are fetched, and detects a damaged file only then.
            found = driver.execute(self._text, parameters).fetchall()
        except rows.dialect.loaded_dbapi.Error as error:
            raise _translated(rows, driver, self._text, error) from error
        return [self._converted(list(row)) for row in found]

    def _converted(self, row: list[Any]) -> list[Any]:
        for at, convert in self._results:
            row[at] = convert(row[at])
        return row


def _bind_processor(column_type: Any, dialect: Dialect) -> _Convert:
    return column_type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


def _result_processor(column_type: Any, dialect: Dialect) -> _Convert | None:
    processor: _Convert | None = column_type.dialect_impl(dialect).result_processor(dialect, None)
    return processor


def _translated(rows: Connection, driver: Any, text: str, error: Exception) -> BaseException:
    """Return the exception that SQLAlchemy raises for the driver's error."""
    is_disconnect = rows.dialect.is_disconnect(cast(Any, error), driver, None)
    if is_disconnect:
        rows.invalidate(error)
    return DBAPIError.instance(
        text, None, error, rows.dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=is_disconnect, dialect=rows.dialect,
    )  # fmt: skip
