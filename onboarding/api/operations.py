"""The operations of the API: each declares its scope, input and output once, also for the OpenAPI document."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper, wraps
from threading import Lock
from typing import TypeVar

import orjson
from flask import Blueprint, Response, current_app, g, request
from pydantic import BaseModel, Field
from spectree import Response as Documented
from spectree import SpecTree

from onboarding.api import authentication, problems, rate_limit
from onboarding.api.field_types import VISIBLE_PATTERN
from onboarding.api.ignored_members import note_ignored
from onboarding.api.problem_models import Problem, ValidationProblem
from onboarding.http.route_access import allow_session_tokens, public, requires_api_key

View = TypeVar("View", bound=Callable[..., Response])

READ, WRITE, LINKS, WEBHOOKS = "connections:read", "connections:write", "links:write", "webhooks:write"

blueprint = Blueprint("api", __name__)
document = SpecTree(
    "flask",
    mode="strict",
    title="Onboarding for Slack",
    version="1",
    description="Create, retrieve, update, verify and delete channel connections of Slack workspaces.",
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    validation_error_model=ValidationProblem,
    security_schemes=[
        {
            "name": "ApiKey",
            "data": {
                "type": "apiKey",
                "field_in": "header",
                "name": "Authorization",
                "description": "`Authorization: ApiKey <key>`; `Bearer <key>` is accepted, too.",
            },
        },
        {
            "name": "SessionToken",
            "data": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of a connect session or link, for its holder's browser.",
            },
        },
    ],
    security={"ApiKey": []},
)

_rules: set[str] = set()
_to_describe: list[Callable[[], None]] = []
_describing = Lock()

#: The scope that each operation requires, by its id.
SCOPES: dict[str, str] = {}

#: The rules to which pages of other origins may send GET, with a session token.
CROSS_ORIGIN_RULES: set[str] = set()

#: The errors that each operation can return; those with a body can return more.
_ERRORS = (400, 401, 403, 404, 414, 429, 500, 503)
_ERRORS_WITH_BODY = (409, 413, 415)


class WriteHeaders(BaseModel):
    """The headers of a write besides `Authorization`."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=VISIBLE_PATTERN,
        description="A key of your choice, 1 to 255 visible ASCII characters. Within 24 hours, a repeat with the same key returns the "
        "response of the first request and changes nothing.",
    )


@dataclass(frozen=True)
class Operation:
    """The scope, the input and the output of an operation."""

    scope: str
    tag: str
    #: None for a response without a body.
    response: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    #: The status of success. None: 201 for POST, else 204 without a response body, else 200.
    status: int | None = None
    #: The errors that it can return beyond those of each operation.
    errors: tuple[int, ...] = ()
    #: Whether the holder of a session token may call it, too, from pages of the integration's allowed origins.
    is_for_holders: bool = False

    def documented(self, method: str) -> Documented:
        """Return its statuses and their models, in the form that the document needs."""
        success = self.status or (201 if method == "POST" else 200 if self.response else 204)
        errors = {*_ERRORS, *self.errors, *(_ERRORS_WITH_BODY if method in ("POST", "PATCH") else ())}
        return Documented(
            **{f"HTTP_{success}": self.response},
            **{f"HTTP_{status}": Problem for status in sorted(errors)},
        )


def get(rule: str, operation: Operation) -> Callable[[View], View]:
    return _route("GET", rule, operation)


def post(rule: str, operation: Operation) -> Callable[[View], View]:
    return _route("POST", rule, operation)


def patch(rule: str, operation: Operation) -> Callable[[View], View]:
    return _route("PATCH", rule, operation)


def delete(rule: str, operation: Operation) -> Callable[[View], View]:
    return _route("DELETE", rule, operation)


def _route(method: str, rule: str, operation: Operation) -> Callable[[View], View]:
    """Register a view as an operation. Its name is the operation's id, its docstring the document's text."""

    def register(view: View) -> View:
        SCOPES[view.__name__] = operation.scope

        @requires_api_key
        @wraps(view)
        def guarded(**path: str) -> Response:
            if authentication.token_session_id() is None:
                authentication.require_scope(operation.scope)
            if operation.query is None and request.args:
                note_ignored(request.args, BaseModel)
            return view(**path)

        if operation.is_for_holders:
            allow_session_tokens(guarded)
            CROSS_ORIGIN_RULES.add(rule)

        def describe() -> None:
            described = document.validate(
                query=operation.query,
                json=operation.body,
                headers=WriteHeaders if operation.body is not None else None,
                resp=operation.documented(method),
                tags=(operation.tag,),
                security=[{"ApiKey": []}, {"SessionToken": []}] if operation.is_for_holders else None,
                skip_validation=True,
                operation_id=view.__name__,
            )(view)
            update_wrapper(guarded, described)

        _to_describe.append(describe)
        _add_rule(rule, view.__name__, guarded, method)
        return view

    return register


def _add_rule(rule: str, name: str, view: Callable[..., Response], method: str) -> None:
    # Some clients end each address with a slash.
    blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)
    if rule not in _rules:
        blueprint.add_url_rule(rule, "options", options, methods=["OPTIONS"], strict_slashes=False)
    _rules.add(rule)


@public
def options(**_path: str) -> Response:
    """Name the methods of a path. Browsers ask for them, without an API key, before a request from another origin."""
    response = no_content()
    response.headers["Allow"] = current_app.make_default_options_response().headers["Allow"]
    return response


def json_response(members: object, status: int = 200) -> Response:
    return Response(orjson.dumps(members), status, mimetype="application/json")


def no_content() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def describe() -> None:
    """Add each operation to `document` on first use: this takes long, and few processes need it."""
    with _describing:
        while _to_describe:
            _to_describe.pop()()


@blueprint.errorhandler(Exception)
def problem(fault: Exception) -> Response:
    return problems.response_to(fault)


@blueprint.after_request
def _headers(response: Response) -> Response:
    if ignored := g.get("ignored"):
        response.headers["X-Ignored-Fields"] = ", ".join(ignored)
    rate_limit.add_headers(response)
    return response
