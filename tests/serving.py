"""A WSGI app on a loopback socket, served by threads of the tests' process."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ssl import SSLContext
from typing import TYPE_CHECKING

from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator

from tests.ports import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@contextmanager
def served(app: "WSGIApplication", port: int | None = None, tls: SSLContext | None = None) -> Iterator[str]:
    """Yield the origin at which the app is served, on a free port unless one is given."""
    server = make_server("127.0.0.1", port or free_port(), _read_before_sent(app), threaded=True, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def _read_before_sent(app: "WSGIApplication") -> "WSGIApplication":
    """Read and close each answer before it is sent: Werkzeug leaves it open if the client resets the connection."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as body:
            return list(body)

    return answer
