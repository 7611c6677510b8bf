"""Read a request's body before the app runs."""

import io
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from werkzeug.wsgi import get_content_length


class RequestBodyReader:
    """WSGI middleware that reads each body of up to `limit` bytes before it calls `app`.

    A client that sends its body slowly then occupies a thread, but no request slot. A longer body is left unread, for
    the app to refuse.
    """

    def __init__(self, app: Any, limit: int) -> None:
        self._app, self._limit = app, limit

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = _read(environ, self._limit)
        response: Iterable[bytes] = self._app(environ, start_response)
        return response


def _read(environ: Any, limit: int) -> Any:
    body, length = environ["wsgi.input"], get_content_length(environ)
    if length is None and environ.get("wsgi.input_terminated"):
        # The length of a chunked body is unknown: read it until it exceeds the limit.
        length = limit + 1
    elif not length or length > limit:
        return body
    # Without this flag Werkzeug compares the body with its length, and refuses one that ended early.
    environ.pop("wsgi.input_terminated", None)
    received, has_length = io.BytesIO(), environ.get("CONTENT_LENGTH")
    with suppress(OSError):
        while length and (part := body.read(length)):
            length -= received.write(part)
    if not has_length:
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(received.tell())
    received.seek(0)
    return received
