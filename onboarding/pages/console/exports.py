"""Download the filtered list of connections."""

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from onboarding import clock
from onboarding.http.console_environment import environment_id
from onboarding.http.downloads import download
from onboarding.http.route_access import allow_viewers
from onboarding.runtime import current
from onboarding.services.connections import export
from onboarding.services.connections.records import ConsoleSearch

blueprint = Blueprint("exports", __name__)
_WRITERS = {"csv": export.csv_lines, "json": export.json_pieces}
_TYPES = {"csv": "text/csv", "json": "application/json"}


@blueprint.get("/exports/connections.<extension>")
@allow_viewers
def connections(extension: str) -> ResponseReturnValue:
    """Stream the connections that match the filters, as a file without tokens."""
    if extension not in _WRITERS:
        abort(404)
    search = ConsoleSearch.from_query(request.args)
    pieces = _WRITERS[extension](current().connections.each(environment_id(), search))
    return download(f"connections-{clock.now():%Y-%m-%d}.{extension}", pieces, _TYPES[extension])
