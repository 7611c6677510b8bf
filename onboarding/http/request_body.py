"""Read a request's body before the app runs, in a limited number of threads."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wsgi import get_content_length

#: Threads of this process that read a body at a time. The server's read has no timeout, so a client that stops in the
#: middle of its body occupies a thread for as long as it stays connected.
MAX_READING = 16
#: Threads that wait for one of those, and for how long. A body sent at once is read in less than a millisecond.
MAX_WAITING = 16
_MAX_WAIT_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5
_REFUSED = "onboarding.body_refused"

reading = BoundedSemaphore(MAX_READING)
_waiting = BoundedSemaphore(MAX_WAITING)


class TooManyBodies(ServiceUnavailable):
    """Too many clients are sending a body."""

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER_SECONDS)


class RequestBodyReader:
    """WSGI middleware that reads each body of up to its path's limit before it calls `app`.

    A client that sends its body slowly then occupies a thread, but no request slot. A longer body is left unread, for
    the app to refuse. While `MAX_READING` bodies are read, another one is left unread, too, and `was_refused` says so.
    """

    def __init__(self, app: Any, limit_of: Callable[[str], int]) -> None:
        """Wrap the WSGI app `app`. `limit_of` returns the limit for a path, in bytes."""
        self._app, self._limit_of = app, limit_of

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        limit = self._limit_of(environ.get("PATH_INFO", ""))
        if _has_readable_body(environ, limit):
            with _permission_to_read() as may_read:
                if may_read:
                    environ["wsgi.input"] = _read(environ, limit)
                else:
                    _refuse(environ)
        response: Iterable[bytes] = self._app(environ, start_response)
        return response


def register(app: Flask) -> None:
    app.before_request(_check_body)


def was_refused() -> bool:
    """Return whether this request's body was left unread because too many others were being read."""
    return _REFUSED in request.environ


def _check_body() -> None:
    if was_refused():
        raise TooManyBodies


@contextmanager
def _permission_to_read() -> Iterator[bool]:
    may_read = reading.acquire(blocking=False)
    if not may_read and _waiting.acquire(blocking=False):
        try:
            may_read = reading.acquire(timeout=_MAX_WAIT_SECONDS)
        finally:
            _waiting.release()
    try:
        yield may_read
    finally:
        if may_read:
            reading.release()


def _has_readable_body(environ: Any, limit: int) -> bool:
    length = get_content_length(environ)
    if length is None:
        # Granian sets the flag for every request. Over HTTP/1, one with neither header has no body.
        return "HTTP_TRANSFER_ENCODING" in environ and bool(environ.get("wsgi.input_terminated"))
    return 0 < length <= limit


def _refuse(environ: Any) -> None:
    environ[_REFUSED] = True
    environ["wsgi.input"] = io.BytesIO()
    environ["CONTENT_LENGTH"] = "0"
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _read(environ: Any, limit: int) -> Any:
    # The length of a chunked body is unknown: read it until it exceeds the limit.
    body, length = environ["wsgi.input"], get_content_length(environ) or limit + 1
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
