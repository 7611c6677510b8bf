"""Column types that say what they hold."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from onboarding.sealed import Sealed


class UtcTime(TypeDecorator[datetime]):
    """A moment with its zone. SQLite stores none, so naive times are refused on the way in and UTC is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class SealedText(TypeDecorator[Sealed]):
    """A sealed value as bytes: the key's id (12 characters), then nonce and ciphertext."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else value.key_id.encode("ascii") + value.ciphertext

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(value[:12].decode("ascii"), bytes(value[12:]))


#: Identifiers compare and sort by bytes on both databases.
ID = String(255, collation=None).with_variant(String(255, collation="C"), "postgresql")
