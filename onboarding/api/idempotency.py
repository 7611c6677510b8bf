"""Repeatable writes: with an `Idempotency-Key`, the same request gets the same response and is performed once.

A stored response contains no secret. The resource removes the secrets before the response is stored. When it is sent
again, the resource adds those that are still current, so it never shows a token that has been replaced or revoked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Generic, TypeVar

import orjson
from flask import Response, request
from werkzeug.exceptions import HTTPException

from onboarding.api import authentication, operations, problems
from onboarding.api.problems import ValidationFailed
from onboarding.before_commit import BeforeCommit, add_nothing
from onboarding.errors import Problem, Refused
from onboarding.runtime import current
from onboarding.services.idempotency import Claim, StoredResponse

Result = TypeVar("Result")
Members = dict[str, Any]

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}\Z")
#: These say nothing about the request itself, so a repeat is performed again. So is one after a 5xx.
_NOT_STORED = (401, 403, 429)


def _unchanged(members: Members) -> Members:
    return members


def _as_stored(members: Members, _connection_id: str | None) -> Members:
    return members


def _no_connection(_result: Any) -> str | None:
    return None


@dataclass(frozen=True)
class Representation(Generic[Result]):
    """The JSON object of what a write returns, and how its stored copy loses and regains secrets."""

    show: Callable[[Result], Members]
    #: Removes the secrets, before the response is stored.
    redact: Callable[[Members], Members] = _unchanged
    #: Puts current secrets into a stored response that is sent again. Gets the connection's id, if there is one.
    restore: Callable[[Members, str | None], Members] = _as_stored
    #: The id of the connection whose token the response contains.
    connection_id: Callable[[Result], str | None] = _no_connection


def once(
    shown: Representation[Result], status: int = 201
) -> Callable[[Callable[..., Result]], Callable[..., Response]]:
    """Make a view of a function that performs a write and returns its result.

    The function gets `before_commit` and the variables of the path, and passes `before_commit` to the service, which
    calls it in its transaction: the response is stored if and only if the write is committed. A write without a
    transaction of its own may ignore it.
    """

    def decorate(write: Callable[..., Result]) -> Callable[..., Response]:
        @wraps(write)
        def view(**path: str) -> Response:
            key = _key()
            if key is None:
                return operations.json_response(shown.show(write(add_nothing, **path)), status)
            begun = current().idempotency.begin(
                authentication.caller().environment.id, key, request.method, request.path, _fingerprinted()
            )
            if isinstance(begun, StoredResponse):
                response = _repeated(begun, shown)
            else:
                response = _first(_Storage(begun, shown, status), partial(write, **path))
            response.headers["Idempotency-Key"] = key
            return response

        return view

    return decorate


class _Storage(Generic[Result]):
    """Stores the response of the first request with a key, at most once."""

    def __init__(self, claim: Claim, shown: Representation[Result], status: int) -> None:
        self.claim, self._shown, self._status = claim, shown, status
        self._is_stored = False

    def before_commit(self, rows: Any, result: Result) -> None:
        current().idempotency.store_in(rows, self.claim, self._redacted(result))
        self._is_stored = True

    def respond(self, result: Result) -> Response:
        """Return the response; store it if the write had no transaction to store it in."""
        if not self._is_stored:
            current().idempotency.store(self.claim, self._redacted(result))
        return operations.json_response(self._shown.show(result), self._status)

    def _redacted(self, result: Result) -> StoredResponse:
        members = self._shown.redact(self._shown.show(result))
        return StoredResponse(self._status, orjson.dumps(members).decode(), self._shown.connection_id(result))


def _first(storage: _Storage[Result], write: Callable[[BeforeCommit], Result]) -> Response:
    """Perform the write and store its response, or free the key if the request failed on our side."""
    try:
        return storage.respond(write(storage.before_commit))
    except (Problem, ValidationFailed, HTTPException) as problem:
        return _refused(storage.claim, problem)
    # Also for SystemExit and KeyboardInterrupt: a claim that stays refuses repeats for five minutes.
    except BaseException:
        current().idempotency.release(storage.claim)
        raise


def _refused(claim: Claim, problem: Exception) -> Response:
    response, idempotency = problems.response_to(problem), current().idempotency
    in_progress = getattr(problem, "code", "") == "idempotency_in_progress"
    if response.status_code >= 500 or response.status_code in _NOT_STORED or in_progress:
        idempotency.release(claim)
    else:
        idempotency.store(claim, StoredResponse(response.status_code, response.get_data(as_text=True), None))
    return response


def _repeated(stored: StoredResponse, shown: Representation[Any]) -> Response:
    members = orjson.loads(stored.body)
    if stored.status < 400:
        members = shown.restore(members, stored.connection_id)
    response = operations.json_response(members, stored.status)
    response.headers["Idempotency-Replay"] = "true"
    return response


def _key() -> str | None:
    """Return the request's idempotency key. Raises Refused (`idempotency_key_invalid`)."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _VISIBLE.match(key):
        sentence = "Idempotency-Key must have 1 to 255 visible ASCII characters"
        raise Refused(sentence, code="idempotency_key_invalid")
    return key


def _fingerprinted() -> bytes:
    """Return what a repeat must not change: body and query. Bytes that are not UTF-8 are escaped."""
    query = b"?" + request.query_string if request.query_string else b""
    return (request.get_data() + query).decode("utf-8", "backslashreplace").encode()
