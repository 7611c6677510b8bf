"""Reading what programs send: JSON bodies and queries into models, or every fault at once, named by its field."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import isinf
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import quote

from flask import g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from onboarding.api import misread, wire
from onboarding.api.field_types import EachLike
from onboarding.api.misread import Part
from onboarding.api.problems import ValidationFailed
from onboarding.errors import Refused

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
_UNREADABLE = "The body is not JSON that can be read"
_LONGEST_VALUE = 100
#: Of a header: what is in front of this server may take no longer one.
_MOST_IGNORED, _LONGEST_NAME = 20, 100
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?\Z")
#: Nothing under these is ever told again.
_SECRET = ("auth", "endpoint")
_WORDS = {
    "missing": "{field} is required",
    "string_type": "{field} must be a string",
    "string_unicode": "{field} must be text: half a character (a lone surrogate) is none",
    "bool_type": "{field} must be a boolean",
    "dict_type": "{field} must be an object",
    "model_type": "{field} must be an object",
    "model_attributes_type": "{field} must be an object",
    "list_type": "{field} must be an array",
    "string_too_short": "{field} must have at least {min_length} character(s)",
    "string_too_long": "{field} must have at most {max_length} characters",
    "too_long": "{field} must have at most {max_length} items",
    "literal_error": "{field} must be one of: {expected}",
}


class _Faulty(ValueError):
    """A value that Python reads and we do not. `is_it` finds it in the text."""

    def __init__(self, sentence: str, is_it: Callable[[Part], bool]) -> None:
        super().__init__(sentence)
        self.is_it = is_it


class _Repeated(ValueError):
    """An object names a member twice."""


def read_body(model: type[M]) -> M:
    """Raises UnsupportedMediaType, Refused (`body_not_json`, `body_not_object`), ValidationFailed, RequestEntityTooLarge."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    told = _parsed(request.get_data())
    if not isinstance(told, dict):
        raise Refused("The body must be a JSON object", code="body_not_object")
    note_ignored(told, model)
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise ValidationFailed(_errors(error)) from None


def read_body_and_query(body: type[M], query: type[Q]) -> tuple[M, Q]:
    """Both, with all that is wrong in either told at once. Raises as they do."""
    try:
        asked = read_query(query)
    except ValidationFailed as faulty:
        try:
            read_body(body)
        except ValidationFailed as more:
            raise ValidationFailed({**more.errors, **faulty.errors}) from None
        raise
    return read_body(body), asked


def read_query(model: type[M]) -> M:
    """Lists may be repeated, everything else stands once. Empty means not given. Raises ValidationFailed."""
    told, faults = _told(model)
    try:
        read = model.model_validate(told)
    except ValidationError as error:
        raise ValidationFailed({**_errors(error), **faults}) from None
    if faults:
        raise ValidationFailed(faults)
    return read


def _told(model: type[BaseModel]) -> tuple[dict[str, object], dict[str, Mapping[str, object]]]:
    """What the query says, and what of it stands more often than once."""
    names, lists = _names(model)
    told: dict[str, object] = {}
    twice: dict[str, Mapping[str, object]] = {}
    for name, values in request.args.lists():
        if name in lists:
            told[name] = values
        elif name in names and len(values) > 1:
            twice[name] = {"messages": [f"{name} must be given once"]}
        elif name in names and values[0] != "":
            told[name] = values[0]
    _tell_ignored([name for name in request.args if name not in names])
    return told, twice


def note_ignored(told: Mapping[str, object], model: type[BaseModel], within: str = "") -> None:
    """What the model does not know is named in a header of the answer (`door`), which it fits into whatever was in it."""
    _tell_ignored(_ignored(told, model, within))


@cache
def _names(model: type[BaseModel]) -> tuple[frozenset[str], frozenset[str]]:
    """What may be asked, and which of it is a list."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    return frozenset(names), frozenset(name for name, field in names.items() if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:
    """Whether a tuple is asked for, or may be."""
    return get_origin(annotation) is tuple or any(_is_list(part) for part in get_args(annotation))


def _parsed(body: bytes) -> object:
    text = ""
    try:
        text = body.decode()
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as fault:
        sentence = f"The body is not UTF-8: byte {fault.start}"
    except json.JSONDecodeError as fault:
        sentence = f"The body is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}"
        sentence = sentence if body.strip() else "The body is empty: JSON is expected"
    except _Faulty as fault:
        sentence = f"{_UNREADABLE}: {fault}{misread.place(text, fault.is_it)}"
    except _Repeated:
        name, where = misread.first_repeated(text)
        sentence = f"{_UNREADABLE}: the member {_cut(name)!r} is there twice{where}"
    except ValueError:
        sentence = f"{_UNREADABLE}: a number is too long{misread.place(text, misread.is_too_long)}"
    except RecursionError:
        sentence = f"{_UNREADABLE}: it is nested too deep{misread.place_of_the_deepest(text)}"
    raise Refused(sentence, code="body_not_json")


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Repeated
    return found


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _Faulty(f"{text[:20]} is too large a number", lambda part: part.text == text)
    return number


def _no_constant(name: str) -> object:
    raise _Faulty(f"{name} is no value", lambda part: part.text == name)


def _errors(error: ValidationError) -> dict[str, Mapping[str, object]]:
    found: dict[str, dict[str, Any]] = {}
    for one in error.errors(include_url=False):
        field = ".".join(wire.printable(str(part)) for part in one["loc"])
        entry = found.setdefault(field, {"messages": []})
        entry["messages"].append(_sentence(field, one))
        if one["type"] != "missing" and not field.startswith(_SECRET):
            entry["value"] = _cut(one["input"])
    return dict(found)


def _sentence(field: str, one: Any) -> str:
    # The length of a text is told as "items" where something else was checked before it.
    kind = f"string_{one['type']}" if isinstance(one["input"], str) else one["type"]
    words = _WORDS.get(kind) or _WORDS.get(one["type"])
    if words is None:
        return wire.printable(one["msg"].removeprefix("Value error, ").replace("{field}", field))
    told = {name: value for name, value in one.get("ctx", {}).items() if name != "error"}
    if "expected" in told:
        told["expected"] = told["expected"].replace("'", "").replace(" or ", ", ")
    return words.format(field=field, **told)


def _cut(value: object) -> object:
    """What was sent, short enough to be told again."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 2**53 else str(value)[:_LONGEST_VALUE]
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except RecursionError:
        # It could just be read, a few calls further up.
        text = "…"
    return wire.printable(text[:_LONGEST_VALUE])


def _ignored(told: Mapping[str, object], model: type[BaseModel], within: str) -> list[str]:
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    names = [f"{within}{name}" for name in told if name not in known]
    for name, field in known.items():
        value, place = told.get(name), f"{within}{name}."
        if not isinstance(value, dict):
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _ignored(value, field.annotation, place)
        for form in (one.model for one in field.metadata if isinstance(one, EachLike)):
            for key, one in value.items():
                names += _ignored(one, form, f"{place}{key}.") if isinstance(one, dict) else []
    return names


def _tell_ignored(names: Sequence[str]) -> None:
    told = [_CUT_ESCAPE.sub("", quote(wire.printable(name), safe=".-_~")[:_LONGEST_NAME]) for name in names]
    g.ignored = [*g.get("ignored", ()), *told][:_MOST_IGNORED]
