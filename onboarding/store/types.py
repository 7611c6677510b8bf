"""Column types: UTC times, sealed values, enums by value, identifiers."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Enum, FromClause, LargeBinary, String, Text, false
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.types import TypeDecorator

from onboarding.identity import OfferedContext
from onboarding.sealed import KEY_ID_LENGTH, Sealed


def is_named(column: ColumnElement[str] | InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Return the condition `column = text`: false for text with NUL, which PostgreSQL refuses and no row contains."""
    return false() if "\0" in text else column == text


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone. SQLite stores no zone: naive times are refused, and stored times are loaded as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _to_text if dialect.name == "sqlite" else _to_utc

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], datetime | None]:
        return _from_text if dialect.name == "sqlite" else _from_zoned


def _to_utc(time: datetime | None) -> datetime | None:
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("A time needs a zone.")
    return time.astimezone(UTC)


def _to_text(time: datetime | None) -> str | None:
    """Format a time as SQLAlchemy stores it in SQLite: UTC to the microsecond, without the zone."""
    utc = _to_utc(time)
    return None if utc is None else utc.isoformat(" ", "microseconds")[:26]


def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def _from_zoned(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)


class SealedText(TypeDecorator[Sealed]):
    """A sealed value, stored as bytes: the key's id (12 characters), then nonce and ciphertext."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, _dialect: Dialect) -> Callable[[Sealed | None], bytes | None]:
        return _to_bytes

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[bytes | str | None], Sealed | None]:
        return _from_bytes


def _to_bytes(sealed: Sealed | None) -> bytes | None:
    return None if sealed is None else sealed.key_id.encode("ascii") + sealed.ciphertext


def _from_bytes(stored: bytes | str | None) -> Sealed | None:
    if stored is None:
        return None
    # The first characters of a damaged value are no key's id, so `Vault.open` refuses it.
    if isinstance(stored, str):  # SQLite allows text in any column, and tools that import a dump may write text
        stored = stored.encode(errors="replace")
    return Sealed(stored[:KEY_ID_LENGTH].decode("ascii", "replace"), bytes(stored[KEY_ID_LENGTH:]))


class TextTuple(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts, stored as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(json.loads(value))


class OfferedContexts(TypeDecorator[tuple[OfferedContext, ...]]):
    """A tuple of offered contexts, stored as a JSON list of `{type, id, label}`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[OfferedContext, ...] | None, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps([asdict(one) for one in value])

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[OfferedContext, ...] | None:
        return None if value is None else tuple(OfferedContext(**one) for one in json.loads(value))


def columns_of(table: FromClause, fields: Iterable[str]) -> list[KeyedColumnElement[Any]]:
    """Return the columns whose names are the fields of a row class, in their order."""
    return [table.c[name] for name in fields]


def enum_by_value(members: type[StrEnum], length: int) -> Enum:
    """Return a text column type that stores a member's value and loads the member."""
    return Enum(
        members,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda kind: [one.value for one in kind],
    )


#: Identifiers compare and sort by bytes on both databases.
ID = String(255, collation=None).with_variant(String(255, collation="C"), "postgresql")
