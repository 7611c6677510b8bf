"""Field types shared by the API models, each with a message for an invalid value."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from onboarding.characters import INVISIBLE, has_invisible, is_addressable
from onboarding.identity import CONTEXT_PART, MAX_CONTEXTS

VISIBLE_PATTERN = r"^[\x21-\x7e]+$"
MAX_DATA_BYTES = 65_536
MAX_TOKEN_LENGTH = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: The patterns describe, in the document, what the functions below check. No look-around, which Go and Rust lack.
NO_NUL_PATTERN = r"^[^\x00]*$"
_NO_INVISIBLE_PATTERN = f"^[^{INVISIBLE}]+$"
TRIMMED_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
_TO_TRIM_PATTERN = rf"^\s*{TRIMMED_PATTERN[1:-1]}\s*$"
#: U+FFFD itself, because its escape differs between regular expressions.
_NOT_IN_A_PATH = rf"/%?#\\{INVISIBLE}" + "\ufffd"
_ADDRESSABLE_PATTERN = rf"^[^\s{_NOT_IN_A_PATH}]([^{_NOT_IN_A_PATH}]*[^\s{_NOT_IN_A_PATH}])?$"
_CONTEXT_PART_PATTERN = "^[a-zA-Z0-9_-]{1,100}$"
_STRUCTURE = (
    "Invalid context payload structure. Expected object with context types as keys and string IDs or {id, data} "
    "objects as values"
)


@dataclass(frozen=True)
class EachLike:
    """Marks an object with arbitrary names, whose values that are objects have the members of `model`."""

    model: type[BaseModel]


class Wire(BaseModel):
    """A model in JSON: camelCase names, no conversion between types, unknown members ignored."""

    model_config = ConfigDict(
        strict=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


def printable(text: str) -> str:
    """Return `text` with lone surrogates, which UTF-8 cannot encode, as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("{field} must not contain NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("{field} must not contain lone surrogates")
    return text


def _visible(text: str) -> str:
    if has_invisible(text):
        raise ValueError("{field} must not contain invisible characters, such as control or zero-width characters")
    return text


def _addressable(text: str) -> str:
    if not is_addressable(text):
        raise ValueError(
            "{field} must have 1 to 255 visible characters, none of them / % ? # or \\, must not begin or end with white "
            "space, and must not be . or .."
        )
    return text


def _token(text: str) -> str:
    if _CONTROL.search(text.strip()):
        raise ValueError("{field} must not contain control characters")
    return text.strip()


def _context_part(text: str) -> str:
    if not CONTEXT_PART.match(text):
        raise ValueError("{field} must have 1 to 100 of the letters a-z and A-Z, digits, - and _")
    return text


def _time_in(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("{field} must be a string with a time in ISO 8601")
    try:
        found = datetime.fromisoformat(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("{field} must be a time in ISO 8601, such as 2026-11-23T10:00:00.000Z") from None


def _data(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("{field} must be an object")
    try:
        size = len(orjson.dumps(value))
    except TypeError:
        raise ValueError("{field} must be JSON of UTF-8 text and numbers of 64 bits, nested at most 250 deep") from None
    if size > MAX_DATA_BYTES:
        raise ValueError(f"Data is too large: {ceil(size / 1024)}KB exceeds 64KB limit")
    return value


def _contexts(value: object) -> object:
    """Convert `{type: id or {id, data}}` to keys `type:id` with their data as JSON or None, in the same order."""
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise ValueError(_STRUCTURE)
    if len(value) > MAX_CONTEXTS:
        raise ValueError(f"Too many contexts: {len(value)} provided, maximum allowed is {MAX_CONTEXTS}")
    return dict(_context(kind, one) for kind, one in value.items())


def _context(kind: str, value: object) -> tuple[str, str | None]:
    name = value.get("id") if isinstance(value, dict) else value
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(name, str) or not (data is None or isinstance(data, dict)):
        raise ValueError(_STRUCTURE)
    if not CONTEXT_PART.match(kind) or not CONTEXT_PART.match(name):
        raise ValueError("A context's type and id have 1 to 100 of the letters a-z and A-Z, digits, - and _")
    if data is None:
        return f"{kind}:{name}", None
    try:
        _data(data)
    except ValueError as problem:
        raise ValueError(f"Context '{kind}' {problem}".replace("{field}", "data")) from None
    return f"{kind}:{name}", json.dumps(data)


def _flag(value: object) -> object:
    if value not in ("true", "false"):
        raise ValueError("{field} must be true or false")
    return value == "true"


_NO_NUL = Field(json_schema_extra={"pattern": NO_NUL_PATTERN})
Plain = Annotated[str, AfterValidator(_plain), _NO_NUL]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_plain), _NO_NUL]
#: An id that refers to something, which need not exist.
Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    AfterValidator(_plain),
    AfterValidator(_visible),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 255, "pattern": _NO_INVISIBLE_PATTERN}),
]
#: An id that Slack assigns.
SlackId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(_plain),
    AfterValidator(_visible),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100, "pattern": _NO_INVISIBLE_PATTERN}),
]
Identifier = Annotated[
    str,
    AfterValidator(_addressable),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": _ADDRESSABLE_PATTERN,
            "not": {"enum": [".", ".."]},
            "description": "Up to 255 visible characters of any script, except `/ % ? # \\`, without leading or trailing white space, and not `.` or `..`.",
        }
    ),
]
ContextPart = Annotated[
    str,
    AfterValidator(_context_part),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _CONTEXT_PART_PATTERN,
            "description": "1 to 100 letters (a-z, A-Z), digits, `-` and `_`.",
        }
    ),
]
Token = Annotated[
    str,
    AfterValidator(_token),
    StringConstraints(min_length=1, max_length=MAX_TOKEN_LENGTH),
    AfterValidator(_plain),
    Field(json_schema_extra={"pattern": _TO_TRIM_PATTERN}),
]
TimeIn = Annotated[
    datetime,
    BeforeValidator(_time_in),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "A time in ISO 8601, such as `2026-11-23T10:00:00Z`. Without a zone, UTC.",
        }
    ),
]
#: A time in a response.
Time = Annotated[
    str,
    Field(
        description="A time in ISO 8601, in UTC with milliseconds.",
        examples=["2026-11-23T10:00:00.000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
CreatedAt = Annotated[Time, Field(description="When the object was created.")]
UpdatedAt = Annotated[Time, Field(description="When the object was last changed.")]
#: Describes the limits of `data`, which a schema cannot express.
DATA_LIMITS = "at most 64 kB of JSON, nested at most 250 deep, with integers of 64 bits"
Data = Annotated[dict[str, Any], BeforeValidator(_data)]


class ContextValue(Wire):
    """A context's value in its long form."""

    id: ContextPart = Field(description="The context's id.")
    data: Data | None = Field(None, description="Your own data about the context.")


_CONTEXT_DATA = {"anyOf": [{"type": "object", "description": f"Your own data, {DATA_LIMITS}."}, {"type": "null"}]}
_CONTEXT_ID = {"type": "string", "pattern": _CONTEXT_PART_PATTERN}
_CONTEXTS_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": MAX_CONTEXTS,
    "propertyNames": {"pattern": _CONTEXT_PART_PATTERN},
    "additionalProperties": {
        "anyOf": [
            _CONTEXT_ID,
            {"type": "object", "required": ["id"], "properties": {"id": _CONTEXT_ID, "data": _CONTEXT_DATA}},
        ]
    },
}
Contexts = Annotated[
    dict[str, str | None] | None,
    BeforeValidator(_contexts),
    EachLike(ContextValue),
    WithJsonSchema(
        {
            "anyOf": [_CONTEXTS_SCHEMA, {"type": "null"}],
            "description": "One to five contexts, each as `type: id` or as `type: {id, data}`. Types and ids have 1 to 100 letters "
            "(a-z, A-Z), digits, `-` and `_`. The server creates a context that does not exist, and does not change the `data` of an "
            "existing one.",
        }
    ),
]
Mode = Literal["subscriber", "shared"]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean", "default": False})]
