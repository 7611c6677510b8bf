"""The words by which a connection is found: of its workspace, subscriber, identifier and context keys."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from onboarding import search_words
from onboarding.store.compiled import CompiledQuery
from onboarding.store.database import Base, table_of
from onboarding.store.inserts import CompiledInsert
from onboarding.store.rows import Rows, exists_per_row
from onboarding.store.types import ID

#: Sorts after every word that begins with the same text.
_LAST = "\U0010ffff"


class WordRange(NamedTuple):
    """The first and the last word to find, in their order."""

    first: str
    last: str

    @classmethod
    def beginning(cls, text: str) -> "WordRange":
        """Return the range of the words that begin with a text."""
        return cls(text, text + _LAST)


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
    """Select the connections of `environment` that have a word in the range that `values(words, name)` passes.

    A connection is selected once for each such word.
    """
    begins = _TABLE.c.word.between(bindparam(name), bindparam(f"{name}_end"))
    return select(_TABLE.c.connection_id).where(_TABLE.c.environment_id == bindparam("environment"), begins)


_WORDS = with_word("word").limit(bindparam("size")).subquery()
_COUNT_WORDS = CompiledQuery(select(func.count()).select_from(_WORDS))
_CONNECTIONS = select(_WORDS.c.connection_id).distinct().limit(bindparam("cap")).subquery()
_COUNT = CompiledQuery(select(func.count()).select_from(_CONNECTIONS))
#: An estimate: at most so many words of a connection begin with the same text. DISTINCT alone would read all words.
_MAX_WORDS = 10


def rows_of(environment_id: str, connection_id: str, texts: Sequence[str | None]) -> list[dict[str, str]]:
    """Return the rows that `INSERT` adds for a connection with these texts."""
    key = {"connection_id": connection_id, "environment_id": environment_id}
    return [{**key, "word": word} for word in search_words.split(*texts)]


def remove(rows: Rows, connection_ids: Sequence[str]) -> None:
    rows.execute(delete(_TABLE).where(_TABLE.c.connection_id.in_(connection_ids)))


def count_words(rows: Rows, environment_id: str, words: WordRange, cap: int) -> int:
    """Count the words in the range, up to `cap`. A connection may have several."""
    ((found,),) = _COUNT_WORDS.columns(rows, {"environment": environment_id, **values(words), "size": cap})
    return int(found)


def count(rows: Rows, environment_id: str, words: WordRange, cap: int) -> int:
    """Count the connections that have a word in the range, up to `cap`."""
    asked = {"environment": environment_id, **values(words), "cap": cap, "size": cap * _MAX_WORDS}
    ((found,),) = _COUNT.columns(rows, asked)
    return int(found)


def has_word(connection_id: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that a connection has a word in the range that `values(words, name)` passes."""
    begins = _TABLE.c.word.between(bindparam(name), bindparam(f"{name}_end"))
    return exists_per_row(select(_TABLE.c.word).where(_TABLE.c.connection_id == connection_id, begins))


def values(words: WordRange, name: str = "word") -> dict[str, str]:
    """Return the values of a query's parameters."""
    return {name: words.first, f"{name}_end": words.last}
