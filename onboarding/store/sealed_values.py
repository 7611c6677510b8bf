"""Every encrypted value of the database, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, func, select, type_coerce, update

from onboarding.sealed import KEY_ID_LENGTH, Sealed
from onboarding.store.rows import Rows, fetch_all
from onboarding.store.schema import METADATA
from onboarding.store.types import SealedText


@dataclass(frozen=True)
class SealedColumn:
    """A column of encrypted values. Each is bound to its table, its column and the row's `id`."""

    table: str
    column: str


class SealedValue(NamedTuple):
    row_id: str
    value: Sealed


def columns() -> list[SealedColumn]:
    """Return all columns with encrypted values, in a fixed order."""
    return [
        SealedColumn(table.name, column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedText)
    ]


def count_of_other_keys(rows: Rows, where: SealedColumn, key_id: str) -> int:
    """Count the values that another key has encrypted."""
    table, column = _table_and_column(where)
    return rows.scalar(select(func.count()).select_from(table).where(*_has_other_key(column, key_id))) or 0


def of_other_keys(rows: Rows, where: SealedColumn, key_id: str, after: str, limit: int) -> Sequence[SealedValue]:
    """Return values that another key has encrypted, of the rows after the id `after`, in the order of their ids."""
    table, column = _table_and_column(where)
    query = select(table.c.id.label("row_id"), column.label("value")).where(table.c.id > after)
    return fetch_all(rows, query.where(*_has_other_key(column, key_id)).order_by(table.c.id).limit(limit), SealedValue)


def replace(rows: Rows, where: SealedColumn, old: SealedValue, new: Sealed) -> bool:
    """Replace a value, unless another transaction has changed it. Return whether it was replaced."""
    table, column = _table_and_column(where)
    matching = table.c.id == old.row_id, column == old.value
    return rows.execute(update(table).where(*matching).values({column: new}).returning(table.c.id)).first() is not None


def _table_and_column(where: SealedColumn) -> tuple[Table, Column[Sealed]]:
    table = METADATA.tables[where.table]
    return table, table.c[where.column]


def _has_other_key(column: Column[Sealed], key_id: str) -> tuple[ColumnElement[bool], ...]:
    used = func.substr(type_coerce(column, LargeBinary), 1, KEY_ID_LENGTH, type_=LargeBinary)
    return column.is_not(None), used != key_id.encode("ascii")
