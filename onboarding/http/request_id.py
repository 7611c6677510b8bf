"""Give each request an id, which its log lines, its response and the API's errors carry."""

import re
import secrets

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")


def register(app: Flask) -> None:
    app.before_request(_assign)
    app.after_request(_send)


def current_request_id() -> str:
    """Return the id of the current request: the caller's `X-Request-Id` if it is well-formed, otherwise a new one."""
    found: str | None = g.get("request_id")
    if found is None:
        given = request.headers.get(HEADER, "")
        found = g.request_id = given if _WELL_FORMED.match(given) else f"req_{secrets.token_hex(12)}"
    return found


def _assign() -> None:
    # The thread may still hold the values of the request that it served before.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=current_request_id())


def _send(response: Response) -> Response:
    response.headers.add(HEADER, current_request_id())
    return response
