"""Send rows as a CSV file."""

from collections.abc import Iterable, Sequence

from flask import Response

from onboarding import spreadsheet


def csv_response(name: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Stream a file of this name. Rows are read while they are sent."""
    answer = Response(spreadsheet.csv_lines(titles, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
