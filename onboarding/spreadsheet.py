"""CSV files (RFC 4180) that spreadsheets open safely."""

import csv
from collections.abc import Iterable, Iterator, Sequence

#: Spreadsheets run a cell as a formula if it begins with one of these:
#: https://owasp.org/www-community/attacks/CSV_Injection
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Without it, Excel reads UTF-8 as another encoding.
_BYTE_ORDER_MARK = "\ufeff"


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a file. Every cell is quoted, and none of them is run as a formula."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield _BYTE_ORDER_MARK + writer.writerow(titles)
    for row in rows:
        yield writer.writerow(_safe(cell) for cell in row)


class _Echo:
    """A file whose `write` returns the line, which `csv.writer` passes on."""

    def write(self, line: str) -> str:
        return line


def _safe(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_BEGINS_FORMULA) else cell
