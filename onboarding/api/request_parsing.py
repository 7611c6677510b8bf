"""Parse request bodies and queries into models, and report all invalid values at once, by field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from onboarding.api.field_types import printable
from onboarding.api.ignored_members import add_ignored, names_of, note_ignored
from onboarding.api.json_body import cut_value, parse
from onboarding.api.problems import ValidationFailed
from onboarding.errors import Refused

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
#: Values below these members are never repeated in an error.
_SECRET = ("auth", "endpoint")
_MESSAGES = {
    "missing": "{field} is required",
    "string_type": "{field} must be a string",
    "string_unicode": "{field} must not contain lone surrogates",
    "bool_type": "{field} must be a boolean",
    "dict_type": "{field} must be an object",
    "model_type": "{field} must be an object",
    "model_attributes_type": "{field} must be an object",
    "list_type": "{field} must be an array",
    "string_too_short": "{field} must have at least {min_length} character(s)",
    "string_too_long": "{field} must have at most {max_length} characters",
    "too_long": "{field} must have at most {max_length} items",
    "enum": "{field} must be one of: {expected}",
    "literal_error": "{field} must be one of: {expected}",
}


def read_body(model: type[M]) -> M:
    """Return the request's JSON body as `model`.

    Raises UnsupportedMediaType, RequestEntityTooLarge, Refused (`body_not_json`, `body_not_object`), ValidationFailed.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    body = parse(request.get_data())
    if not isinstance(body, dict):
        raise Refused("The body must be a JSON object", code="body_not_object")
    note_ignored(body, model)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise ValidationFailed(_errors(error)) from None


def read_body_and_query(body: type[M], query: type[Q]) -> tuple[M, Q]:
    """Return both, or report the invalid values of both at once. Raises what `read_body` and `read_query` raise."""
    try:
        values = read_query(query)
    except ValidationFailed as invalid:
        try:
            read_body(body)
        except ValidationFailed as more:
            raise ValidationFailed({**more.errors, **invalid.errors}) from None
        raise
    return read_body(body), values


def read_query(model: type[M]) -> M:
    """Return the request's query as `model`. Only lists may be repeated; an empty value counts as not given.

    Raises ValidationFailed.
    """
    given, repeated = _query_values(model)
    try:
        read = model.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed({**_errors(error), **repeated}) from None
    if repeated:
        raise ValidationFailed(repeated)
    return read


def _query_values(model: type[BaseModel]) -> tuple[dict[str, object], dict[str, Mapping[str, object]]]:
    """Return the parameters that the model knows, and an error for each one that is repeated but not a list."""
    names, lists = names_of(model)
    given: dict[str, object] = {}
    repeated: dict[str, Mapping[str, object]] = {}
    for name, values in request.args.lists():
        if name in lists:
            given[name] = values
        elif name in names and len(values) > 1:
            repeated[name] = {"messages": [f"{name} must be given once"]}
        elif name in names and values[0] != "":
            given[name] = values[0]
    add_ignored([name for name in request.args if name not in names])
    return given, repeated


def _errors(error: ValidationError) -> dict[str, Mapping[str, object]]:
    found: dict[str, dict[str, Any]] = {}
    for one in error.errors(include_url=False):
        field = ".".join(printable(str(part)) for part in one["loc"])
        entry = found.setdefault(field, {"messages": []})
        entry["messages"].append(_message(field, one))
        if one["type"] != "missing" and not field.startswith(_SECRET):
            entry["value"] = cut_value(one["input"])
    return dict(found)


def _message(field: str, one: Any) -> str:
    # pydantic reports the length of a text as that of "items" where another check comes first.
    kind = f"string_{one['type']}" if isinstance(one["input"], str) else one["type"]
    message = _MESSAGES.get(kind) or _MESSAGES.get(one["type"])
    if message is None:
        return printable(one["msg"].removeprefix("Value error, ").replace("{field}", field))
    values = {name: value for name, value in one.get("ctx", {}).items() if name != "error"}
    if "expected" in values:
        values["expected"] = values["expected"].replace("'", "").replace(" or ", ", ")
    return message.format(field=field, **values)
