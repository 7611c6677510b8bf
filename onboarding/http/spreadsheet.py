"""Send rows as a CSV file that spreadsheets open safely."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

#: A spreadsheet runs a cell that begins with one of these as a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_response(name: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Stream a file of this name. Rows are read while they are sent."""
    answer = Response(_lines(titles, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def safe_cell(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    # With a byte order mark, spreadsheets read the file as UTF-8.
    yield "\ufeff" + _line(titles)
    for row in rows:
        yield _line([safe_cell(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
