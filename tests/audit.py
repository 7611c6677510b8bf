"""Audit entries for the tests to read."""

from dataclasses import dataclass

from sqlalchemy import text

from onboarding.store.database import Database

_COLUMNS = "id, environment_id, actor, action, subject, subject_name, result, detail"


@dataclass(frozen=True)
class Entry:
    id: str
    environment_id: str | None
    actor: str
    action: str
    subject: str
    subject_name: str | None
    result: str | None
    detail: str


def entries(database: Database) -> list[Entry]:
    """Return all entries in the order of their subjects and actions, because their times can be equal."""
    with database.reading() as session:
        rows = session.execute(text(f"SELECT {_COLUMNS} FROM audit_entries ORDER BY subject, action, id"))  # noqa: S608  # columns of ours
        return [Entry(*row) for row in rows]


def subjects_read(database: Database) -> list[str]:
    """Return the subjects of the reads of credentials, sorted."""
    return sorted(one.subject for one in entries(database) if one.action == "credentials.read")
