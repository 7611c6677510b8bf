"""The door of the API: each endpoint says its scope, what it reads and what it answers, once; the document is made from that."""

from collections.abc import Callable, Mapping
from functools import update_wrapper, wraps
from threading import Lock
from typing import Any, TypeVar

import orjson
from flask import Blueprint, Response, g, request
from pydantic import BaseModel
from spectree import Response as Documented
from spectree import SpecTree

from onboarding.api import authentication, problems, rate_limit
from onboarding.api.field_types import Problem, RepeatedHeaders, ValidationProblem
from onboarding.api.request_parsing import note_ignored
from onboarding.http.route_access import requires_api_key

View = TypeVar("View", bound=Callable[..., Response])

blueprint = Blueprint("api", __name__)
document = SpecTree(
    "flask",
    mode="strict",
    title="Onboarding for Slack",
    version="1",
    description="Channel connections of Slack workspaces: made, read, changed, verified and ended by programs.",
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
        }
    ],
    security={"ApiKey": []},
)

_to_describe: list[Callable[[], None]] = []
_describing = Lock()

#: Which scope each operation needs, by its id.
SCOPES: dict[str, str] = {}

#: Whatever is asked, the answer can be one of these.
_ALWAYS = (400, 401, 403, 404, 429, 500, 503)
_WITH_BODY = (409, 413, 415)


def get(
    rule: str, scope: str, tag: str, answer: type[BaseModel] | Any, query: type[BaseModel] | None = None
) -> Callable[[View], View]:
    return _endpoint("GET", rule, scope, tag, {200: answer}, None, query)


def post(
    rule: str,
    scope: str,
    tag: str,
    answer: type[BaseModel],
    body: type[BaseModel] | None,
    query: type[BaseModel] | None = None,
    status: int = 201,
    more: tuple[int, ...] = (),
) -> Callable[[View], View]:
    return _endpoint("POST", rule, scope, tag, {status: answer}, body, query, more)


def patch(rule: str, scope: str, tag: str, answer: type[BaseModel], body: type[BaseModel]) -> Callable[[View], View]:
    return _endpoint("PATCH", rule, scope, tag, {200: answer}, body, None)


def delete(
    rule: str,
    scope: str,
    tag: str,
    answer: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    more: tuple[int, ...] = (),
) -> Callable[[View], View]:
    return _endpoint("DELETE", rule, scope, tag, {200 if answer else 204: answer}, None, query, more)


def json_response(members: object, status: int = 200) -> Response:
    return Response(orjson.dumps(members), status, mimetype="application/json")


def no_content() -> Response:
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer


def describe() -> None:
    """Tells `document` of every endpoint, once: that takes longer than all else at the start, and few ever ask."""
    with _describing:
        while _to_describe:
            _to_describe.pop()()


@blueprint.errorhandler(Exception)
def problem(fault: Exception) -> Response:
    return problems.answer_to(fault)


@blueprint.after_request
def _headers(response: Response) -> Response:
    if ignored := g.get("ignored"):
        response.headers["X-Ignored-Fields"] = ", ".join(ignored)
    rate_limit.tell(response)
    return response


def _endpoint(
    method: str,
    rule: str,
    scope: str,
    tag: str,
    answers: Mapping[int, type[BaseModel] | Any | None],
    body: type[BaseModel] | None,
    query: type[BaseModel] | None,
    more: tuple[int, ...] = (),
) -> Callable[[View], View]:
    statuses = {*_ALWAYS, *more, *(_WITH_BODY if method in ("POST", "PATCH") else ())}
    documented = Documented(
        **{f"HTTP_{status}": model for status, model in answers.items()},
        **{f"HTTP_{status}": Problem for status in sorted(statuses)},
    )

    def register(view: View) -> View:
        SCOPES[view.__name__] = scope

        @requires_api_key
        @wraps(view)
        def guarded(**named: str) -> Response:
            authentication.needs(scope)
            if query is None and request.args:
                note_ignored(request.args, BaseModel)
            return view(**named)

        def describe() -> None:
            described = document.validate(
                query=query,
                json=body,
                headers=RepeatedHeaders if body is not None else None,
                resp=documented,
                tags=(tag,),
                skip_validation=True,
                operation_id=view.__name__,
            )(view)
            update_wrapper(guarded, described)

        _to_describe.append(describe)
        blueprint.add_url_rule(
            rule, endpoint=view.__name__, view_func=guarded, methods=[method], provide_automatic_options=False
        )
        return view

    return register
