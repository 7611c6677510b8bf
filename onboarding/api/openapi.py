"""/openapi.json and /docs: what programs and the people who write them read. Made from the endpoints themselves."""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, render_template

from onboarding.api import operations, problems, reference
from onboarding.http.route_access import public
from onboarding.runtime import current
from onboarding.services.api_keys import SCOPES

blueprint = Blueprint("openapi", __name__)


# Public: whoever writes a program has no key yet.
@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    return Response(text(described()), mimetype="application/json")


@blueprint.get("/docs")
@public
def docs() -> str:
    return render_template(
        "docs/api.html",
        families=reference.families(described()),
        codes=problems.TABLE,
        scopes=SCOPES,
        origin=current().settings.origin,
        limit=current().settings.api_rate_limit,
    )


def text(document: dict[str, Any]) -> str:
    """As it is served, and as the copy in docs/ holds it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def described() -> dict[str, Any]:
    """The OpenAPI 3.1 document. Every deployment's is the same."""
    return _described()


@cache
def _described() -> dict[str, Any]:
    operations.describe()
    operations.document.app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy would outlive its request
    found: dict[str, Any] = operations.document.spec
    for path_operations in found["paths"].values():
        for operation in path_operations.values():
            operation["x-scope"] = operations.SCOPES[operation["operationId"]]
    cleaned = _clean(found)
    cleaned["paths"] = dict(sorted(cleaned["paths"].items()))
    cleaned["components"]["schemas"] = dict(sorted(cleaned["components"]["schemas"].items()))
    document: dict[str, Any] = cleaned
    return document


def _clean(part: Any) -> Any:
    """Without what the models' library makes up: titles from names, and null as a default."""
    if isinstance(part, list):
        return [_clean(one) for one in part]
    if not isinstance(part, dict):
        return part
    is_schema = "type" in part or "anyOf" in part or "$ref" in part or "enum" in part
    return {
        name: _clean(value)
        for name, value in part.items()
        if not (is_schema and name == "title" and isinstance(value, str)) and not (name == "default" and value is None)
    }
