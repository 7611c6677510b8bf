"""Statements of the hot paths, written with SQLAlchemy and handed to the driver: compiled once, not looked at again."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Processor = Callable[[Any], Any]
Values = Mapping[str, object]


class CompiledStatement:
    """One statement, whose every `bindparam` is given at each run.

    SQLAlchemy's own way from `execute` to the driver takes five times as long as the driver for a row by its key. It is taken
    all the same in a Session, and where somebody listens to what is executed (traces do).
    """

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def first(self, rows: Session | Connection, values: Values) -> Any:
        """The first row, by names and by positions; None when there is none. Raises DBAPIError."""
        found = self.all(rows, values)
        return found[0] if found else None

    def scalar(self, rows: Session | Connection, values: Values) -> Any:
        found = self.first(rows, values)
        return None if found is None else found[0]

    def all(self, rows: Session | Connection, values: Values) -> Sequence[Any]:
        connection = _direct(rows)
        if connection is None:
            return rows.execute(self.statement, dict(values)).all()
        return self._for(connection.dialect).run(connection, values)

    def run(self, rows: Session | Connection, values: Values) -> None:
        connection = _direct(rows)
        if connection is None:
            rows.execute(self.statement, dict(values))
        else:
            self._for(connection.dialect).run(connection, values)

    def _for(self, dialect: Dialect) -> "_Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self.statement, dialect)
        return found


class _Compiled:
    """For one database: the text, how values become the driver's, and how the driver's rows become ours."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("A statement whose text depends on its values cannot be prepared.")
        self._text = str(compiled)
        self._is_positional = bool(compiled.positional)
        processors = {name: _binding(bind.type, dialect) for bind, name in compiled.bind_names.items()}
        # What a column is by default would be filled in by SQLAlchemy as it executes: here it is given, too.
        each_time = {name for bind, name in compiled.bind_names.items() if bind.required}
        each_time |= {column.key for column in compiled.prefetch}
        order = compiled.positiontup if compiled.positional else compiled.bind_names.values()
        #: Name, how it becomes the driver's, whether it is given at each run, and what it is otherwise.
        self._given = [
            (name, processors[name], name in each_time, _fixed(compiled.params[name], processors[name]))
            for name in order
        ]
        columns = list(getattr(statement, "exported_columns", ()))
        self._gives_rows = bool(columns)
        shape: Any = namedtuple  # mypy knows only those whose names stand in the code
        self._row = shape("_Row", [column.key for column in columns], rename=True)._make
        made = [(at, _result(column.type, dialect)) for at, column in enumerate(columns)]
        self._made = [(at, make) for at, make in made if make is not None]

    def run(self, rows: Connection, values: Values) -> list[Any]:
        """Its rows; none for a statement that gives none."""
        told: Any
        if self._is_positional:
            told = [
                (values[name] if make is None else make(values[name])) if each else fixed
                for name, make, each, fixed in self._given
            ]
        else:
            told = {
                name: (values[name] if make is None else make(values[name])) if each else fixed
                for name, make, each, fixed in self._given
            }
        driver: Any = rows.connection.dbapi_connection
        try:
            cursor = driver.execute(self._text, told)
            # SQLite reads as it is asked: what it finds damaged, it finds here.
            given = cursor.fetchall() if self._gives_rows else ()
        except rows.dialect.loaded_dbapi.Error as fault:
            raise _told(rows, driver, self._text, fault) from fault
        return self._shown(given)

    def _shown(self, given: Iterable[Sequence[Any]]) -> list[Any]:
        made, shape, found = self._made, self._row, []
        for one in given:
            values = list(one)
            for at, make in made:
                value = values[at]
                if value is not None:
                    values[at] = make(value)
            found.append(shape(values))
        return found


def _direct(rows: Session | Connection) -> Connection | None:
    """None where SQLAlchemy's own way has to be taken."""
    if isinstance(rows, Connection) and not rows.engine.dispatch.before_cursor_execute:
        return rows
    return None


def _fixed(value: Any, make: Processor | None) -> Any:
    return value if value is None or make is None else make(value)


def _binding(kind: Any, dialect: Dialect) -> Processor | None:
    found: Processor | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return found


def _result(kind: Any, dialect: Dialect) -> Processor | None:
    found: Processor | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found


def _told(rows: Connection, driver: Any, text: str, fault: Exception) -> BaseException:
    """As SQLAlchemy tells it."""
    gone = rows.dialect.is_disconnect(cast(Any, fault), driver, None)
    if gone:
        rows.invalidate(fault)
    return DBAPIError.instance(
        text, None, fault, rows.dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=gone, dialect=rows.dialect,
    )  # fmt: skip
