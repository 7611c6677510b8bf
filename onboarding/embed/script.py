"""Serve the script of the element <slack-connect> and its types. The address names the interface's version."""

from flask import Blueprint, Response, send_from_directory

from onboarding import files
from onboarding.http import security_headers
from onboarding.http.route_access import public

blueprint = Blueprint("script", __name__, url_prefix="/embed/v1")
security_headers.set_policy(blueprint, security_headers.EMBEDDED_FILE)


@blueprint.get("/connect.js")
@public
def connect() -> Response:
    return _sent("connect.js", "text/javascript")


@blueprint.get("/connect.d.ts")
@public
def types() -> Response:
    return _sent("connect.d.ts", "text/plain")


def _sent(name: str, mimetype: str) -> Response:
    return send_from_directory(files.static() / "embed" / "v1", name, mimetype=mimetype)
