"""/openapi.json and /docs: what programs and the people who write them read. Made from the endpoints themselves."""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, render_template

from onboarding.api import door, problems
from onboarding.services.api_keys import SCOPES

blueprint = Blueprint("documents", __name__)


def _public(view: Callable[[], Any]) -> Callable[[], Any]:
    """Whoever writes a program has no key yet."""
    setattr(view, "is_public", True)  # noqa: B010  # a plain assignment is no attribute that mypy knows
    return view


@blueprint.get("/openapi.json")
@_public
def openapi() -> Response:
    return Response(orjson.dumps(described(), option=orjson.OPT_INDENT_2), mimetype="application/json")


@blueprint.get("/docs")
@_public
def docs() -> str:
    return render_template("docs/api.html", document=described(), codes=problems.TABLE, scopes=SCOPES)


def described() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return _described()


@cache
def _described() -> dict[str, Any]:
    door.document.app = current_app
    found: dict[str, Any] = door.document.spec
    return found
