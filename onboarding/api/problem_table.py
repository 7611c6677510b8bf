"""The API's error codes: status, meaning and default message of each."""

from dataclasses import dataclass

from onboarding.errors import StorageProblem

#: Of path and query, in characters. RFC 9110, section 4.1, recommends supporting at least 8000.
#: A server in front may have a lower limit.
MAX_ADDRESS_LENGTH = 8000


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
        "The workspace is connected for another customer, and the integration has the workspace policy `refuse`. One "
        "subscriber is one customer, in any contexts. Connections without a subscriber belong to one customer if they have the "
        "same contexts.",
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
    "conflict": Row(409, "Another request changed this object, or removed one that it refers to, at the same time."),
    "body_too_large": Row(413, "The body has more than 100 kB.", "The body has more than 100 kB"),
    "address_too_long": Row(
        414,
        f"The address has more than {MAX_ADDRESS_LENGTH} characters.",
        f"The address has more than {MAX_ADDRESS_LENGTH} characters",
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
    "slack_unreachable": Row(
        502, "Slack did not answer, so the server does not know whether the token works. The stored token is unchanged."
    ),
    "storage_unavailable": Row(
        503,
        "The database is locked or unreachable. Nothing was changed, unless the connection to it broke while a change was being "
        "committed: repeat the request with the same `Idempotency-Key`.",
        StorageProblem.default.rstrip("."),
    ),
    "sealed_value_unreadable": Row(
        503,
        "The server cannot decrypt a stored value that the request needs: the client secret for a refresh, or the response "
        "to repeat for an `Idempotency-Key`. The value is damaged, or `ENCRYPTION_KEYS` lacks its key. Nothing was changed.",
    ),
    "server_busy": Row(
        503,
        "The server is reading too many request bodies. Nothing was changed. `Retry-After` says when to try again.",
        "The server is reading as many request bodies as it can. Nothing was changed",
    ),
}
