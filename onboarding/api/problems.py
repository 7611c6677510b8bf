"""Turn each error of an API request into a documented status and body. `TABLE` lists all codes."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from onboarding import clock, documents
from onboarding.api.field_types import printable
from onboarding.errors import Conflict, Problem, Refused, SlackBusy, SlackDown, StorageProblem, VaultProblem
from onboarding.http import request_body
from onboarding.http.api_requests import is_api_request
from onboarding.http.request_id import current_request_id
from onboarding.services.subscribers import SubscriberExists

_LOG = structlog.get_logger(__name__)
#: The most characters of path and query. RFC 9110, section 4.1, recommends to support 8000 at least.
#: A server in front may have a lower limit.
LONGEST_ADDRESS = 8000


@dataclass(frozen=True)
class Row:
    """The status and the texts of an error's code."""

    status: int
    #: When the error is returned, for the reference.
    when: str
    #: The message of an error that has none of its own.
    message: str = ""


TABLE = {
    "body_not_json": Row(
        400, "The body is not JSON. The message names the position of the fault, or the member that occurs twice."
    ),
    "body_not_object": Row(400, "The body is JSON, but not an object."),
    "context_required": Row(400, "`connectionMode` is `shared` and there is no `context`."),
    "subscriber_required": Row(400, "`connectionMode` is `subscriber` and there is no `subscriberId`."),
    "owner_required": Row(400, "There is neither `subscriberId` nor `context`."),
    "cursors_conflict": Row(400, "There are both `before` and `after`."),
    "cursor_unknown": Row(400, "The cursor is invalid, or belongs to another environment, list or order."),
    "idempotency_key_invalid": Row(400, "`Idempotency-Key` is empty, too long or has invisible characters."),
    "bad_request": Row(400, "The request cannot be read, or a value cannot be stored.", "The request cannot be read"),
    "key_missing": Row(401, "There is no `Authorization` header."),
    "key_scheme": Row(401, "`Authorization` is neither `ApiKey …` nor `Bearer …`."),
    "key_unknown": Row(401, "The key is unknown, revoked or expired."),
    "session_token_unknown": Row(401, "The session token was changed, or signed with a key that is not used any more."),
    "scope_missing": Row(403, "The key lacks the scope that the message names."),
    "origin_not_allowed": Row(403, "The page is on an origin that the session's integration does not allow."),
    "connection_not_found": Row(404, "There is no such channel connection in the key's environment."),
    "integration_not_found": Row(404, "There is no such integration."),
    "subscriber_not_found": Row(404, "There is no such subscriber."),
    "context_not_found": Row(404, "There is no such context."),
    "session_not_found": Row(404, "There is no such connect session, or the token belongs to another one."),
    "endpoint_not_found": Row(404, "There is no such channel endpoint."),
    "webhook_endpoint_not_found": Row(404, "There is no such webhook endpoint."),
    "webhook_delivery_not_found": Row(404, "There is no such webhook delivery, or it was deleted after 30 days."),
    "not_found": Row(404, "The API has no such address.", "Nothing is served at this address"),
    "method_not_allowed": Row(
        405, "The address does not support this method. `Allow` names the supported ones.", "Method not allowed"
    ),
    "connection_exists": Row(
        409,
        "The identity (integration, subscriber, exact set of contexts) has a connection: `connectionIdentifier` names it.",
    ),
    "identifier_taken": Row(409, "Another connection has this identifier."),
    "workspace_taken": Row(
        409,
        "The workspace is connected for another customer, and the integration has the workspace policy `refuse`. A customer is a "
        "subscriber, in any context; without a subscriber, an exact set of contexts.",
    ),
    "context_exists": Row(409, "The context already exists."),
    "context_in_use": Row(409, "Connections refer to the context. The message says how many."),
    "subscriber_exists": Row(
        409, "The subscriber already exists and `failIfExists` is true. The body also has the subscriber's members."
    ),
    "subscriber_in_use": Row(409, "Connections belong to the subscriber. The message says how many."),
    "endpoint_exists": Row(409, "Another channel endpoint has this identifier."),
    "endpoint_paused": Row(409, "The webhook endpoint is paused. Resume it first."),
    "too_many_endpoints": Row(409, "The environment has 20 webhook endpoints."),
    "idempotency_in_progress": Row(409, "The first request with this key is still running."),
    "conflict": Row(409, "Another request changed the same object at the same time."),
    "body_too_large": Row(413, "The body has more than 100 kB.", "The body has more than 100 kB"),
    "address_too_long": Row(
        414,
        f"The address has more than {LONGEST_ADDRESS} characters.",
        f"The address has more than {LONGEST_ADDRESS} characters",
    ),
    "media_type_unsupported": Row(
        415,
        "`Content-Type` is not `application/json` in UTF-8.",
        "The body must be application/json in UTF-8",
    ),
    "host_not_served": Row(
        421,
        "In practice mode, requests must use a host name of this computer.",
        "In practice mode, requests must use a host name of this computer",
    ),
    "validation_failed": Row(422, "One or more values are invalid. `errors` lists each of them.", "Validation Error"),
    "idempotency_key_reused": Row(422, "The key was used at this address for a request with another body or query."),
    "rate_limited": Row(
        429, "The key or session token has made too many requests in a second. `Retry-After` says when to continue."
    ),
    "internal": Row(
        500, "An error on the server. Its log has the details under `errorId`.", "Something went wrong on our side"
    ),
    "slack_unreachable": Row(502, "Slack did not answer, so the result is unknown. Nothing was changed."),
    "storage_unavailable": Row(
        503,
        "The database is locked or unreachable. Nothing was changed, unless the connection to it broke while a change was being "
        "committed: repeat the request with the same `Idempotency-Key`.",
        StorageProblem.default.rstrip("."),
    ),
    "sealed_value_unreadable": Row(
        503,
        "A stored secret that the request needs is damaged, or `ENCRYPTION_KEYS` lacks its key: the client secret for a "
        "refresh, or the response to repeat for an `Idempotency-Key`. Nothing was changed.",
    ),
    "server_busy": Row(
        503,
        "The server is reading too many request bodies. Nothing was changed. `Retry-After` says when to try again.",
        "The server is reading as many request bodies as it can. Nothing was changed",
    ),
}

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
    if len(request.path) + len(request.query_string) > LONGEST_ADDRESS:
        return _error("address_too_long")
    if (request.content_length or 0) > (request.max_content_length or 0):
        return response_to(RequestEntityTooLarge())
    fault = request.routing_exception
    return response_to(fault) if fault is not None else None
