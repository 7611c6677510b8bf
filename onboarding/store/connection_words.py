"""The words by which a connection is found: of its workspace, subscriber, identifier and context keys."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, ForeignKey, Index, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding import search_words
from onboarding.store.compiled import CompiledInsert, CompiledStatement
from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows
from onboarding.store.types import ID

#: Sorts after every word that begins with the same text.
_LAST = "\U0010ffff"


class ConnectionWord(Base):
    __tablename__ = "connection_words"
    __table_args__ = (
        Index("ix_connection_words_word", "environment_id", "word", "connection_id"),
        {"sqlite_with_rowid": False},
    )

    connection_id: Mapped[str] = mapped_column(
        ForeignKey("channel_connections.id", ondelete="CASCADE"), primary_key=True
    )
    word: Mapped[str] = mapped_column(ID, primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))


class _Found(NamedTuple):
    connection_id: str


_TABLE = table_of(ConnectionWord)
INSERT = CompiledInsert(_TABLE)
_BEGINS = _TABLE.c.word.between(bindparam("word"), bindparam("word_end"))
_IN_ENVIRONMENT = _TABLE.c.environment_id == bindparam("environment"), _BEGINS
_SEARCH = CompiledStatement(select(_TABLE.c.connection_id).where(*_IN_ENVIRONMENT).limit(bindparam("size")), _Found)
_COUNTED = select(_TABLE.c.connection_id).where(*_IN_ENVIRONMENT).distinct().limit(bindparam("size")).subquery()
_COUNT = select(func.count()).select_from(_COUNTED)


def rows_of(environment_id: str, connection_id: str, texts: Sequence[str | None]) -> list[dict[str, str]]:
    """Return the rows that `INSERT` adds for a connection with these texts."""
    key = {"connection_id": connection_id, "environment_id": environment_id}
    return [{**key, "word": word} for word in search_words.split(*texts)]


def remove(rows: Rows, connection_ids: Sequence[str]) -> None:
    rows.execute(delete(_TABLE).where(_TABLE.c.connection_id.in_(connection_ids)))


def find(rows: Rows, environment_id: str, word: str, size: int) -> set[str]:
    """Return connections that have a word with this beginning. At most `size` words are read."""
    found = _SEARCH.all(rows, {"environment": environment_id, **values(word), "size": size})
    return {one.connection_id for one in found}


def count(rows: Rows, environment_id: str, word: str, cap: int) -> int:
    """Count the connections that have a word with this beginning, up to `cap`."""
    return rows.scalar(_COUNT, {"environment": environment_id, **values(word), "size": cap}) or 0


def has_word(connection_id: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has a word with the beginning that `values(word, name)` passes."""
    begins = _TABLE.c.word.between(bindparam(name), bindparam(f"{name}_end"))
    return select(_TABLE.c.word).where(_TABLE.c.connection_id == connection_id, begins).exists()


def values(word: str, name: str = "word") -> dict[str, str]:
    return {name: word, f"{name}_end": word + _LAST}
