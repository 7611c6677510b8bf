"""Write connections as CSV or JSON, piece by piece, without tokens."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from onboarding import documents, spreadsheet
from onboarding.documents import Connection

#: The columns of the CSV file.
COLUMNS = (
    "identifier", "workspace_id", "workspace_name", "subscriber_id", "context_keys", "mode", "integration", "status",
    "status_reason", "checked_at", "scopes", "installed_by", "created_at", "updated_at",
)  # fmt: skip


def csv_lines(connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the lines of a CSV file."""
    return spreadsheet.csv_lines(COLUMNS, map(_cells, connections))


def json_pieces(connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the pieces of a JSON object whose `data` has the API's objects, without `auth`."""
    yield '{"data":['
    separator = "\n"
    for one in connections:
        members = documents.connection(one, with_token=False)
        del members["auth"]
        yield separator + orjson.dumps(members).decode()
        separator = ",\n"
    yield "\n]}\n"


def _cells(one: Connection) -> tuple[str, ...]:
    return (
        one.identifier,
        one.workspace_id,
        one.workspace_name or "",
        one.subscriber_id or "",
        " ".join(one.context_keys),
        one.mode,
        one.integration_identifier,
        one.status,
        one.status_reason or "",
        _time(one.checked_at),
        " ".join(one.scopes),
        one.installed_by or "",
        _time(one.created_at),
        _time(one.updated_at),
    )


def _time(when: datetime | None) -> str:
    return documents.timestamp(when) if when else ""
