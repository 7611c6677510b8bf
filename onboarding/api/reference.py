"""The OpenAPI document as /docs shows it: families of endpoints, members in rows, examples to copy."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: In the order in which a developer needs them.
_ORDER = ("Channel connections", "Install addresses", "Integrations", "Channel endpoints", "Subscribers", "Contexts")
_METHODS = ("post", "get", "patch", "delete")
_DEEPEST = 3
#: Of a longer list of values, the first ones are shown.
_MOST_VALUES = 12


@dataclass(frozen=True)
class Member:
    name: str
    type: str
    required: bool
    default: str
    meaning: str


@dataclass(frozen=True)
class Endpoint:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    example: str | None
    status: str
    answer: str | None
    others: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    anchor: str
    name: str
    endpoints: tuple[Endpoint, ...]
    #: Of the object that its endpoints return, alone or in a list.
    members: tuple[Member, ...]


def families(document: Mapping[str, Any]) -> tuple[Family, ...]:
    found: dict[str, list[Endpoint]] = {name: [] for name in _ORDER}
    answered: dict[str, tuple[Member, ...]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                name = operation["tags"][0]
                found[name].append(_endpoint(document, method, path, operation))
                # The first endpoint of each family returns its object or a list of them.
                answered.setdefault(name, tuple(_members(document, _object(document, operation))))
    return tuple(Family(_anchor(name), name, tuple(some), answered[name]) for name, some in found.items())


def example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return a value of this schema, made from the examples of the models."""
    schema = _resolved(document, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object" and "properties" in schema:
        shown = {
            name: part
            for name, part in schema["properties"].items()
            if name in schema.get("required", ()) or "examples" in _resolved(document, part)
        }
        return {name: example(document, part) for name, part in shown.items()}
    if schema.get("type") == "array":
        return [example(document, schema["items"])]
    return {"integer": 1, "boolean": False, "object": {}, "null": None}.get(str(schema.get("type")), "…")


def _object(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = _resolved(document, _answer(operation)[1] or {})
    return _resolved(document, schema["items"]) if schema.get("type") == "array" else schema


def _answer(operation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    """Return the status of success and its schema, if it has one."""
    status = next(code for code in operation["responses"] if code.startswith("2"))
    return status, operation["responses"][status].get("content", {}).get("application/json", {}).get("schema")


def _endpoint(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> Endpoint:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    status, answer = _answer(operation)
    return Endpoint(
        anchor=operation["operationId"].replace("_", "-"),
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        scope=operation["x-scope"],
        parameters=tuple(_parameter(document, one) for one in operation["parameters"]),
        body=tuple(_members(document, body)) if body else (),
        example=_text(example(document, body)) if body else None,
        status=status,
        answer=_text(example(document, answer)) if answer else None,
        others=tuple(sorted(code for code in operation["responses"] if code != status)),
    )


def _parameter(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Member:
    schema = _resolved(document, parameter["schema"])
    default = schema.get("default")
    return Member(
        name=parameter["name"],
        type=_type(document, schema)
        + _limits(schema)
        + (f", in the {parameter['in']}" if parameter["in"] != "query" else ""),
        required=bool(parameter.get("required")),
        default="" if default is None else json.dumps(default).strip('"'),
        meaning=parameter.get("description") or schema.get("description", ""),
    )


def _members(document: Mapping[str, Any], schema: Mapping[str, Any], before: str = "") -> Iterator[Member]:
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    for name, part in sorted(schema.get("properties", {}).items(), key=lambda one: one[0] not in required):
        inner = _resolved(document, part)
        meaning = part.get("description") or inner.get("description", "")
        # An optional member without a value is left out; a required one is null.
        nullable = name in required and any(one.get("type") == "null" for one in part.get("anyOf", ()))
        kind = _type(document, inner) + _limits(inner) + (" or null" if nullable else "")
        yield Member(f"{before}{name}", kind, name in required, "", meaning)
        if "properties" in inner and before.count(".") < _DEEPEST:
            yield from _members(document, inner, f"{before}{name}.")


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema behind a reference or an optional value."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {**_resolved(document, document["components"]["schemas"][name]), **_beside(schema)}
    if "anyOf" in schema:
        real = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return {**_resolved(document, real[0]), **_beside(schema)}
    return schema


def _beside(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in ("$ref", "anyOf")}


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        few = schema["enum"][:_MOST_VALUES]
        return " | ".join(few) + (f" | … ({len(schema['enum'])} values)" if len(schema["enum"]) > len(few) else "")
    if schema.get("type") == "array":
        one = _type(document, _resolved(document, schema["items"]))
        return f"({one})[]" if " | " in one else f"{one}[]"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema.get("const") or schema.get("type", "any"))


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a value as text."""
    for least, most, of in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("", "maxItems", ""),
    ):
        if most in schema:
            beginning = f"{schema[least]} to " if schema.get(least) else "at most "
            return f", {beginning}{schema[most]:,}{of}"
    return ""


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
