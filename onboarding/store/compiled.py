"""Statements of the hot paths: written with SQLAlchemy, compiled once, and run by the driver."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, cast

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

from onboarding.store.rows import Query, Rows, RowT, check_fields

_Convert = Callable[[Any], Any]


class CompiledQuery:
    """A query. Each run passes a value for every `bindparam`.

    To read one row by its key, SQLAlchemy's path from `execute` to the driver takes five times as long as the driver.
    Three kinds of calls still use it: those in a Session, those that an event listener such as tracing observes, and
    queries whose text depends on their values, such as `IN` with a list.
    """

    def __init__(self, query: Query) -> None:
        self.query = query
        self._compiled: dict[str, Compiled | None] = {}

    def columns(self, rows: Rows, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Return the columns of each row. Raises DBAPIError."""
        if not isinstance(rows, Connection) or rows.engine.dispatch.before_cursor_execute:
            return rows.execute(self.query, values).all()
        compiled = self._compiled_for(rows.dialect)
        return rows.execute(self.query, values).all() if compiled is None else compiled.run(rows, values)

    def first_columns(self, rows: Rows, values: Mapping[str, object]) -> Sequence[Any] | None:
        """Return the columns of the first row, or None. Raises DBAPIError."""
        found = self.columns(rows, values)
        return found[0] if found else None

    def _compiled_for(self, dialect: Dialect) -> "Compiled | None":
        if dialect.name not in self._compiled:
            compiled: Any = self.query.compile(dialect=dialect)
            varies = compiled.post_compile_params or compiled.literal_execute_params
            self._compiled[dialect.name] = None if varies else Compiled(compiled, self.query.exported_columns)
        return self._compiled[dialect.name]


class CompiledStatement(CompiledQuery, Generic[RowT]):
    """A query and the class of its rows."""

    def __init__(self, query: Query, row_class: type[RowT]) -> None:
        """Create the statement. Raises TypeError unless the fields of `row_class` are the query's columns."""
        check_fields(row_class, query.exported_columns.keys())
        super().__init__(query)
        self._row_class = row_class

    def all(self, rows: Rows, values: Mapping[str, object]) -> list[RowT]:
        """Return the rows. Raises DBAPIError."""
        return [self._row_class._make(row) for row in self.columns(rows, values)]

    def first(self, rows: Rows, values: Mapping[str, object]) -> RowT | None:
        """Return the first row, or None. Raises DBAPIError."""
        found = self.all(rows, values)
        return found[0] if found else None


class Compiled:
    """A statement for one dialect: its text, and how values and columns are converted."""

    def __init__(self, compiled: Any, columns: Iterable[Any]) -> None:
        self._text, dialect = str(compiled), compiled.dialect
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        converts = {name: _bind_processor(bind.type, dialect) for name, bind in binds.items()}
        self._is_positional = bool(compiled.positional)
        self._names = tuple(compiled.positiontup if compiled.positional else binds)
        #: Name, conversion, whether each run passes a value, and the query's own value otherwise.
        self._parameters = [
            (name, converts[name], bind.required, None if bind.required else converts[name](bind.effective_value))
            for name, bind in ((name, binds[name]) for name in self._names)
        ]
        results = [_result_processor(column.type, dialect) for column in columns]
        self._results = [(index, convert) for index, convert in enumerate(results) if convert is not None]

    def run(self, rows: Connection, values: Mapping[str, object]) -> list[list[Any]]:
        parameters, driver = self._converted_values(values), cast(Any, rows.connection.dbapi_connection)
        try:
            # SQLite reads while rows are fetched, and detects a damaged file only then.
            found = driver.execute(self._text, parameters).fetchall()
        except rows.dialect.loaded_dbapi.Error as error:
            raise _translated(rows, driver, self._text, error) from error
        return [self._converted(list(row)) for row in found]

    def write(self, rows: Connection, many: Sequence[Mapping[str, object]]) -> None:
        parameters, driver = [self._converted_values(values) for values in many], rows.connection.dbapi_connection
        try:
            if len(parameters) == 1:
                cast(Any, driver).execute(self._text, parameters[0])
            else:
                cast(Any, driver).cursor().executemany(self._text, parameters)
        except rows.dialect.loaded_dbapi.Error as error:
            raise _translated(rows, driver, self._text, error) from error

    def _converted_values(self, values: Mapping[str, object]) -> Any:
        passed = [convert(values[name]) if run else own for name, convert, run, own in self._parameters]
        return passed if self._is_positional else dict(zip(self._names, passed, strict=True))

    def _converted(self, row: list[Any]) -> list[Any]:
        for index, convert in self._results:
            row[index] = convert(row[index])
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
