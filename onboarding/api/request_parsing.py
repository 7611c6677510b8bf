"""Parse request bodies and queries into models, and report all invalid values at once, by field."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from math import isinf
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import quote

from flask import g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from onboarding.api.field_types import EachLike, printable
from onboarding.api.problems import ValidationFailed
from onboarding.errors import Refused

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
#: The most characters of a value that an error repeats.
_LONGEST_VALUE = 100
#: Limits of `X-Ignored-Fields`, because a proxy in front may refuse longer headers.
_MOST_IGNORED, _LONGEST_NAME = 20, 100
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?\Z")
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


class _Invalid(ValueError):
    """Text that Python's JSON parser accepts and the API refuses."""


def read_body(model: type[M]) -> M:
    """Return the request's JSON body as `model`.

    Raises UnsupportedMediaType, RequestEntityTooLarge, Refused (`body_not_json`, `body_not_object`), ValidationFailed.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    body = _parsed(request.get_data())
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
    names, lists = _names(model)
    given: dict[str, object] = {}
    repeated: dict[str, Mapping[str, object]] = {}
    for name, values in request.args.lists():
        if name in lists:
            given[name] = values
        elif name in names and len(values) > 1:
            repeated[name] = {"messages": [f"{name} must be given once"]}
        elif name in names and values[0] != "":
            given[name] = values[0]
    _add_ignored([name for name in request.args if name not in names])
    return given, repeated


def note_ignored(members: Mapping[str, object], model: type[BaseModel], within: str = "") -> None:
    """Remember the members that the model does not know, for the header `X-Ignored-Fields`."""
    _add_ignored(_ignored(members, model, within))


@cache
def _names(model: type[BaseModel]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the model's parameters, and those of them that are lists."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    return frozenset(names), frozenset(name for name, field in names.items() if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:
    """Return whether the annotation is a tuple or a union with one."""
    return get_origin(annotation) is tuple or any(_is_list(part) for part in get_args(annotation))


def _parsed(body: bytes) -> object:
    """Parse JSON strictly. Raises Refused (`body_not_json`), which names the member, the value or the parser's position."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as fault:
        sentence = f"The body is not UTF-8: byte {fault.start}"
    except json.JSONDecodeError as fault:
        sentence = f"The body is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}"
        sentence = sentence if body.strip() else "The body is empty: JSON is expected"
    except _Invalid as fault:
        sentence = f"The body is not JSON: {fault}"
    except ValueError:
        sentence = "The body is not JSON: it has a number with too many digits"
    except RecursionError:
        sentence = "The body is not JSON: it is nested too deeply"
    raise Refused(sentence, code="body_not_json")


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    # JSON does not say which of two equal names counts (RFC 8259, section 4).
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated, _count = Counter(name for name, _value in pairs).most_common(1)[0]
        raise _Invalid(f"the member {_cut(repeated)!r} is repeated")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _Invalid(f"the number {text[:20]} is too large")
    return number


def _no_constant(name: str) -> object:
    # Python's parser accepts NaN and Infinity. JSON has neither (RFC 8259, section 6).
    raise _Invalid(f"{name} is not a JSON value")


def _errors(error: ValidationError) -> dict[str, Mapping[str, object]]:
    found: dict[str, dict[str, Any]] = {}
    for one in error.errors(include_url=False):
        field = ".".join(printable(str(part)) for part in one["loc"])
        entry = found.setdefault(field, {"messages": []})
        entry["messages"].append(_message(field, one))
        if one["type"] != "missing" and not field.startswith(_SECRET):
            entry["value"] = _cut(one["input"])
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


def _cut(value: object) -> object:
    """Return a value of the request short enough to be repeated in an error."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        # Larger ones become text: not every JSON parser keeps them exact (RFC 8259, section 6).
        return value if abs(value) < 2**53 else str(value)[:_LONGEST_VALUE]
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except RecursionError:
        # The value is nested almost as deeply as the parser allows, and this call is deeper in the stack than the parser.
        text = "…"
    return printable(text[:_LONGEST_VALUE])


def _ignored(members: Mapping[str, object], model: type[BaseModel], within: str) -> list[str]:
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    names = [f"{within}{name}" for name in members if name not in known]
    for name, field in known.items():
        value, inner = members.get(name), f"{within}{name}."
        if not isinstance(value, dict):
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _ignored(value, field.annotation, inner)
        for each in (one.model for one in field.metadata if isinstance(one, EachLike)):
            for key, one in value.items():
                names += _ignored(one, each, f"{inner}{key}.") if isinstance(one, dict) else []
    return names


def _add_ignored(names: Sequence[str]) -> None:
    escaped = [_CUT_ESCAPE.sub("", quote(printable(name), safe=".-_~")[:_LONGEST_NAME]) for name in names]
    g.ignored = [*g.get("ignored", ()), *escaped][:_MOST_IGNORED]
