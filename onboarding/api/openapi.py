"""/openapi.json, generated from the operations, and /docs, the pages that `make openapi` rendered from it."""

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, abort, current_app, render_template

from onboarding import files
from onboarding.api import operations
from onboarding.http.route_access import public
from onboarding.runtime import current

blueprint = Blueprint("openapi", __name__)


# Public: a developer who reads it may have no key yet.
@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    return Response(text(described()), mimetype="application/json")


@blueprint.get("/docs", strict_slashes=False, defaults={"page": "introduction"})
@blueprint.get("/docs/<page>", strict_slashes=False)
@public
def docs(page: str) -> str:
    if page not in _pages():
        abort(404)
    settings = current().settings
    return render_template(f"docs/{page}.html", origin=settings.origin, limit=settings.api_rate_limit)


@cache
def _pages() -> frozenset[str]:
    return frozenset(path.stem for path in (files.templates() / "docs").glob("*.html"))


def text(document: dict[str, Any]) -> str:
    """Return the document as it is served and as docs/openapi.json contains it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


@cache
def described() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, which is the same in each deployment."""
    operations.describe()
    operations.document.app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy would outlive its request
    found: dict[str, Any] = operations.document.spec
    for path_operations in found["paths"].values():
        for operation in path_operations.values():
            operation["x-scope"] = operations.SCOPES[operation["operationId"]]
            _describe_path(operation)
            operation["parameters"] = [_as_sent(one) for one in operation["parameters"]]
    cleaned = _clean(found)
    cleaned["paths"] = dict(sorted(cleaned["paths"].items()))
    cleaned["components"]["schemas"] = dict(sorted(cleaned["components"]["schemas"].items()))
    document: dict[str, Any] = cleaned
    return document


def _describe_path(operation: dict[str, Any]) -> None:
    """Describe a path's variables, for which the view has no model: "The identifier of the channel connection."."""
    one = singular(operation["tags"][0])
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["description"] = f"The {parameter['name'].rpartition('_')[2]} of the {one}."


def singular(tag: str) -> str:
    """Return the name of one object of a resource: "webhook delivery" for "Webhook deliveries"."""
    one = f"{tag.removesuffix('ies')}y" if tag.endswith("ies") else tag.removesuffix("s")
    first, *rest = one.split(" ")
    return " ".join([first.lower(), *rest])


def _as_sent(parameter: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter as it is sent, without null. In a query, an empty value counts as none, except in a list."""
    schema = parameter["schema"]
    real = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(real) == 1:
        schema = {**real[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
    may_be_empty = parameter["in"] == "query" and schema["type"] != "array"
    return {**parameter, "schema": schema, **({"allowEmptyValue": True} if may_be_empty else {})}


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
