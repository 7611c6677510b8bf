"""Writes that may be repeated: with an `Idempotency-Key` the same request gets the same answer (contract.md A1)."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from flask import Response, request
from werkzeug.exceptions import HTTPException

from onboarding.api import authentication, operations, problems, wire
from onboarding.api.problems import ValidationFailed
from onboarding.errors import NotFound, Problem, Refused
from onboarding.runtime import current
from onboarding.services.idempotency import Claim, StoredResponse

R = TypeVar("R")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}\Z")
#: In what is kept of a token. It is never told.
_DIGEST = "digest"
#: Answers that say nothing about the request itself: a repeat is a new try.
_NOT_KEPT = (401, 403, 429)

BeforeCommit = Callable[[Any, Any], None]


def respond_once(
    act: Callable[[BeforeCommit], R],
    show: Callable[[R], dict[str, Any]],
    status: Callable[[R], int] | int = 201,
    connection_of: Callable[[R], str | None] = lambda _made: None,
) -> Response:
    """Runs `act` and shows what it made. `act` gets what it calls in its transaction, if it has one of its own.

    `connection_of` names the connection whose token `show` tells: the token is left out of what is kept.
    """
    code = status if callable(status) else lambda _made: status
    key = _key()
    if key is None:
        made = act(_nothing)
        return operations.json_response(show(made), code(made))
    holder, idempotency = authentication.holder(), current().idempotency
    begun = idempotency.begin(holder.environment_id, key, request.method, request.path, _compared())
    if isinstance(begun, StoredResponse):
        return _replayed(begun, key)

    kept = False

    def keep(session: Any, made: R) -> None:
        nonlocal kept
        kept = True
        idempotency.keep_in(session, begun, code(made), _text(show(made)), connection_of(made))

    try:
        made = act(keep)
        if not kept:
            idempotency.keep(begun, code(made), _text(show(made)), connection_of(made))
    except (Problem, ValidationFailed, HTTPException) as problem:
        return _refused(begun, problem, key)
    except BaseException:
        idempotency.release(begun)
        raise
    return _named(operations.json_response(show(made), code(made)), key)


def _key() -> str | None:
    """Raises Refused (`idempotency_key_invalid`)."""
    given = request.headers.get("Idempotency-Key")
    if given is not None and not _VISIBLE.match(given):
        sentence = "Idempotency-Key must have 1 to 255 visible ASCII characters"
        raise Refused(sentence, code="idempotency_key_invalid")
    return given


def _compared() -> bytes:
    """What may not differ in a repeat: the body's bytes as they came, as far as they are text, and the query."""
    query = b"?" + request.query_string if request.query_string else b""
    return (request.get_data() + query).decode("utf-8", "backslashreplace").encode()


def _refused(claim: Claim, problem: Exception, key: str) -> Response:
    told = problems.answer_to(problem)
    idempotency = current().idempotency
    in_progress = getattr(problem, "code", "") == "idempotency_in_progress"
    if told.status_code >= 500 or told.status_code in _NOT_KEPT or in_progress:
        idempotency.release(claim)
    else:
        idempotency.keep(claim, told.status_code, told.get_data(as_text=True))
    return _named(told, key)


def _replayed(kept: StoredResponse, key: str) -> Response:
    told = orjson.loads(kept.body)
    if isinstance(told.get("auth"), dict):
        _put_token(told, kept.connection_id)
    if "url" in told.get("endpoint", ()) and authentication.may_see_secrets():
        told["endpoint"]["url"] = _webhook(told)
    answer = _named(operations.json_response(told, kept.status), key)
    answer.headers["Idempotency-Replay"] = "true"
    return answer


def _put_token(told: dict[str, Any], connection_id: str | None) -> None:
    """The token that was told, or what came of it since; none where the connection is gone or the key may not see it.

    One that took its place belongs to another workspace, as like as not, than the one that the old answer names.
    """
    who, auth = authentication.holder(), told["auth"]
    digest = auth.pop(_DIGEST, None)
    now = current().connections.token(who.environment_id, connection_id) if connection_id else None
    if now is None:
        auth["hasAccessToken"] = False
    elif authentication.may_see_secrets() and (
        wire.moment(now.since) == told["updatedAt"] or _digest(now.access_token) == digest
    ):
        current().credential_audit.note(who.environment_id, who.actor, told["identifier"])
        auth["accessToken"] = now.access_token
        auth.pop("hasAccessToken", None)


def _webhook(told: dict[str, Any]) -> str:
    """The address that the endpoint has; none where it is gone or another one, or has been changed since."""
    who = authentication.holder()
    try:
        found = current().channel_endpoints.retrieve(who.environment_id, told["identifier"])
    except NotFound:
        return ""
    if (wire.moment(found.created_at), wire.moment(found.updated_at)) != (told["createdAt"], told["updatedAt"]):
        return ""
    current().credential_audit.note(who.environment_id, who.actor, told["identifier"])
    return str(found.endpoint.get("url", ""))


def _text(members: dict[str, Any]) -> str:
    """What is kept: with a digest instead of the token, and without a webhook's address, which is as good as one."""
    if "url" in members.get("endpoint", ()):
        members = {**members, "endpoint": {**members["endpoint"], "url": ""}}
    if isinstance(members.get("auth"), dict):
        token = members["auth"]["accessToken"]
        kept = {"accessToken": "", "hasAccessToken": True, **({_DIGEST: _digest(token)} if token else {})}
        members = {**members, "auth": {**members["auth"], **kept}}
    return orjson.dumps(members).decode()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _named(response: Response, key: str) -> Response:
    response.headers["Idempotency-Key"] = key
    return response


def _nothing(_session: Any, _made: Any) -> None:
    """Without a key nothing is kept."""
