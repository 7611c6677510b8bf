"""Write connections as CSV or JSON, piece by piece, without tokens."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from onboarding import documents
from onboarding.documents import Connection

#: The columns of the CSV file.
COLUMNS = (
    "identifier", "workspace_id", "workspace_name", "subscriber_id", "context_keys", "mode", "integration", "status",
    "status_reason", "checked_at", "scopes", "installed_by", "created_at", "updated_at",
)  # fmt: skip
#: Spreadsheets run a cell as a formula if it begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Without it, Excel reads UTF-8 as another encoding.
_BYTE_ORDER_MARK = "\ufeff"


def csv_lines(connections: Iterable[Connection]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180). Every cell is quoted, and none of them is run as a formula."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield _BYTE_ORDER_MARK + writer.writerow(COLUMNS)
    for one in connections:
        yield writer.writerow(_safe(cell) for cell in _cells(one))


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


class _Echo:
    """A file whose `write` returns the line, which `csv.writer` passes on."""

    def write(self, line: str) -> str:
        return line


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


def _safe(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_BEGINS_FORMULA) else cell
