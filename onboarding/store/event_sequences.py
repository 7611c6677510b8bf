"""The number of each connection's newest event."""

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from onboarding.store.database import Base, table_of
from onboarding.store.rows import Rows, dialect_of
from onboarding.store.types import ID


class EventSequence(Base):
    """The number of the newest event of a connection.

    The row stays after the connection is removed. If the identifier is used again, the numbers go on: hosts ignore an
    event with a lower number than their last one.
    """

    __tablename__ = "event_sequences"

    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"), primary_key=True)
    identifier: Mapped[str] = mapped_column(ID, primary_key=True)
    newest: Mapped[int] = mapped_column(Integer)


_SEQUENCES = table_of(EventSequence)


def next_number(rows: Rows, environment_id: str, identifier: str) -> int:
    """Return the number of the connection's next event. Concurrent callers wait for each other until they commit."""
    inserting = sqlite_insert if dialect_of(rows) == "sqlite" else postgresql_insert
    values = {"environment_id": environment_id, "identifier": identifier, "newest": 1}
    keys = [_SEQUENCES.c.environment_id, _SEQUENCES.c.identifier]
    counted = inserting(_SEQUENCES).values(values)
    counted = counted.on_conflict_do_update(index_elements=keys, set_={"newest": _SEQUENCES.c.newest + 1})
    number: int = rows.execute(counted.returning(_SEQUENCES.c.newest)).scalar_one()
    return number
