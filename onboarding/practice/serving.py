"""A small threaded server on loopback, for tests and for a practice Slack in a separate process."""

import logging
import socket

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"

log = logging.getLogger(__name__)


class _Quiet(WSGIRequestHandler):
    """Log the path only: the query contains states and codes."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - the server's signature
        path = getattr(self, "path", "").partition("?")[0]
        log.info("%s %s %s", self.command, path, getattr(code, "value", code))

    def log(self, type: str, message: str, *args: object) -> None:
        log.log(logging.ERROR if type == "error" else logging.INFO, message, *args)


def make_practice_server(app: Flask, port: int = 0) -> BaseWSGIServer:
    """Return a listening server, for `serve_forever` and `shutdown`. Port 0 picks a free port: `server.port`.

    Raises OSError if the port is in use. (Werkzeug's own binding would print advice and exit.)
    """
    with socket.create_server((HOST, port), backlog=128) as listening:
        return make_server(HOST, port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno())
