"""Every problem to one documented body and status (contract.md A1, *Errors*).

The table says each `code` once, with its status and when it comes. What is not in it cannot be answered.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from onboarding import clock, documents
from onboarding.api import wire
from onboarding.errors import Conflict, Problem, Refused, SlackBusy, SlackDown, StorageProblem
from onboarding.http.api_requests import is_api_request
from onboarding.http.request_id import current_request_id
from onboarding.services.subscribers import SubscriberExists

_LOG = structlog.get_logger(__name__)
#: Longer addresses no client sends; the server in front may have a limit of its own.
LONGEST_ADDRESS = 8000


@dataclass(frozen=True)
class Row:
    status: int
    when: str


TABLE = {
    "body_not_json": Row(400, "The body is not JSON: the message says where."),
    "body_not_object": Row(400, "The body is JSON, but no object."),
    "context_required": Row(400, "`connectionMode` is `shared` and there is no `context`."),
    "subscriber_required": Row(400, "`connectionMode` is `subscriber` and there is no `subscriberId`."),
    "owner_required": Row(400, "Neither `subscriberId` nor `context` is there."),
    "cursors_conflict": Row(400, "Both `before` and `after` are there."),
    "cursor_unknown": Row(400, "The cursor is not ours, or of another environment, list or order."),
    "idempotency_key_invalid": Row(400, "`Idempotency-Key` is empty, too long or has invisible characters."),
    "bad_request": Row(400, "The request cannot be read, or a value cannot be kept as it is."),
    "key_missing": Row(401, "There is no `Authorization` header."),
    "key_scheme": Row(401, "`Authorization` is neither `ApiKey …` nor `Bearer …`."),
    "key_unknown": Row(401, "The key is unknown, revoked or past its time."),
    "scope_missing": Row(403, "The key lacks the scope that the message names."),
    "connection_not_found": Row(404, "There is no such channel connection in the key's environment."),
    "integration_not_found": Row(404, "There is no such integration."),
    "subscriber_not_found": Row(404, "There is no such subscriber."),
    "context_not_found": Row(404, "There is no such context."),
    "endpoint_not_found": Row(404, "There is no such channel endpoint."),
    "not_found": Row(404, "Nothing is served at this address."),
    "method_not_allowed": Row(405, "The address does not know this method; `Allow` names those that it knows."),
    "connection_exists": Row(
        409,
        "The identity (integration, subscriber, exact set of contexts) has a connection: `connectionIdentifier` names it.",
    ),
    "identifier_taken": Row(409, "Another connection has this identifier."),
    "context_exists": Row(409, "There is such a context already."),
    "context_in_use": Row(409, "Connections refer to the context: the message counts them."),
    "subscriber_exists": Row(
        409, "There is such a subscriber, and `failIfExists` is true; its members stand beside the others."
    ),
    "subscriber_in_use": Row(409, "Connections belong to the subscriber: the message counts them."),
    "endpoint_exists": Row(409, "Another channel endpoint has this identifier."),
    "idempotency_in_progress": Row(409, "The first request with this key is still running."),
    "conflict": Row(409, "Somebody else changed the same thing at the same moment."),
    "body_too_large": Row(413, "The body has more than 100 kB."),
    "address_too_long": Row(414, f"The address has more than {LONGEST_ADDRESS} characters."),
    "media_type_unsupported": Row(415, "`Content-Type` is not `application/json` in UTF-8."),
    "host_not_served": Row(421, "In practice mode only this computer's own names are answered."),
    "validation_failed": Row(422, "One or more values do not do: `errors` names every one of them."),
    "idempotency_key_reused": Row(422, "The key was used at this address for a request with another body or query."),
    "rate_limited": Row(429, "More requests than this key may make in a second; `Retry-After` says when to go on."),
    "internal": Row(500, "Our fault. It is in the log under `errorId`."),
    "slack_unreachable": Row(502, "Slack did not answer, so we do not know. Nothing was changed."),
    "storage_unavailable": Row(503, "The database is locked or gone. Nothing was changed."),
}

_HTTP = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 414: "address_too_long"}
_HTTP |= {415: "media_type_unsupported", 421: "host_not_served", 503: "storage_unavailable"}
_WORDS = {
    "not_found": "Nothing is served at this address",
    "method_not_allowed": "This address does not know the method",
    "body_too_large": "The body has more than 100 kB",
    "address_too_long": f"The address has more than {LONGEST_ADDRESS} characters",
    "media_type_unsupported": "The body must be application/json in UTF-8",
    "host_not_served": "In practice mode only this computer's own names are answered",
    "storage_unavailable": f"{StorageProblem.default} Nothing was changed",
    "bad_request": "The request cannot be read",
    "internal": "Something went wrong on our side",
}
#: Answers of 422 carry the field that they speak of: the official clients demand it.
_FIELDS = {"idempotency_key_reused": "idempotency-key"}


class ValidationFailed(Exception):
    """`errors`: field path to messages and, where it may be told, the value."""

    def __init__(self, errors: Mapping[str, Mapping[str, object]]) -> None:
        super().__init__("validation failed")
        self.errors = errors


def register(app: Flask) -> None:
    app.before_request(_unrouted)


def answer_to(problem: Exception) -> Response:
    """The documented answer to anything that was raised while answering a program."""
    if isinstance(problem, ValidationFailed):
        return body(422, "validation_failed", "Validation Error", {"errors": dict(problem.errors)})
    if isinstance(problem, SubscriberExists):
        return body(409, problem.code, problem.sentence, beside=documents.subscriber(problem.existing))
    if isinstance(problem, SlackBusy | SlackDown):
        answer = body(502, "slack_unreachable", problem.sentence)
        if isinstance(problem, SlackBusy):
            answer.headers["Retry-After"] = str(problem.retry_after)
        return answer
    if isinstance(problem, StorageProblem):
        return _unavailable(problem)
    if isinstance(problem, Problem) and problem.code in TABLE:
        return _ours(problem)
    if isinstance(problem, Refused):
        return body(400, "bad_request", problem.sentence)
    if isinstance(problem, HTTPException) and (problem.code or 500) < 500:
        return _http(problem)
    if isinstance(problem, HTTPException) and problem.code == 503:
        return body(503, "storage_unavailable", problem.description or _WORDS["storage_unavailable"])
    return _internal(problem)


def body(
    status: int,
    code: str,
    message: str,
    more: Mapping[str, object] | None = None,
    beside: Mapping[str, object] | None = None,
) -> Response:
    """One error in the one shape. `beside`: members of something else that the shape does not know."""
    told: dict[str, object] = {
        **(beside or {}),
        "statusCode": status,
        "timestamp": documents.timestamp(clock.now()),
        "path": wire.printable(request.path),
        "message": wire.printable(message),
        "error": HTTPStatus(status).phrase,
        "code": code,
        "requestId": current_request_id(),
        **(more or {}),
    }
    return Response(orjson.dumps(told), status, mimetype="application/json")


def _ours(problem: Problem) -> Response:
    status = TABLE[problem.code].status
    field = _FIELDS.get(problem.code)
    more: dict[str, object] = {"errors": {field: {"messages": [problem.sentence]}}} if field else {}
    if isinstance(problem, Conflict) and problem.identifier:
        more["connectionIdentifier"] = problem.identifier
    answer = body(status, problem.code, problem.sentence, more)
    if problem.code in ("idempotency_in_progress", "rate_limited"):
        answer.headers["Retry-After"] = "1"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "ApiKey"
    return answer


def _http(problem: HTTPException) -> Response:
    status = 400 if problem.code not in _HTTP else problem.code
    code = _HTTP.get(status, "bad_request")
    answer = body(status, code, _WORDS[code])
    for name, value in problem.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _unavailable(problem: StorageProblem) -> Response:
    _LOG.error("api.database_gone", path=request.path, problem=problem.sentence)
    answer = body(503, "storage_unavailable", _WORDS["storage_unavailable"])
    answer.headers["Retry-After"] = "1"
    return answer


def _internal(problem: Exception) -> Response:
    error_id = f"err_{secrets.token_hex(8)}"
    cause = getattr(problem, "original_exception", None) or problem
    # The kind and the path are enough to find it; a message may quote what programs sent.
    _LOG.error("api.failed", error_id=error_id, path=request.path, kind=type(cause).__name__)
    return body(500, "internal", _WORDS["internal"], {"errorId": error_id})


def _unrouted() -> Response | None:
    """Answer an unknown address or method of the API, and an oversized request, with a documented error."""
    if not is_api_request():
        return None
    if len(request.path) + len(request.query_string) > LONGEST_ADDRESS:
        return body(414, "address_too_long", _WORDS["address_too_long"])
    if (request.content_length or 0) > (request.max_content_length or 0):
        return answer_to(RequestEntityTooLarge())
    fault = request.routing_exception
    return answer_to(fault) if fault is not None else None
