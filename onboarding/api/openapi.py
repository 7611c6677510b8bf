"""/openapi.json and /docs, the reference of the API, made from its operations."""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, render_template

from onboarding.api import operations, problems, reference
from onboarding.http.route_access import public
from onboarding.runtime import current
from onboarding.services.api_keys import SCOPES

blueprint = Blueprint("openapi", __name__)


# Public: a developer who reads it may have no key yet.
@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    return Response(text(described()), mimetype="application/json")


@blueprint.get("/docs", strict_slashes=False)
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
    """Return the document as it is served and as docs/openapi.json contains it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def described() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, which is the same in each deployment."""
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
    """Remove what pydantic adds: titles made from names, and null as a default."""
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
