"""The words by which a connection is found: of its workspace, subscriber, identifier and context keys."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding import search_words
from onboarding.store.compiled import CompiledInsert, CompiledQuery
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


_TABLE = table_of(ConnectionWord)
INSERT = CompiledInsert(_TABLE)


def with_word(name: str) -> Select[str]:
    """Select the connections of `environment` that have a word with the beginning that `values(word, name)` passes.

    A connection is selected once for each such word.
    """
    begins = _TABLE.c.word.between(bindparam(name), bindparam(f"{name}_end"))
    return select(_TABLE.c.connection_id).where(_TABLE.c.environment_id == bindparam("environment"), begins)


_WORDS = with_word("word").limit(bindparam("size")).subquery()
_COUNT_WORDS = CompiledQuery(select(func.count()).select_from(_WORDS))
_CONNECTIONS = with_word("word").distinct().limit(bindparam("size")).subquery()
_COUNT = CompiledQuery(select(func.count()).select_from(_CONNECTIONS))


def rows_of(environment_id: str, connection_id: str, texts: Sequence[str | None]) -> list[dict[str, str]]:
    """Return the rows that `INSERT` adds for a connection with these texts."""
    key = {"connection_id": connection_id, "environment_id": environment_id}
    return [{**key, "word": word} for word in search_words.split(*texts)]


def remove(rows: Rows, connection_ids: Sequence[str]) -> None:
    rows.execute(delete(_TABLE).where(_TABLE.c.connection_id.in_(connection_ids)))


def count_words(rows: Rows, environment_id: str, word: str, cap: int) -> int:
    """Count the words with this beginning, up to `cap`. A connection may have several."""
    ((found,),) = _COUNT_WORDS.columns(rows, {"environment": environment_id, **values(word), "size": cap})
    return int(found)


def count(rows: Rows, environment_id: str, word: str, cap: int) -> int:
    """Count the connections that have a word with this beginning, up to `cap`."""
    ((found,),) = _COUNT.columns(rows, {"environment": environment_id, **values(word), "size": cap})
    return int(found)


def has_word(connection_id: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has a word with the beginning that `values(word, name)` passes."""
    begins = _TABLE.c.word.between(bindparam(name), bindparam(f"{name}_end"))
    return select(_TABLE.c.word).where(_TABLE.c.connection_id == connection_id, begins).exists()


def values(word: str, name: str = "word") -> dict[str, str]:
    return {name: word, f"{name}_end": word + _LAST}
