"""Turn each error of an API request into a documented status and body. `TABLE` lists all codes."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus

import orjson
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from onboarding import clock, documents
from onboarding.api.field_types import printable
from onboarding.api.problem_table import MAX_ADDRESS_LENGTH, TABLE
from onboarding.errors import Conflict, Problem, Refused, SlackBusy, SlackDown, StorageProblem, VaultProblem
from onboarding.http import request_body
from onboarding.http.api_requests import is_api_request
from onboarding.http.request_id import current_request_id
from onboarding.services.subscribers import SubscriberExists

_LOG = structlog.get_logger(__name__)
#: The codes of errors that Flask raises, by status.
_HTTP = {
    TABLE[code].status: code
    for code in (
        "not_found",
        "method_not_allowed",
        "body_too_large",
        "address_too_long",
        "media_type_unsupported",
        "host_not_served",
    )
}
#: The official clients require `errors` in each response with 422. For an error that is not about a member of the body,
#: it names this field.
_FIELDS = {"idempotency_key_reused": "idempotency-key"}


class ValidationFailed(Exception):
    """Report that one or more values of a request are invalid.

    `errors`: the messages for each field's path and, unless it is secret, the value.
    """

    def __init__(self, errors: Mapping[str, Mapping[str, object]]) -> None:
        super().__init__("validation failed")
        self.errors = errors


def register(app: Flask) -> None:
    app.before_request(_refuse_early)


def response_to(problem: Exception) -> Response:
    """Return the documented response to any exception of an API request."""
    if isinstance(problem, ValidationFailed):
        return _error("validation_failed", errors=dict(problem.errors))
    if isinstance(problem, SubscriberExists):
        return _error(problem.code, problem.sentence, **documents.subscriber(problem.existing))
    if isinstance(problem, SlackBusy | SlackDown):
        response = _error("slack_unreachable", problem.sentence)
        if isinstance(problem, SlackBusy):
            response.headers["Retry-After"] = str(problem.retry_after)
        return response
    if isinstance(problem, StorageProblem):
        return _storage(problem)
    if isinstance(problem, VaultProblem):
        _LOG.error("api.secret_unreadable", path=request.path, problem=problem.sentence)
    if isinstance(problem, Problem) and problem.code in TABLE:
        return _ours(problem)
    if isinstance(problem, Refused):
        return _error("bad_request", problem.sentence)
    if isinstance(problem, HTTPException) and (problem.code or 500) < 500:
        return _http(problem)
    if isinstance(problem, HTTPException) and problem.code == 503:
        return _error("storage_unavailable", problem.description or "")
    return _internal(problem)


def _error(code: str, message: str = "", **members: object) -> Response:
    """Return the error `code`. `members`: those that the error has beyond the common ones."""
    row = TABLE[code]
    shown: dict[str, object] = {
        "statusCode": row.status,
        "timestamp": documents.timestamp(clock.now()),
        "path": printable(request.path),
        "message": printable(message or row.message),
        "error": HTTPStatus(row.status).phrase,
        "code": code,
        "requestId": current_request_id(),
        **members,
    }
    return Response(orjson.dumps(shown), row.status, mimetype="application/json")


def _ours(problem: Problem) -> Response:
    """Return the response to an error whose code is in `TABLE`."""
    members: dict[str, object] = {}
    if field := _FIELDS.get(problem.code):
        members["errors"] = {field: {"messages": [problem.sentence]}}
    if isinstance(problem, Conflict) and problem.identifier:
        members["connectionIdentifier"] = problem.identifier
    response = _error(problem.code, problem.sentence, **members)
    if problem.code in ("idempotency_in_progress", "rate_limited"):
        response.headers["Retry-After"] = "1"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "ApiKey"
    return response


def _http(problem: HTTPException) -> Response:
    response = _error(_HTTP.get(problem.code or 400, "bad_request"))
    for name, value in problem.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _storage(problem: StorageProblem) -> Response:
    _LOG.error("api.database_gone", path=request.path, problem=problem.sentence)
    response = _error("storage_unavailable")
    response.headers["Retry-After"] = "1"
    return response


def _internal(problem: Exception) -> Response:
    error_id = f"err_{secrets.token_hex(8)}"
    cause = getattr(problem, "original_exception", None) or problem
    # Only the type and the path: a message may quote what the caller sent.
    _LOG.error("api.failed", error_id=error_id, path=request.path, kind=type(cause).__name__)
    return _error("internal", errorId=error_id)


def _refuse_early() -> Response | None:
    """Answer with a documented error before any view runs.

    It refuses a request whose body was left unread, an address or a body that is too long, and an unknown address or
    method.
    """
    if not is_api_request():
        return None
    if request_body.was_refused():
        response = _error("server_busy")
        response.headers["Retry-After"] = str(request_body.RETRY_AFTER_SECONDS)
        return response
    if len(request.path) + len(request.query_string) > MAX_ADDRESS_LENGTH:
        return _error("address_too_long")
    if (request.content_length or 0) > (request.max_content_length or 0):
        return response_to(RequestEntityTooLarge())
    fault = request.routing_exception
    return response_to(fault) if fault is not None else None
